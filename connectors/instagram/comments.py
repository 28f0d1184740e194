"""Comments as Instagram spells them in its two ways, and as we do in one. Pure: no network, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.types import Badge, ChatMessage, Fragment

PIECE = re.compile(
    r"(?P<link>https?://\S+)|(?P<mention>(?<![\w.])@[A-Za-z0-9_](?:[A-Za-z0-9._]*[A-Za-z0-9_])?)"
)


def message(
    raw: Mapping[str, Any], account: str, *, username: str = "", backlog: bool = False
) -> ChatMessage:
    """One comment, read or told by webhook: there it has no time, and its id may be `comment_id`.

    Source: samples/comments.json, samples/webhook.json. Keyed on `from.id`: names can change.
    """
    author = raw.get("from") or {}
    author_id, name = author.get("id"), author.get("username") or raw.get("username")
    stamp, text = raw.get("timestamp"), str(raw.get("text") or "")
    # Webhooks give the account a scoped id too when it writes itself.
    ours = account in {author_id, author.get("self_ig_scoped_id")} or bool(username and name == username)
    return ChatMessage(
        id=str(raw.get("id") or raw.get("comment_id")),
        text=text,
        author_id=author_id,
        author_name=name,
        badges=(Badge(kind="owner"),) if ours else (),
        fragments=fragments_of(text),
        reply_to=raw.get("parent_id"),
        sent_at=datetime.fromisoformat(stamp) if stamp else None,
        ours=ours,
        backlog=backlog,
    )


def fragments_of(text: str) -> tuple[Fragment, ...]:
    """Text, links and mentions; put together they are the text."""
    pieces: list[Fragment] = []
    at = 0
    for found in PIECE.finditer(text):
        if found.start() > at:
            pieces.append(Fragment(text=text[at : found.start()]))
        word = found[0]
        if found["link"]:
            pieces.append(Fragment(kind="link", text=word, url=word))
        else:
            pieces.append(Fragment(kind="mention", text=word))
        at = found.end()
    return (*pieces, Fragment(text=text[at:])) if at < len(text) else tuple(pieces)
