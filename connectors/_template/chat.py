"""The platform's chat: reading and replying."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from connectors._template.api import Config
from connectors.base import Session
from connectors.types import ChatHealth, ChatItem, ChatMessage

POLL_SECONDS = 1.0


class ExampleChat:
    """An async generator: the hub asks for the next item, and closes it to stop reading."""

    def __init__(
        self, session: Session[Config], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._http = session.http
        # Passed in, so that tests let time pass without waiting.
        self._sleep = sleep

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """Errors simply leave: the hub waits as long as they say and comes back with the last cursor."""
        # No cursor means the first page is history: marked as backlog, so that no old order runs again.
        backlog = cursor is None
        after = int(cursor or 0)
        announced = False
        while True:
            params = {"after": after}
            page = (await self._http.request("GET", f"chats/{ref}/messages", params=params)).json()
            if not announced:
                yield ChatHealth(state="connected")
                announced = True
            for message in page["messages"]:
                # Platforms send things twice. Here numbers grow, so one comparison is enough; with
                # other ids remember the newest ones.
                if message["number"] <= after:
                    continue
                after = message["number"]
                yield ChatMessage(
                    id=message["id"],
                    text=message["text"],
                    author_id=message.get("author_id"),
                    author_name=message.get("author"),
                    sent_at=datetime.fromisoformat(message["at"]),
                    # Lets the hub recognise a reply whose answer was lost.
                    ours=message.get("author_id") == "owner",
                    backlog=backlog,
                    cursor=str(after),
                )
            if page["ended"]:
                return
            backlog = False
            await self._sleep(POLL_SECONDS)


class ExampleReplies:
    """Writing to the chat."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """The id must be the one under which the message comes back through the chat."""
        # This platform knows idempotency keys. One that does not simply ignores `key`; a lost answer
        # is then RetryLater(unknown=True), and a person decides.
        response = await self._http.request(
            "POST", f"chats/{ref}/messages", json={"text": text}, headers={"Idempotency-Key": key}
        )
        return str(response.json()["id"])
