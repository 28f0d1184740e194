"""One show's screens: who is here, what they have not seen yet, and when to send it.

Self-clocked coalescing: members are told in groups, one group after the other, and each group is told all
that has arrived by its turn, as one frame per kind of member. A small room is told at once; a big one
degrades to fewer, larger frames. News that come while a round is on its way go out with the groups still to
come: nobody waits for longer than one round, and not for the rest of this one and all of the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.bus import Event
from hub.gateway.deflate import LEAST, deflated
from hub.gateway.figures import Figures
from hub.gateway.news import GAP, HEAD, News, encode, joined, merged
from hub.gateway.numbers import PATIENCE, Numbers

FLOOR: Final = 0.02
"""Seconds from the beginning of one round to the next, at least."""
TOGETHER: Final = 256
"""Members of a group: so many are told before others have their turn in the event loop."""
REMEMBERED: Final = 2000
"""Numbered news kept for screens that come back."""
LONGEST_REPLAY: Final = 64 << 10
"""Bytes; who missed more is quicker with a snapshot."""
MOST_PENDING: Final = 4000
"""News that wait for a round. Beyond that nobody could read them: the screens load a snapshot."""


class Wire(Protocol):
    """A member's connection."""

    def send(self, frame: bytearray, small: bytearray | None = None) -> int:
        """One text frame, or `small`, the same one deflated, where it is there and understood: bytes sent."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


@dataclass(eq=False, slots=True)
class Member:
    """One screen. `viewer_id` is None for staff. `behind`: its connection takes no more for now."""

    wire: Wire
    viewer_id: str | None
    inflates: bool = False
    behind: bool = False
    skipped: bool = False
    group: Group | None = None

    @property
    def staff(self) -> bool:
        """Whether it hears what only the brand may hear."""
        return self.viewer_id is None


@dataclass(eq=False, slots=True)
class Group:
    """Members who are told together. `told` counts the room's news up to the last that they were told."""

    told: int
    members: set[Member] = field(default_factory=set)
    inflating: int = 0
    """Members who take deflated frames."""


class Room:
    """Begins after the show's number `seq`. `together`: the most members of a group."""

    def __init__(self, seq: int, figures: Figures | None = None, together: int = TOGETHER) -> None:
        self.watching = 0
        """Members who are viewers."""
        self._elsewhere = 0
        self._counted = 0
        self._numbers = Numbers(seq)
        self._kept_to = seq
        self._given_out = seq
        self._figures = figures or Figures()
        self._recent: deque[News] = deque(maxlen=REMEMBERED)
        self._together = together
        self._groups: list[Group] = []
        self._pending: list[News] = []
        """What not every group was told yet."""
        self._dropped = 0
        """News before those, counted from the beginning."""
        self._task: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    @property
    def seq(self) -> int:
        """The show's newest number here."""
        return self._numbers.seq

    @property
    def members(self) -> list[Member]:
        """Everybody here."""
        return [member for group in self._groups for member in group.members]

    @property
    def viewers(self) -> int:
        """In all gateways together."""
        return self.watching + self._elsewhere

    def join(self, member: Member, after: int | None, server_time: str) -> None:
        """Greet a member, bring it up to date from `after` on, and let it hear the rest."""
        member.group = self._group_with_room()
        member.group.members.add(member)
        member.group.inflating += member.inflates
        self.watching += not member.staff
        hello = {"seq": self.seq, "server_time": server_time, "viewers": self.viewers}
        missed = [] if after is None else self._missed(member, after)
        member.wire.send(joined([encode("hello", None, hello), *missed]))

    def _group_with_room(self) -> Group:
        for group in self._groups:
            if len(group.members) < self._together:
                return group
        self._groups.append(Group(self._heard))
        return self._groups[-1]

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
        group, member.group = member.group, None
        if group is None:
            return
        group.members.discard(member)
        group.inflating -= member.inflates
        if not group.members:
            self._groups.remove(group)
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
        for number, member in enumerate(self.members, 1):
            if not member.behind:
                member.wire.send(farewell)
            member.wire.close()
            if number % TOGETHER == 0:
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
            self._dropped += len(self._pending)
            self._pending = [GAP]
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._rounds())

    @property
    def _heard(self) -> int:
        """News that came so far."""
        return self._dropped + len(self._pending)

    async def _rounds(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            began = loop.time()
            for group in tuple(self._groups):
                if group.told < self._heard:
                    self._tell_group(group)
                    await asyncio.sleep(0)
            told = min((group.told for group in self._groups), default=self._heard)
            worn = max(told - self._dropped, 0)
            del self._pending[:worn]
            self._dropped += worn
            took = loop.time() - began
            self._figures.passed(took)
            # A large room does not rest: bus and joins have their turn between groups, and frames that
            # waited are larger, which costs more than it saves.
            await asyncio.sleep(max(FLOOR - took, 0))

    def _tell_group(self, group: Group) -> None:
        news = self._pending[max(group.told - self._dropped, 0) :]
        group.told = self._heard
        pending = merged(news)
        everybody = [one.body for one in pending if not one.private]
        common = joined(everybody) if everybody else None
        small = deflated(common, HEAD) if common and group.inflating and len(common) >= LEAST else None
        others, own = apart(pending), dict[str | None, bytearray]()
        sent = size = skipped = 0
        for member in tuple(group.members):
            frame, viewer_id, shared = common, member.viewer_id, small
            if others and viewer_id in others:
                if viewer_id not in own:
                    own[viewer_id] = joined(one.body for one in pending if one.is_for(viewer_id))
                frame, shared = own[viewer_id], None
            if frame is None:
                continue
            if member.behind:
                member.skipped = True
                skipped += 1
                continue
            size += member.wire.send(frame, shared)
            sent += 1
        figures = self._figures
        figures.frames += sent
        figures.bytes += size
        figures.dropped_frames += skipped
        figures.merged += (len(news) - len(pending)) * sent


def apart(pending: Sequence[News]) -> set[str | None]:
    """Who hears something that not everybody hears: named viewers, and staff, as None."""
    named = {news.only for news in pending if news.only and not news.staff_only}
    return {None, *named} if any(news.private for news in pending) else set()
