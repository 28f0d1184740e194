"""The current group of pictures of a feed: what a decoder that joins now must be given."""

from __future__ import annotations

from typing import Final

from restream.media import Frame, Kind

LONGEST_GOP: Final = 1000
LARGEST_GOP: Final = 64 << 20
"""Frames and bytes kept for joiners; a publisher that sends fewer keyframes makes them wait for the next."""


class Group:
    """`frames` begins with a keyframe and holds everything since, sound too; empty when it got too long."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.bytes = 0

    def add(self, frame: Frame) -> None:
        """One more frame, no header; a keyframe begins the next group."""
        frames = self.frames
        if frame.kind == Kind.VIDEO and frame.keyframe:
            frames.clear()
            self.bytes = 0
        elif not frames:
            return
        self.bytes += len(frame.payload)
        if len(frames) < LONGEST_GOP and self.bytes <= LARGEST_GOP:
            frames.append(frame)
        else:
            self.clear()  # a group without its beginning is of no use to anybody

    def clear(self) -> None:
        """Forget it: the next keyframe begins another."""
        self.frames.clear()
        self.bytes = 0
