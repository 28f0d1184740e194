"""A way to a far end: what every protocol must offer to the target that uses it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from restream.media import Frame
from restream.rtmp.client import STEP_SECONDS
from restream.targets.bundler import Bundle

BUFFER: Final = 4 << 20
"""Bytes a target may be behind (about 6 s at 5 Mbit/s) before frames are dropped to the next keyframe."""


class Refused(Exception):
    """The far end said no, in a sentence that holds no secret.

    `auth`: the key or the account is the reason, trying again will not help.
    """

    def __init__(self, sentence: str, *, auth: bool) -> None:
        super().__init__(sentence)
        self.auth = auth


class Unfit(Exception):
    """It cannot work as it is wanted; the sentence says what to change."""


@dataclass(frozen=True)
class Pace:
    """Seconds: between looks at a connection; without anything leaving; without an acknowledgement although
    bytes leave; until a connection counts as steady; for each step of the introduction."""

    check: float = 0.5
    stuck: float = 10.0
    silent: float = 20.0
    steady: float = 30.0
    step: float = STEP_SECONDS


@dataclass(frozen=True)
class Terms:
    """What a way is opened under: trust, patience, the bytes that may wait, and the wall clock."""

    context: ssl.SSLContext
    pace: Pace
    buffer: int
    now: Callable[[], datetime]

    def since(self, arrived: float) -> float:
        """Seconds since a frame arrived."""
        return max(self.now().timestamp() - arrived, 0.0)


@dataclass(slots=True)
class Tally:
    """What went out over all of a target's connections. `bytes` are payload."""

    frames: int = 0
    dropped: int = 0
    bytes: int = 0


class Way(Protocol):
    """One connection, opened by `ways.open_way`. `push` the backlog and what comes after it; `follow` it and
    `look` at it until it breaks; `close` it."""

    def push(self, frame: Frame) -> None:
        """A frame; counted as sent or as dropped. Never blocks and never raises."""
        ...

    def push_bundle(self, bundle: Bundle) -> None:
        """Several frames at once."""
        ...

    def ended(self) -> None:
        """The publisher is gone; what comes next begins with headers and a keyframe."""
        ...

    async def follow(self) -> str:
        """Wait until it breaks; the reason, in a sentence. Raises Refused or Unfit."""
        ...

    def look(self, now: float) -> str | None:
        """Called every now and then (`now`: the loop's clock); the reason to give it up, if there is one.

        Keeps `proven`, `acknowledged` and `delay` current.
        """
        ...

    @property
    def proven(self) -> bool:
        """The far end has accepted the feed and takes it."""
        ...

    @property
    def acknowledged(self) -> int:
        """Bytes the far end says it has."""
        ...

    def delay(self) -> tuple[float, Literal["sent", "acknowledged"]] | None:
        """Milliseconds from a frame's arrival until it was `sent` or `acknowledged`, and which of them."""
        ...

    async def close(self, *, polite: bool) -> None:
        """End it; `polite` says goodbye first. Harmless when it is over."""
        ...
