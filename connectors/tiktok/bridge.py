"""The neutral way to TikTok's chat: JSON from a program that the person runs.

The protocol is our own, version 1, so that any reader of TikTok can be put behind it without being part of
this product. Text messages on a WebSocket, one JSON object per line; see the README for the kinds.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

import aiohttp

from connectors.errors import Refused, RetryLater
from connectors.http import Patience, websocket
from connectors.tiktok.items import Inbox, Kind, Said, gift_words, streak_id
from connectors.tiktok.pace import Pace, suspension
from connectors.tiktok.people import Author
from connectors.tiktok.words import Emote, fragments_of, said_in
from connectors.types import Badge, ChatDeletion, ChatHealth, ChatItem

VERSION = 1
NOTICES = {"follow": "follows now", "share": "shared the LIVE"}
BADGES = frozenset({"moderator", "member", "verified"})
WORDS = {
    "connecting": "The bridge is connecting to TikTok.",
    "offline": "The account is not LIVE on TikTok yet.",
    "blocked": "TikTok does not let the bridge in.",
    "signer_down": "The bridge's signing service is down.",
    "rate_limited": "The bridge has to wait before it may connect again.",
}
State = Literal["connected", "degraded", "down"]
UNREADABLE = ChatHealth(state="degraded", detail="Part of what the bridge says can't be read.", missed=True)


@dataclass
class Line:
    """How one connection is doing.

    `counts`: it tells how many watch. Only such a bridge is expected to go on saying something.
    """

    heard: float
    counts: bool = False
    broken: bool = False
    quiet: bool = False


class Bridge:
    """Reads one bridge."""

    def __init__(self, url: str, pace: Pace, now: Callable[[], float]) -> None:
        self._url = url
        self._pace = pace
        self._now = now

    async def messages(self, ref: str, inbox: Inbox, *, missed: bool) -> AsyncGenerator[ChatItem, None]:
        """Ends with the LIVE. The bridge says itself whether it is connected."""
        line, over, patience = Line(heard=self._now()), False, Patience()
        async with websocket(f"{self._url}?unique_id={quote(ref)}") as socket:
            while not over:
                for text in await self._receive(socket, line, patience):
                    items, over = self._read(text, line, inbox, missed=missed)
                    for item in items:
                        yield item
                    if over:
                        break
                for item in inbox.due(all_of_them=over):
                    yield item
                if (silent := self._now() - line.heard) >= self._pace.dead and line.counts:
                    raise RetryLater("The bridge had gone silent.", self._pace.again)
                if silent >= self._pace.quiet and line.counts and not line.quiet:
                    line.quiet = True
                    yield ChatHealth(state="degraded", detail="The bridge is unusually silent.", missed=True)

    async def _receive(
        self, socket: aiohttp.ClientWebSocketResponse, line: Line, patience: Patience
    ) -> list[str]:
        """The lines of the next message; none when there is none for a moment."""
        try:
            message = await patience.wait(socket.receive(), self._pace.tick)
        except TimeoutError:
            return []
        if message.type is aiohttp.WSMsgType.TEXT:
            line.heard = self._now()
            return str(message.data).splitlines()
        if message.type is aiohttp.WSMsgType.BINARY:
            return []  # not ours, and no reason to stop
        raise RetryLater(
            f"The bridge closed the chat ({socket.close_code or 'no reason'}).", self._pace.again
        )

    def _read(self, text: str, line: Line, inbox: Inbox, *, missed: bool) -> tuple[list[ChatItem], bool]:
        try:
            event = event_of(text)
            items, over = event_items(event, inbox, missed=missed)
            line.counts = line.counts or event["type"] == "viewers"
        except ValueError:
            items, over = ([] if line.broken else [UNREADABLE]), False
            line.broken = True
        if line.quiet:
            line.quiet = False
            items.insert(0, ChatHealth(state="connected"))
        return items, over


def event_of(line: str) -> dict[str, Any]:
    """What a line says. ValueError when it says nothing readable."""
    event = json.loads(line)
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ValueError("not an event")
    if event.get("v") != VERSION:
        raise Refused("The chat bridge speaks another version of the protocol.")
    return event


def event_items(event: dict[str, Any], inbox: Inbox, *, missed: bool) -> tuple[list[ChatItem], bool]:
    """What an event means for the chat, and whether the LIVE is over. ValueError for one without an id."""
    match event["type"]:
        case "status":
            return [health(event, missed=missed)], False
        case "delete":
            return deletions(event), False
        case "live_end" if event.get("reason") == "suspended":
            raise suspension()
        case "live_end":
            return [], True
        case "comment":
            said = comment(event)
            return (inbox.take(said) if said else []), False
        case "gift":
            return gift(event, inbox), False
        case "like":
            return inbox.likes(about(event), count_of(event, "count")), False
        case "follow" | "share" as kind:
            return inbox.take(about(event, NOTICES[kind], "notice")), False
        case _:
            return [], False


def health(event: dict[str, Any], *, missed: bool) -> ChatHealth:
    """The bridge's own state; a word we don't know is no reason to stop."""
    state = text_of(event, "state")
    if state == "connected":
        return ChatHealth(state="connected", missed=missed)
    word: State = "down" if state == "blocked" else "degraded"
    return ChatHealth(state=word, detail=WORDS.get(state, "The bridge is not connected."))


def comment(event: dict[str, Any]) -> Said | None:
    """A viewer's words; None when there are none."""
    fragments = fragments_of(text_of(event, "text"), emotes_of(event))
    said = about(event, said_in(fragments))
    return replace(said, fragments=fragments) if fragments else None


def gift(event: dict[str, Any], inbox: Inbox) -> list[ChatItem]:
    """A gift; of a streak its end, or its last sign of life."""
    inner = event.get("gift")
    given: dict[str, Any] = inner if isinstance(inner, dict) else {}
    words = gift_words(text_of(given, "name"), count_of(event, "repeat"), picture_of(given))
    said = replace(about(event, said_in(words), "gift"), fragments=words)
    group = text_of(event, "group_id") if given.get("streakable") is True else ""
    streak = streak_id(said.author, text_of(given, "id"), group) if group else ""
    return inbox.gift(said, streak, final=event.get("final", True) is not False)


def about(event: dict[str, Any], text: str = "", kind: Kind = "text") -> Said:
    """Who and when. Ids are text in JSON: they are larger than JavaScript's numbers."""
    at_ms = event.get("at_ms")
    message_id = text_of(event, "id")
    if not message_id:
        raise ValueError("a message without an id")
    return Said(
        id=message_id,
        text=text,
        author=author_of(event.get("user")),
        kind=kind,
        at_ms=at_ms if isinstance(at_ms, int) else 0,
        history=event.get("history") is True,
    )


def author_of(user: Any) -> Author:
    """A person, as far as the bridge tells."""
    who: dict[str, Any] = user if isinstance(user, dict) else {}
    given = who.get("badges")
    badges = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    handle = text_of(who, "handle")
    return Author(
        id=text_of(who, "id") or None,
        name=text_of(who, "name") or handle or None,
        handle=handle,
        picture=picture_of(who),
        badges=tuple(
            Badge.model_validate(
                {"kind": kind if kind in BADGES else "other", "title": text_of(one, "title")}
            )
            for one in badges
            if (kind := text_of(one, "kind"))
        ),
    )


def emotes_of(event: dict[str, Any]) -> list[Emote]:
    """Where pictures stand in the words."""
    given = event.get("emotes")
    return [
        (one["at"], picture_of(one))
        for one in (given if isinstance(given, list) else ())
        if isinstance(one, dict) and isinstance(one.get("at"), int)
    ]


def deletions(event: dict[str, Any]) -> list[ChatItem]:
    """Messages by id, and everything of each author named."""
    messages, users = event.get("message_ids") or [], event.get("user_ids") or []
    if not isinstance(messages, list) or not isinstance(users, list):
        raise ValueError("not a list")
    items: list[ChatItem] = [ChatDeletion(message_ids=tuple(map(str, messages)))] if messages else []
    return items + [ChatDeletion(author_id=str(user)) for user in users]


def picture_of(thing: dict[str, Any]) -> str | None:
    """An address that may be shown."""
    address = text_of(thing, "picture")
    return address if address.startswith("https://") else None


def count_of(event: dict[str, Any], name: str) -> int:
    """A number of times, at least once."""
    count = event.get(name)
    return max(count, 1) if isinstance(count, int) else 1


def text_of(event: dict[str, Any], name: str) -> str:
    """A text, or nothing."""
    value = event.get(name)
    return value if isinstance(value, str) else ""
