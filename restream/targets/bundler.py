"""Frames travel to RTMP targets in bundles: one write for a few pictures and their sound, not one for each.

Most of what a target costs is the system call and the way to it, whatever the number of bytes. Platforms are
seconds behind anyway; the hundredth of a second that a frame waits for the next is not seen by anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from restream.media import Frame, Kind, Reader
from restream.targets.serialiser import serialised

HOLD_MS: Final = 60
"""Media time from the first to the last picture of a bundle: three pictures at 30 a second."""
MOST_HELD: Final = 24
"""Frames; sound alone is never later than this many (half a second at most)."""


class Bundle:
    """Frames that are written together; the first may be a keyframe, no other is. No headers, no metadata."""

    __slots__ = ("_bytes", "arrived", "frames", "keyframe", "size")

    def __init__(self, frames: Sequence[Frame]) -> None:
        first = frames[0]
        self.frames = frames
        self.keyframe = first.keyframe and first.kind is Kind.VIDEO
        self.size = sum(len(frame.payload) for frame in frames)
        self.arrived = frames[-1].arrived
        self._bytes: dict[int, bytes] = {}

    def chunks(self, chunk_size: int) -> bytes:
        """All of it as RTMP chunks, made once for each chunk size."""
        found = self._bytes.get(chunk_size)
        if found is None:
            pieces = [serialised(frame, chunk_size) for frame in self.frames]
            found = self._bytes[chunk_size] = b"".join(pieces)
        return found


class Member(Reader, Protocol):
    """A Reader that takes bundles too."""

    def push_bundle(self, bundle: Bundle) -> None:
        """Several frames at once; what `push` says holds for each."""
        ...


class Feed(Protocol):
    """Where frames come from: a live, or what an encoder makes of it."""

    def attach(self, reader: Reader) -> None:
        """Add a reader, which gets what a joiner needs at once."""
        ...

    def detach(self, reader: Reader) -> None:
        """Remove it."""
        ...

    def backlog(self) -> Sequence[Frame]:
        """What a joiner needs."""
        ...


class Bundler:
    """The one Reader of a feed for all of its targets. A `prompt` member gets each frame as it comes."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._members: list[Member] = []
        self._prompt: list[Member] = []
        self._held: list[Frame] = []

    def attach(self, member: Member, *, prompt: bool) -> None:
        """Add a member; it gets headers and the current group of pictures at once."""
        if not self._members and not self._prompt:
            self._feed.attach(self)
        for frame in self.backlog():
            member.push(frame)
        (self._prompt if prompt else self._members).append(member)

    def detach(self, member: Member) -> None:
        """Remove a member, with everything that came until now; harmless when it is gone."""
        self.flush()
        for members in (self._members, self._prompt):
            if member in members:
                members.remove(member)
        if not self._members and not self._prompt:
            self._feed.detach(self)

    def backlog(self) -> Sequence[Frame]:
        """What a joiner needs; nothing of it will come again in a bundle."""
        self.flush()
        return self._feed.backlog()

    def push(self, frame: Frame) -> None:
        """A frame of the feed."""
        for member in self._prompt:
            member.push(frame)
        if frame.header or frame.kind is Kind.DATA:
            self.flush()
            for member in self._members:
                member.push(frame)
            return
        picture = frame.kind is Kind.VIDEO
        if picture and frame.keyframe:
            self.flush()
        held = self._held
        held.append(frame)
        if (picture and frame.dts - held[0].dts >= HOLD_MS) or len(held) >= MOST_HELD:
            self.flush()

    def ended(self) -> None:
        """The publisher is gone."""
        self.flush()
        for member in (*self._members, *self._prompt):
            member.ended()

    def flush(self) -> None:
        """Send what is held; called too when the feed may have stalled."""
        if self._held:
            bundle = Bundle(self._held)
            self._held = []
            for member in self._members:
                member.push_bundle(bundle)
