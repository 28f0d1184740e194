"""What viewers' pages say happened, on its way into the stream of events; and who came and went.

A page hears that its events are kept when the stream has them on its disk, and not before. When it cannot
take them now, the page is told when to try again, and keeps them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

from hub.clock import Clock
from hub.errors import Unavailable
from hub.events.schema import Stamp, ViewerEvent, hear, show_ms
from hub.events.stream import Event, EventStream
from hub.gateway.figures import Figures
from hub.gateway.news import encode, joined
from hub.ids import new_id

MOST_FRAMES: Final = 1_000
"""Of pages that wait for the stream; a crowd says about as many in a second."""
MOST_COMINGS: Final = 100_000
"""Comings and goings that wait while the stream is away; the oldest are let go of first."""
TOGETHER: Final = 500
LATER: Final = 5
LAST_WORDS: Final = 2.0


class Speaker(Protocol):
    """Who said it."""

    def send(self, frame: bytearray) -> int:
        """One text frame, if it is still there: bytes sent."""
        ...


class Intake:
    """`live_at` says when a show went live, as far as is known here."""

    def __init__(
        self,
        stream: EventStream,
        clock: Clock,
        figures: Figures,
        live_at: Callable[[UUID], datetime | None],
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._figures = figures
        self._live_at = live_at
        self._keeping: set[asyncio.Task[None]] = set()
        self._comings: deque[ViewerEvent] = deque(maxlen=MOST_COMINGS)
        self._task: asyncio.Task[None] | None = None

    def said(self, speaker: Speaker, brand_id: UUID, show_id: UUID, viewer_id: str, frame: bytes) -> None:
        """A frame of events. It is answered later, but for one that makes no sense: nobody waits for that."""
        stamp = Stamp(brand_id, show_id, viewer_id, self._clock(), self._live_at(show_id))
        heard = hear(frame, stamp)
        if heard is None:
            self._figures.said_refused += 1
            return
        self._figures.said_refused += heard.refused
        if len(self._keeping) >= MOST_FRAMES:
            self.put_off(speaker, heard.n, LATER)
            return
        keeping = self._keep(speaker, heard.n, heard.refused, heard.events)
        task = asyncio.get_running_loop().create_task(keeping)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def put_off(self, speaker: Speaker, n: int | None, seconds: int) -> None:
        """Not now."""
        self._figures.said_later += 1
        speaker.send(joined([encode("later", None, {"n": n, "seconds": seconds})]))

    async def _keep(self, speaker: Speaker, n: int, refused: int, events: Sequence[Event]) -> None:
        try:
            await self._stream.keep(events)
        except Unavailable as error:
            self.put_off(speaker, n, int(str(error.extra["retry_after"])))
            return
        self._figures.said += len(events)
        speaker.send(joined([encode("kept", None, {"n": n, "refused": refused})]))

    def came_or_went(
        self, kind: Literal["join", "leave"], brand_id: UUID, show_id: UUID, viewer_id: str, stay: UUID
    ) -> None:
        """A viewer's screen is here, or gone. `stay` is the same for both: every join has one leave."""
        at = self._clock()
        self._figures.said_lost += len(self._comings) == MOST_COMINGS
        self._comings.append(
            ViewerEvent.model_construct(
                v=1,
                id=new_id(),
                brand_id=brand_id,
                show_id=show_id,
                viewer_id=viewer_id,
                kind=kind,
                at=at,
                show_ms=show_ms(at, self._live_at(show_id)),
                source="hub",
                platform="own",
                data=f'{{"stay":"{stay}"}}',
            )
        )
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        """Many at once: ten thousand may come in a second, and the screens must not wait for it."""
        while self._comings:
            await asyncio.sleep(0.05)
            some = [self._comings.popleft() for _ in range(min(TOGETHER, len(self._comings)))]
            try:
                await self._stream.keep(some)
            except Unavailable as error:
                room = MOST_COMINGS - len(self._comings)
                self._figures.said_lost += max(len(some) - room, 0)
                self._comings.extendleft(reversed(some[-room:] if room else []))
                await asyncio.sleep(float(str(error.extra["retry_after"])))

    async def close(self) -> None:
        """Let what is under way arrive; then stop."""
        tasks = [*self._keeping, *([self._task] if self._task else [])]
        if tasks:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            task.cancel()
