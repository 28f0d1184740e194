"""The gate every publisher comes through, whatever protocol it speaks, and what it is fed into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from restream.media import Frame


@dataclass(frozen=True)
class PublishRequest:
    """Who wants to publish. `key` is verbatim, query and all; `slug` where the address names the show."""

    app: str
    key: str = field(repr=False)
    peer: str
    encoder: str
    protocol: Literal["rtmp", "srt", "whip", "source"] = "rtmp"
    slug: str | None = None


class PublishRefused(Exception):
    """The gate says no; `code` is an RTMP status code such as NetStream.Publish.BadName.

    RTMP has one code for a key that nobody has and for one that is in use; `taken` tells them apart.
    """

    def __init__(self, code: str, description: str, *, taken: bool = False) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.taken = taken


class Publisher(Protocol):
    """What an accepted publish is fed into."""

    def frame(self, frame: Frame) -> None:
        """A frame, in order. BrokenTag when it is a header that makes no sense."""
        ...

    def metadata(self, values: dict[str, object]) -> None:
        """onMetaData."""
        ...

    def closed(self, reason: str) -> None:
        """The publisher is gone; called once."""
        ...


class Gate(Protocol):
    """Decides who may publish."""

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        """Admit, or raise PublishRefused. `kick(reason)` cuts this connection later."""
        ...
