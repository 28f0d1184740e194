"""The platform's chat: reading, writing, answering and announcing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from connectors._template.api import Calls, Config
from connectors.base import Session
from connectors.types import Badge, ChatDeletion, ChatHealth, ChatItem, ChatMessage, Fragment, Money

POLL_SECONDS = 0.5


class ExampleChat:
    """An async generator: the hub asks for the next item, and closes it to stop reading."""

    def __init__(
        self, session: Session[Config], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._call = Calls(session)
        # Passed in, so that tests let time pass without waiting.
        self._sleep = sleep

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """Errors simply leave: the hub waits as long as they say and comes back with the last cursor."""
        # No cursor means the first page is history: marked as backlog, so that no old order runs again.
        backlog = cursor is None
        after = int(cursor or 0)
        announced = False
        while True:
            page = await self._call("GET", f"chats/{ref}/messages", params={"after": after})
            if not announced:
                # A platform that forgets fast, or cannot be read from a place on, says missed=True here
                # whenever there was a cursor: a gap is shown, never hidden.
                yield ChatHealth(state="connected", missed=bool(page.get("forgotten")))
                announced = True
            for entry in page["entries"]:
                # Platforms send things twice. Here numbers grow, so one comparison is enough; with
                # other ids remember the newest ones.
                if entry["number"] <= after:
                    continue
                after = entry["number"]
                # A kind nobody knows yet gives nothing; it must not end the reading.
                if entry["type"] == "message":
                    yield message_of(entry, backlog=backlog)
                elif entry["type"] == "removed":
                    yield ChatDeletion(
                        message_ids=tuple(entry.get("ids", ())), author_id=entry.get("author_id")
                    )
            if page["ended"]:
                return
            backlog = False
            await self._sleep(POLL_SECONDS)


# The platform's words into ours. What is not in a table is still shown: as text, as "other".
KINDS: dict[str, Any] = {"donation": "paid", "member": "membership", "shout": "announcement"}
BADGES: dict[str, Any] = {"host": "owner", "mod": "moderator", "member": "member"}
PARTS: dict[str, Any] = {"emote": "emote", "link": "link", "name": "mention"}


def message_of(entry: dict[str, Any], *, backlog: bool = False) -> ChatMessage:
    """Polling and webhooks bring the same thing: one place reads it, so that it has one id and one shape."""
    amount = entry.get("amount")
    return ChatMessage(
        id=entry["id"],
        text=entry["text"],
        author_id=entry.get("author_id"),
        author_name=entry.get("author"),
        author_picture=entry.get("picture"),
        badges=tuple(
            Badge(kind=BADGES.get(one["kind"], "other"), title=one["title"])
            for one in entry.get("badges", ())
        ),
        # Put together they must be exactly `text`: screens draw the one or the other.
        fragments=tuple(
            Fragment(kind=PARTS.get(part["kind"], "text"), text=part["text"], url=part.get("url"))
            for part in entry.get("parts", ())
        ),
        kind=KINDS.get(entry.get("kind", ""), "text"),
        # Only real money, in minor units. What a platform's coins are worth nobody tells: then None.
        money=Money.of(amount["value"], amount["currency"]) if amount else None,
        reply_to=entry.get("reply_to"),
        sent_at=datetime.fromisoformat(entry["at"]),
        # Lets the hub recognise a reply whose answer was lost.
        ours=entry.get("author_id") == "owner",
        backlog=backlog,
        cursor=str(entry["number"]) if "number" in entry else None,
    )


class ExampleReplies:
    """Writing to the chat."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """The id must be the one under which the message comes back through the chat."""
        # This platform knows idempotency keys. One that does not simply ignores `key`; a lost answer
        # is then RetryLater(unknown=True), and a person decides.
        return await say(self._call, ref, {"text": text}, key)


class ExampleAnswers:
    """Answering one message, so that the platform shows what is answered."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        """A message that is gone meanwhile is Refused, in the platform's words."""
        return await say(self._call, ref, {"text": text, "reply_to": message_id}, key)


class ExampleAnnouncements:
    """Saying something that the platform makes louder."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)

    async def announce(self, ref: str, text: str, *, key: str) -> str:
        """An empty string where the platform gives no id."""
        return await say(self._call, ref, {"text": text, "kind": "shout"}, key)


async def say(call: Calls, ref: str, body: dict[str, Any], key: str) -> str:
    """One message, whatever its kind; the platform's id."""
    path, carried = f"chats/{ref}/messages", {"Idempotency-Key": key}
    return str((await call("POST", path, json=body, headers=carried))["id"])
