"""Comments as Facebook spells them in its three ways, and as we do in one. Pure: no network, no clock."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from connectors.types import Badge, ChatMessage, Fragment

LINK = re.compile(r"https?://\S+")
STICKER = "[sticker]"


def comment_id(ref: str, spelling: str) -> str:
    """One id for `c`, `post_c` and `video_c`: the last part is the comment, the rest depends on the way."""
    return f"{ref}_{spelling.rpartition('_')[2]}"


def spelled(ref: str, message_id: str) -> str:
    """What Graph is asked for: `post_c`, and `c` alone where no post is known."""
    comment = message_id.rpartition("_")[2]
    post = ref.partition("_")[2]
    return f"{post}_{comment}" if post else comment


def comments_of(data: str) -> list[dict[str, Any]]:
    """One event: a comment, or an array of them. An unreadable one is left to the next read."""
    try:
        event = json.loads(data)
    except ValueError:
        return []
    events = event if isinstance(event, list) else [event]
    return [comment for comment in events if isinstance(comment, dict) and "id" in comment]


def message(ref: str, raw: dict[str, Any], page: str, backlog: bool) -> ChatMessage:
    """One comment. `from` is missing without the right permission. Source: samples/comments.json."""
    author = raw.get("from") or {}
    sent_at, parent = raw.get("created_time"), (raw.get("parent") or {}).get("id")
    fragments = fragments_of(raw)
    return ChatMessage(
        id=comment_id(ref, raw["id"]),
        text="".join(fragment.text for fragment in fragments),
        author_id=author.get("id"),
        author_name=author.get("name"),
        author_picture=((author.get("picture") or {}).get("data") or {}).get("url"),
        badges=(Badge(kind="owner", title="Page"),) if author.get("id") == page else (),
        fragments=fragments,
        reply_to=comment_id(ref, parent) if parent else None,
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        ours=author.get("id") == page,
        backlog=backlog,
    )


def fragments_of(raw: dict[str, Any]) -> tuple[Fragment, ...]:
    """Text, links and mentions; a sticker where there are no words."""
    text = raw.get("message") or ""
    attachment = raw.get("attachment") or {}
    if not text:
        picture = (attachment.get("media") or {}).get("image", {}).get("src")
        return (Fragment(kind="emote", text=STICKER, url=picture),) if attachment else ()
    marks = [(found.start(), found.end(), "link") for found in LINK.finditer(text)]
    for tag in raw.get("message_tags") or []:
        name, begin = tag.get("name") or "", tag.get("offset")
        # Whether offsets count code points or UTF-16 units is not documented: the name itself decides.
        if begin is None or text[begin : begin + len(name)] != name:
            begin = text.find(name)
        if name and begin >= 0:
            marks.append((begin, begin + len(name), "mention"))
    pieces: list[Fragment] = []
    at = 0
    for begin, end, kind in sorted(marks):
        if begin < at:
            continue
        if begin > at:
            pieces.append(Fragment(text=text[at:begin]))
        word = text[begin:end]
        pieces.append(
            Fragment(kind="link", text=word, url=word)
            if kind == "link"
            else Fragment(kind="mention", text=word)
        )
        at = end
    return (*pieces, Fragment(text=text[at:])) if at < len(text) else tuple(pieces)
