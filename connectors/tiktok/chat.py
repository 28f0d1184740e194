"""TikTok's chat, as well as it can be read: our own reader, else the bridge, else nothing.

Nothing else depends on it: the stream, money, stock and orders go on without.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.tiktok.bridge import Bridge
from connectors.tiktok.config import Config
from connectors.tiktok.items import Inbox
from connectors.tiktok.pace import Pace
from connectors.tiktok.reader import Reader
from connectors.tiktok.rooms import Rooms
from connectors.types import ChatHealth, ChatItem

OFF = "TikTok's chat is off: no signing service and no bridge has been entered."
MEANWHILE = "Read and answer in the TikTok app meanwhile."


@dataclass(frozen=True)
class Hope:
    """What is to be expected of the reader, with which coming back begins: nothing before `not_before`."""

    alive: bool = False
    not_before: float = 0.0


class TikTokChat:
    """Off unless a person has entered a signing service or a bridge."""

    def __init__(
        self,
        session: Session[Config],
        pace: Pace | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = session.config
        self._rooms = Rooms(session)
        self._pace = pace or Pace()
        self._clock = clock
        self._reader = Reader(session, self._pace, self._now, sleep)

    async def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """`ref` is the TikTok name. Ends when the LIVE has ended; every lost connection is RetryLater.

        A reader that can't get in leaves the field to the bridge. One that was in and lost its connection
        comes back first: the hub asks again soon.
        """
        if not self._config.chat_is_on:
            raise Refused(OFF)
        inbox, missed, hope = Inbox(cursor, self._now, host=ref), cursor is not None, Hope()
        if self._config.signer_url:
            began, inside = self._now(), False
            try:
                room = await self._rooms.find(ref)
                if room.on_air:
                    async with aclosing(self._reader.messages(room.number, inbox, missed=missed)) as items:
                        async for item in items:
                            inside = True
                            yield item
                    return
            except (RetryLater, Refused) as error:
                lost = inside and self._now() - began >= self._pace.settled
                if lost or not self._config.bridge_url or is_suspension(error):
                    raise advised(error) from None
                pause = error.after if isinstance(error, RetryLater) else self._pace.again_early
                hope = Hope(isinstance(error, RetryLater), self._now() + pause)
                detail = f"{error.reason} Trying the bridge."
            else:
                raise RetryLater(f"@{ref} is not LIVE on TikTok yet.", self._pace.not_live)
            missed = missed or inside
            yield ChatHealth(state="degraded", detail=detail, missed=missed)
        async with aclosing(self._bridged(ref, inbox, hope, missed=missed)) as items:
            async for item in items:
                yield item

    async def _bridged(
        self, ref: str, inbox: Inbox, hope: Hope, *, missed: bool
    ) -> AsyncGenerator[ChatItem, None]:
        try:
            bridge = Bridge(self._config.bridge_url, self._pace, self._now)
            async with aclosing(bridge.messages(ref, inbox, missed=missed)) as items:
                async for item in items:
                    yield item
        except (RetryLater, Refused) as error:
            wait = max(0.0, hope.not_before - self._now())
            if hope.alive and not is_suspension(error) and isinstance(error, Refused):
                # The bridge is of no use, but the reader may be again.
                raise advised(RetryLater(error.reason, wait)) from None
            raise advised(error, wait) from None

    def _now(self) -> float:
        return self._clock() if self._clock else asyncio.get_running_loop().time()


def is_suspension(error: RetryLater | Refused) -> bool:
    """True when there is nothing to be read, whatever the way."""
    return isinstance(error, Refused) and error.code == "suspended"


def advised(error: RetryLater | Refused, least: float = 0.0) -> RetryLater | Refused:
    """The same error, and what the host can do until it is over; `least` seconds to wait."""
    if is_suspension(error):
        return error
    reason = f"{error.reason} {MEANWHILE}"
    if isinstance(error, RetryLater):
        return RetryLater(reason, max(error.after, least))
    return Refused(reason, code=error.code)
