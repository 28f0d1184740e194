"""One show's screens: who is here, what they have not seen yet, and when to send it.

Self-clocked coalescing: everything that arrived goes out as one frame per kind of member, then at least
20 ms pass. A small room is told at once; a big one degrades to fewer, larger frames.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.bus import Event

FLOOR: Final = 0.02
REMEMBERED: Final = 500
TOO_FAR_BEHIND: Final = 256 << 10
GAP: Final = b'{"kind":"gap","seq":null,"data":{}}'


class Wire(Protocol):
    """A member's connection."""

    def send(self, frame: bytes) -> None:
        """One text frame."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...

    def waiting(self) -> int:
        """Bytes not taken by the far end yet."""
        ...


@dataclass(eq=False)
class Member:
    """One screen. `viewer_id` is None for staff."""

    wire: Wire
    viewer_id: str | None
    behind: bool = False

    @property
    def staff(self) -> bool:
        """Whether it hears what only the brand may hear."""
        return self.viewer_id is None


@dataclass(frozen=True)
class News:
    """An event, encoded once. `only` is the one viewer it is for (and staff)."""

    body: bytes
    seq: int | None
    staff_only: bool
    only: str | None

    def is_for(self, member: Member) -> bool:
        """Whether a member may hear it."""
        return member.staff or (not self.staff_only and self.only in (None, member.viewer_id))


@dataclass
class Room:
    """`seq` is the show's newest number; `counts` is how many screens each gateway has."""

    seq: int
    members: set[Member] = field(default_factory=set)
    counts: dict[str, tuple[int, float]] = field(default_factory=dict)
    viewers: int = 0
    _recent: deque[News] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _pending: list[News] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def join(self, member: Member, after: int | None, server_time: str) -> None:
        """Greet a member, bring it up to date from `after` on, and let it hear the rest."""
        hello = {"seq": self.seq, "server_time": server_time, "viewers": self.viewers}
        opening = [encode("hello", None, hello)]
        if after is not None and after < self.seq:
            missed = [news for news in self._recent if news.seq is not None and news.seq > after]
            # Numbers have no holes: if the first one kept is not the next one, some are gone for ever.
            complete = bool(missed) and missed[0].seq == after + 1
            opening += [news.body for news in missed if news.is_for(member)] if complete else [GAP]
        member.wire.send(joined(opening))
        self.members.add(member)

    def leave(self, member: Member) -> None:
        """A screen is gone."""
        self.members.discard(member)

    def hear(self, event: Event) -> None:
        """News of the show."""
        private = event.data.get("viewer_id") if event.kind == "order.changed" else None
        body = encode(event.kind, event.seq, event.data)
        news = News(body, event.seq, event.audience == "staff", private)
        if event.seq is not None:
            self.seq = max(self.seq, event.seq)
            self._recent.append(news)
        self._pending.append(news)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._flush())

    def count(self, gateway: str, number: int, now: float) -> None:
        """What one gateway says it has; those silent for three seconds no longer count."""
        self.counts[gateway] = (number, now)
        self.counts = {name: seen for name, seen in self.counts.items() if seen[1] > now - 3.0}
        total = sum(seen[0] for seen in self.counts.values())
        if total != self.viewers:
            self.viewers = total
            self._pending.append(News(encode("viewers.changed", None, {"count": total}), None, False, None))
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        while self._pending:
            pending, self._pending = self._pending, []
            for_staff = joined([news.body for news in pending])
            common = [news.body for news in pending if not news.staff_only and news.only is None]
            for_all = joined(common) if common else b""
            private = {news.only for news in pending if news.only}
            for member in tuple(self.members):
                if member.staff:
                    frame = for_staff
                elif member.viewer_id in private:
                    frame = joined([news.body for news in pending if news.is_for(member)])
                else:
                    frame = for_all
                if frame:
                    deliver(member, frame)
            await asyncio.sleep(FLOOR)


def deliver(member: Member, frame: bytes) -> None:
    """Send, unless the member is far behind: then it gets a gap and rebuilds from a snapshot."""
    if member.wire.waiting() > TOO_FAR_BEHIND:
        member.behind = True
        return
    if member.behind:
        member.behind = False
        member.wire.send(joined([GAP]))
    member.wire.send(frame)


def encode(kind: str, seq: int | None, data: object) -> bytes:
    """One event as JSON."""
    return json.dumps({"kind": kind, "seq": seq, "data": data}, separators=(",", ":")).encode()


def joined(bodies: list[bytes]) -> bytes:
    """A frame: a JSON array of events."""
    return b"[" + b",".join(bodies) + b"]"
