"""Encoded media for whoever wants it: one timeline, whatever happens to the encoder behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from restream.continuity.group import Group
from restream.media import Frame, Kind, Reader


class Distribution:
    """Readers attach to it like to a live; it is itself a Reader of an encoder's distribution.

    Timestamps are the feed's own and never go back: after an interruption, what was sent already is left
    out up to the first keyframe behind it.
    """

    def __init__(self) -> None:
        self.newest = -1
        self._readers: list[Reader] = []
        self._metadata: Frame | None = None
        self._headers: dict[Kind, Frame] = {}
        self._group = Group()
        self._last: dict[Kind, int] = {}
        self._resuming = True

    def attach(self, reader: Reader) -> None:
        """Add a reader; it gets headers and the current group of pictures at once."""
        for frame in self.backlog():
            reader.push(frame)
        self._readers.append(reader)

    def detach(self, reader: Reader) -> None:
        """Remove a reader; harmless when it is gone."""
        if reader in self._readers:
            self._readers.remove(reader)

    def backlog(self) -> Sequence[Frame]:
        """Metadata and headers (at the group's time) and the frames since the keyframe."""
        group = self._group.frames
        first = group[0].dts if group else max(self.newest, 0)
        opening = [frame for frame in (self._metadata, *self._headers.values()) if frame]
        return [*(_moved(frame, first) for frame in opening), *group]

    def push(self, frame: Frame) -> None:
        """A frame of the encoder, to everybody."""
        if frame.kind == Kind.DATA or frame.header:
            frame = _moved(frame, max(frame.dts, self.newest, 0))
            if frame.header:
                self._headers[frame.kind] = frame
            else:
                self._metadata = frame
        elif not self._take(frame):
            return
        for reader in self._readers:
            reader.push(frame)

    def ended(self) -> None:
        """The encoder stopped; another may go on, with headers first."""
        if self._resuming and not self._headers:
            return
        self._resuming = True
        self._headers.clear()
        self._group.clear()
        self._metadata = None
        for reader in self._readers:
            reader.ended()

    def _take(self, frame: Frame) -> bool:
        """Keep a frame for joiners; False for one that has to be left out."""
        if self._resuming:
            if frame.kind != Kind.VIDEO or not frame.keyframe or frame.dts <= self.newest:
                return False
            self._resuming = False
        if frame.dts < self._last.get(frame.kind, -1):
            return False
        self._last[frame.kind] = frame.dts
        self.newest = max(self.newest, frame.dts)
        self._group.add(frame)
        return True


def _moved(frame: Frame, dts: int) -> Frame:
    return frame if frame.dts == dts else replace(frame, dts=dts)
