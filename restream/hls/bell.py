"""Waking everybody who waits for the next part, at once and without polling.

Thousands may wait for the same thing. What they get is made once for all of them, and they are served in
slices, between which the event loop takes in the next frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from restream.hls.respond import Answer

log = structlog.get_logger()

SLICE: Final = 64
"""How many are served before the loop may do something else; one costs about 20 µs."""


class Waiter(Protocol):
    """Somebody who gets an answer later, once."""

    def answer(self, answer: Answer) -> None:
        """Take it. Must neither block nor raise."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that cannot be given yet."""

    bell: Bell
    """Rung after every change."""
    key: Hashable
    """Whoever waits at the same bell with an equal key gets the same answer."""
    ready: Callable[[], Answer | None]
    """The answer, None as long as there is none. Asked once for each key after every ring."""
    patience: float
    """Seconds to wait at most."""
    late: Answer
    """For whoever waited so long."""


@dataclass(eq=False, slots=True)
class Group:
    """Those who wait for the same."""

    waiting: Waiting
    waiters: dict[Waiter, None] = field(default_factory=dict)


class Bell:
    """`join` to wait, `leave` to give up; the same waiter waits for one thing at a time."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, Group] = {}
        self._round: Iterator[None] | None = None
        self._again = False
        self.rings = 0
        """How often it was rung."""

    def __len__(self) -> int:
        """How many are waiting."""
        return sum(len(group.waiters) for group in self._groups.values())

    @property
    def ringing(self) -> bool:
        """Whether it was rung and not everybody has been asked yet."""
        return self._round is not None

    def join(self, waiting: Waiting, waiter: Waiter) -> Group:
        """Wait; the group is what `leave` wants."""
        group = self._groups.get(waiting.key)
        if group is None:
            group = self._groups[waiting.key] = Group(waiting)
        group.waiters[waiter] = None
        return group

    def leave(self, group: Group, waiter: Waiter) -> None:
        """Wait no longer. Harmless when the answer came meanwhile."""
        group.waiters.pop(waiter, None)
        if not group.waiters:
            self._forget(group)

    def ring(self) -> None:
        """Something changed: serve, soon, whoever can be."""
        self.rings += 1
        if self._round is not None:
            self._again = True
        elif self._groups:
            self._begin()

    def _begin(self) -> None:
        self._round = self._serve()
        asyncio.get_running_loop().call_soon(self._slice)

    def _slice(self) -> None:
        if self._round is None:
            return
        if next(self._round, self) is not self:
            asyncio.get_running_loop().call_soon(self._slice)
            return
        self._round = None
        if self._again and self._groups:
            self._begin()
        self._again = False

    def _serve(self) -> Iterator[None]:
        """One round; stops after every slice. Who joins meanwhile knows what is new already."""
        work = 0
        for group in list(self._groups.values()):
            answer = self._answer(group)
            work += 1
            if answer is not None:
                self._forget(group)
                for waiter in list(group.waiters):
                    if waiter in group.waiters:  # or it left during the slice before
                        del group.waiters[waiter]
                        _give(waiter, answer)
                        work += 1
                    if work >= SLICE:
                        work = 0
                        yield
            elif work >= SLICE:
                work = 0
                yield

    def _answer(self, group: Group) -> Answer | None:
        try:
            return group.waiting.ready()
        except Exception:  # our mistake about one address must not keep the others waiting
            log.exception("bell.no_answer")
            return group.waiting.late

    def _forget(self, group: Group) -> None:
        if self._groups.get(group.waiting.key) is group:
            del self._groups[group.waiting.key]


def _give(waiter: Waiter, answer: Answer) -> None:
    try:
        waiter.answer(answer)
    except Exception:  # one connection's trouble must not keep the others waiting
        log.exception("bell.not_given")
