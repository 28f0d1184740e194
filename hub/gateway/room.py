"""One show's screens: who is here, what they have not seen yet, and when to send it.

Self-clocked coalescing: everything that arrived goes out as one frame per kind of member in one pass over the
members, then some time passes. A small room is told at once; a big one degrades to fewer, larger frames.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hub.bus import Event
from hub.gateway.figures import Figures
from hub.gateway.news import GAP, News, encode, joined, merged
from hub.gateway.numbers import PATIENCE, Numbers

FLOOR: Final = 0.02
"""Seconds from the beginning of one pass to the next, at least."""
BREATH: Final = 256
"""Members told before others have their turn in the event loop."""
REMEMBERED: Final = 2000
"""Numbered news kept for screens that come back."""
LONGEST_REPLAY: Final = 64 << 10
"""Bytes; who missed more is quicker with a snapshot."""
MOST_PENDING: Final = 4000
"""News for one pass. Beyond that nobody could read them: the screens load a snapshot."""


class Wire(Protocol):
    """A member's connection."""

    def send(self, frame: bytes) -> None:
        """One text frame."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


@dataclass(eq=False, slots=True)
class Member:
    """One screen. `viewer_id` is None for staff. `behind`: its connection takes no more for now."""

    wire: Wire
    viewer_id: str | None
    behind: bool = False
    skipped: bool = False

    @property
    def staff(self) -> bool:
        """Whether it hears what only the brand may hear."""
        return self.viewer_id is None


class Room:
    """Begins after the show's number `seq`."""

    def __init__(self, seq: int, figures: Figures | None = None) -> None:
        self.members: set[Member] = set()
        self.watching = 0
        """Members who are viewers."""
        self._elsewhere = 0
        self._counted = 0
        self._numbers = Numbers(seq)
        self._kept_to = seq
        self._given_out = seq
        self._figures = figures or Figures()
        self._recent: deque[News] = deque(maxlen=REMEMBERED)
        self._pending: list[News] = []
        self._task: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    @property
    def seq(self) -> int:
        """The show's newest number here."""
        return self._numbers.seq

    @property
    def viewers(self) -> int:
        """In all gateways together."""
        return self.watching + self._elsewhere

    def join(self, member: Member, after: int | None, server_time: str) -> None:
        """Greet a member, bring it up to date from `after` on, and let it hear the rest."""
        self.members.add(member)
        self.watching += not member.staff
        hello = {"seq": self.seq, "server_time": server_time, "viewers": self.viewers}
        missed = [] if after is None else self._missed(member, after)
        member.wire.send(joined([encode("hello", None, hello), *missed]))

    def _missed(self, member: Member, after: int) -> list[bytes]:
        if after >= self.seq:
            return []
        kept = [news for news in self._recent if news.seq is not None and news.seq > after]
        # Numbers kept have no holes: if the first one is not the next one, some are gone for ever.
        if not kept or kept[0].seq != after + 1:
            return [GAP.body]
        bodies = [news.body for news in kept if news.is_for(member.viewer_id)]
        return bodies if sum(map(len, bodies)) <= LONGEST_REPLAY else [GAP.body]

    def leave(self, member: Member) -> None:
        """A screen is gone; harmless when it was never in."""
        if member in self.members:
            self.members.discard(member)
            self.watching -= not member.staff
            self._figures.behind -= member.behind

    def hear(self, event: Event) -> None:
        """News of the show, in any order, perhaps twice."""
        self._figures.events += 1
        news = News.of(event)
        if news.seq is None:
            self._tell([news])
            return
        loop = asyncio.get_running_loop()
        self._tell(self._kept(self._numbers.take(news, loop.time())))
        if self._numbers.overdue(loop.time()):
            self._give_up()
        elif self._numbers.waiting and self._patience is None:
            self._patience = loop.call_later(PATIENCE, self._lose_patience)

    def count(self, elsewhere: int) -> None:
        """Tell how many viewers there are, when it has changed; so many are with other gateways."""
        self._elsewhere = elsewhere
        if self.viewers != self._counted:
            self._counted = self.viewers
            body = encode("viewers.changed", None, {"count": self.viewers})
            self._tell([News("viewers.changed", body, latest="")])

    def check(self, given_out: int, *, doubt: bool) -> bool:
        """Compare with the newest number in the database; whether news were lost. `doubt`: surely some were.

        A number that was given out at the last look, and is still not heard of, will not come: whoever gave
        it out died between commit and news.
        """
        lost = doubt or self.seq < self._given_out
        self._given_out = given_out
        if lost:
            self._missed_news(given_out)
        return lost

    def _missed_news(self, seq: int) -> None:
        self._figures.holes += 1
        self._numbers.move_to(seq)
        self._recent.clear()
        self._kept_to = self.seq
        self._tell([GAP])

    async def closed(self, within_ms: int) -> None:
        """Send everybody away, to come back at a random moment within so much time."""
        farewell = joined([encode("closing", None, {"within_ms": within_ms})])
        for number, member in enumerate(tuple(self.members), 1):
            if not member.behind:
                member.wire.send(farewell)
            member.wire.close()
            if number % BREATH == 0:
                await asyncio.sleep(0)

    def fell_behind(self, member: Member) -> None:
        """Its connection takes no more: it is left out, so that what waits for it stays small."""
        member.behind = True
        self._figures.behind += 1

    def caught_up(self, member: Member) -> None:
        """It takes more again; what it was not sent, it finds in a snapshot."""
        if not member.behind:
            return
        member.behind = False
        self._figures.behind -= 1
        if member.skipped:
            member.skipped = False
            self._figures.snapshots_asked += 1
            member.wire.send(joined([GAP.body]))

    def _lose_patience(self) -> None:
        self._patience = None
        now = asyncio.get_running_loop().time()
        if self._numbers.overdue(now):
            self._give_up()
        elif self._numbers.waiting:  # for another one than when this began
            self._patience = asyncio.get_running_loop().call_later(PATIENCE, self._lose_patience)

    def _give_up(self) -> None:
        late = self._numbers.give_up()
        self._missed_news(self.seq)
        self._tell(late)

    def _kept(self, ready: Sequence[News]) -> Sequence[News]:
        for news in ready:
            # Without holes, or a screen would be brought up to date past one. Two may have the same number.
            if news.seq in (self._kept_to, self._kept_to + 1):
                self._kept_to = news.seq
                self._recent.append(news)
        return ready

    def _tell(self, news: Sequence[News]) -> None:
        if not news:
            return
        self._pending += news
        if len(self._pending) > MOST_PENDING:
            self._figures.shed += len(self._pending)
            self._pending = [GAP]
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            began = loop.time()
            pending = merged(self._pending)
            self._figures.merged += len(self._pending) - len(pending)
            self._pending = []
            await self._pass(pending)
            took = loop.time() - began
            self._figures.passed(took)
            # A large room rests no longer: bus and joins have their turn within a pass, and frames that
            # waited are larger, which costs more than it saves.
            await asyncio.sleep(max(FLOOR - took, 0))

    async def _pass(self, pending: Sequence[News]) -> None:
        figures = self._figures
        for_staff = joined(news.body for news in pending)
        common = [news.body for news in pending if not news.private]
        for_all = joined(common) if common else b""
        own = {
            viewer_id: joined(news.body for news in pending if news.is_for(viewer_id))
            for viewer_id in {news.only for news in pending if news.only and not news.staff_only}
        }
        for number, member in enumerate(tuple(self.members), 1):
            frame = for_staff if member.staff else own.get(member.viewer_id or "", for_all)
            if not frame:
                continue
            if member.behind:
                member.skipped = True
                figures.dropped_frames += 1
                continue
            member.wire.send(frame)
            figures.frames += 1
            figures.bytes += len(frame)
            if number % BREATH == 0:
                await asyncio.sleep(0)
