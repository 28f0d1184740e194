"""A publisher as the ingests hold it: fed until it is closed, closed once, and timed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from restream.gate import Publisher, PublishRefused
from restream.media import Frame

APP: Final = "live"
"""The gate's name for the place publishers go to; RTMP addresses carry it."""


class Refusal(Enum):
    """Why the gate said no, for protocols that have codes of their own."""

    KEY = "key"
    OVER = "over"
    TAKEN = "taken"


def refusal(refused: PublishRefused) -> Refusal:
    """Read the gate's RTMP status code: a key nobody has, a show that is over, or one that is taken."""
    if refused.taken:
        return Refusal.TAKEN
    known = {
        "NetStream.Publish.BadName": Refusal.KEY,
        "NetConnection.Connect.InvalidApp": Refusal.KEY,
        "NetStream.Publish.Denied": Refusal.OVER,
    }
    return known.get(refused.code, Refusal.TAKEN)


class Admitted:
    """A `pipe.Sink` in front of a publisher. Nothing reaches it after `close`.

    `last` is when the newest frame came, by the clock that was handed in; None before the first.
    """

    def __init__(self, publisher: Publisher, now: Callable[[], float]) -> None:
        self._publisher: Publisher | None = publisher
        self._now = now
        self.last: float | None = None

    def frame(self, frame: Frame) -> None:
        """A frame, in order. BrokenTag when it is a header that makes no sense."""
        if self._publisher:
            self._publisher.frame(frame)
            self.last = self._now()

    def metadata(self, values: dict[str, object]) -> None:
        """onMetaData."""
        if self._publisher:
            self._publisher.metadata(values)

    def close(self, reason: str) -> None:
        """The publisher is gone; the first reason counts."""
        publisher, self._publisher = self._publisher, None
        if publisher:
            publisher.closed(reason)
