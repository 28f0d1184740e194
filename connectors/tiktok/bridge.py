"""The neutral way to TikTok's chat: JSON from a program that the person runs.

The protocol is our own, version 1, so that any reader of TikTok can be put behind it without being part of
this product. Text messages on a WebSocket, one JSON object per line; see the README for the kinds.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any, Literal
from urllib.parse import quote

import aiohttp

from connectors.errors import Refused, RetryLater
from connectors.http import websocket
from connectors.tiktok.items import Inbox, Said
from connectors.types import ChatDeletion, ChatHealth, ChatItem

VERSION = 1
AGAIN = 5.0
NOTICES = {"follow": "follows now", "share": "shared the LIVE"}
WORDS = {
    "connecting": "The bridge is connecting to TikTok.",
    "offline": "The account is not LIVE on TikTok yet.",
    "blocked": "TikTok does not let the bridge in.",
    "signer_down": "The bridge's signing service is down.",
    "rate_limited": "The bridge has to wait before it may connect again.",
}
State = Literal["connected", "degraded", "down"]


class Bridge:
    """Reads one bridge."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def messages(self, ref: str, inbox: Inbox, *, missed: bool) -> AsyncGenerator[ChatItem, None]:
        """Ends with the LIVE. The bridge says itself whether it is connected."""
        address = f"{self._url}?unique_id={quote(ref)}"
        broken = False
        async with websocket(address) as socket:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                for line in message.data.splitlines():
                    try:
                        items, over = lines_items(line, inbox, missed=missed)
                    except ValueError:
                        items, over = ([] if broken else [UNREADABLE]), False
                        broken = True
                    for item in items:
                        yield item
                    if over:
                        return
        raise RetryLater(f"The bridge closed the chat ({socket.close_code or 'no reason'}).", AGAIN)


UNREADABLE = ChatHealth(state="degraded", detail="Part of what the bridge says can't be read.", missed=True)


def lines_items(line: str, inbox: Inbox, *, missed: bool) -> tuple[list[ChatItem], bool]:
    """What a line says, and whether the LIVE is over. ValueError when it says nothing readable."""
    event = json.loads(line)
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ValueError("not an event")
    if event.get("v") != VERSION:
        raise Refused("The chat bridge speaks another version of the protocol.")
    kind = event["type"]
    if kind == "status":
        return [health(event, missed=missed)], False
    if kind == "delete":
        return deletions(event), False
    if kind == "live_end":
        if event.get("reason") == "suspended":
            raise Refused("TikTok has suspended this LIVE. Look in TikTok for the reason.", code="suspended")
        return [], True
    said = SAYINGS[kind](event) if kind in SAYINGS else None
    return (inbox.take(said) if said else []), False


def health(event: dict[str, Any], *, missed: bool) -> ChatHealth:
    """The bridge's own state; a word we don't know is no reason to stop."""
    state = text_of(event, "state")
    if state == "connected":
        return ChatHealth(state="connected", missed=missed)
    word: State = "down" if state == "blocked" else "degraded"
    return ChatHealth(state=word, detail=WORDS.get(state, "The bridge is not connected."))


def comment(event: dict[str, Any]) -> Said:
    """A viewer's words."""
    return about(event, text_of(event, "text"))


def gift(event: dict[str, Any]) -> Said | None:
    """A gift; of a streak the last one only."""
    if not event.get("final", True):
        return None
    inner = event.get("gift")
    name = text_of(inner, "name") if isinstance(inner, dict) else ""
    repeat = event.get("repeat")
    times = f" ×{repeat}" if isinstance(repeat, int) and repeat > 1 else ""
    return about(event, f"sent {name or 'a gift'}{times}", "paid")


def notice(event: dict[str, Any]) -> Said:
    """A follow or a share."""
    return about(event, NOTICES[event["type"]], "notice")


def about(event: dict[str, Any], text: str, kind: Literal["text", "paid", "notice"] = "text") -> Said:
    """Who and when. Ids are text in JSON: they are larger than JavaScript's numbers."""
    user = event.get("user")
    who: dict[str, Any] = user if isinstance(user, dict) else {}
    at_ms = event.get("at_ms")
    message_id = text_of(event, "id")
    if not message_id:
        raise ValueError("a message without an id")
    return Said(
        id=message_id,
        text=text,
        author_id=text_of(who, "id") or None,
        author_name=text_of(who, "name") or text_of(who, "handle") or None,
        kind=kind,
        at_ms=at_ms if isinstance(at_ms, int) else 0,
        history=event.get("history") is True,
    )


def deletions(event: dict[str, Any]) -> list[ChatItem]:
    """Messages by id, and everything of each author named."""
    messages, users = event.get("message_ids") or [], event.get("user_ids") or []
    if not isinstance(messages, list) or not isinstance(users, list):
        raise ValueError("not a list")
    items: list[ChatItem] = [ChatDeletion(message_ids=tuple(map(str, messages)))] if messages else []
    return items + [ChatDeletion(author_id=str(user)) for user in users]


def text_of(event: dict[str, Any], name: str) -> str:
    """A text, or nothing."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


SAYINGS: dict[str, Callable[[dict[str, Any]], Said | None]] = {
    "comment": comment,
    "gift": gift,
    "follow": notice,
    "share": notice,
}
