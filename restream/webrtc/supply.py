"""Media for the sender processes: each picture and each packet of sound is cut into payloads once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Protocol

from restream.media import Frame, Kind
from restream.rtmp.codecs import is_av1, is_hevc, is_opus
from restream.targets.bundler import Feed
from restream.webrtc.channel import Unit, media
from restream.webrtc.opus import Opus
from restream.webrtc.packets import BrokenPicture, Parameters, picture
from restream.webrtc.watch import Order

OTHER_CODEC: Final = "The feed has changed to a codec that WebRTC does not carry here."
B_FRAMES: Final = "The feed has B-frames now, which WebRTC cannot show."


class Outlet(Protocol):
    """A sender process, as far as media goes."""

    def media(self, stream: int, data: bytes, *, keyframe: bool) -> None:
        """A message of that stream; dropped to the next keyframe when the process is too slow."""
        ...


class PictureSupply:
    """A Reader of a feed. `unfit` is called when WebRTC cannot go on with what comes."""

    def __init__(self, stream: int, feed: Feed, unfit: Callable[[str], None]) -> None:
        self.stream = stream
        self.feed = feed
        self._unfit = unfit
        self._outlets: set[Outlet] = set()
        self._cutter = _Cutter(stream)

    def add(self, outlet: Outlet) -> None:
        """One more process; it gets what joiners need at once."""
        if outlet in self._outlets:
            return
        if not self._outlets:
            self._outlets.add(outlet)
            self._cutter = _Cutter(self.stream)
            self.feed.attach(self)
            return
        cutter = _Cutter(self.stream)
        with contextlib.suppress(Unfit):  # the others are told so by the next frame
            for frame in self.feed.backlog():
                if unit := cutter.cut(frame):
                    outlet.media(self.stream, media(unit), keyframe=unit.keyframe)
        self._outlets.add(outlet)

    def remove(self, outlet: Outlet) -> None:
        """One less; harmless when it is gone."""
        self._outlets.discard(outlet)
        if not self._outlets:
            self.feed.detach(self)

    def push(self, frame: Frame) -> None:
        """A frame of the feed."""
        try:
            unit = self._cutter.cut(frame)
        except Unfit as error:
            # Not at once: whoever is told detaches us, and the feed is just going through its readers.
            asyncio.get_running_loop().call_soon(self._unfit, str(error))
            return
        if unit:
            data = media(unit)
            for outlet in self._outlets:
                outlet.media(self.stream, data, keyframe=unit.keyframe)

    def ended(self) -> None:
        """Viewers wait for what comes next."""


class Unfit(Exception):
    """WebRTC cannot carry this; the sentence says why."""


class _Cutter:
    """Frames to units, with the parameter sets that belong to them."""

    def __init__(self, stream: int) -> None:
        self._stream = stream
        self._parameters: Parameters | None = None
        self._order = Order()

    def cut(self, frame: Frame) -> Unit | None:
        """A unit, for a picture that can be sent. Raises Unfit."""
        if frame.kind is not Kind.VIDEO:
            return None
        if frame.header:
            self._configure(frame.body)
            return None
        if self._order.broken_by(frame):
            raise Unfit(B_FRAMES)
        if self._parameters is None:
            return None
        try:
            payloads = picture(frame.body, frame.keyframe, self._parameters)
        except BrokenPicture:
            return None
        at = frame.dts + frame.cts
        return Unit(self._stream, at, frame.arrived, frame.keyframe, tuple(payloads)) if payloads else None

    def _configure(self, config: bytes) -> None:
        if is_av1(config) or is_hevc(config):
            raise Unfit(OTHER_CODEC)
        self._order = Order()
        try:
            self._parameters = Parameters(config)
        except BrokenPicture:
            self._parameters = None


class SoundSupply:
    """A Reader of a show's sound: Opus as it is, AAC through a child that makes Opus of it."""

    def __init__(self, stream: int, slug: str, feed: Feed) -> None:
        self.stream = stream
        self._feed = feed
        self._outlets: set[Outlet] = set()
        self._opus = Opus(slug, self._sounded)
        self._copied = False
        self._joining = False

    def add(self, outlet: Outlet) -> None:
        """One more process."""
        if not self._outlets:
            self._joining = True
            self._feed.attach(self)
            self._joining = False
        self._outlets.add(outlet)

    def remove(self, outlet: Outlet) -> None:
        """One less; nothing is encoded for nobody."""
        self._outlets.discard(outlet)
        if not self._outlets:
            self._feed.detach(self)
            self._opus.end()

    async def close(self) -> None:
        """Wait for the child's end, after the last was removed."""
        await self._opus.ended()

    def push(self, frame: Frame) -> None:
        """A frame of the show."""
        if frame.kind is not Kind.AUDIO or (self._joining and not frame.header):
            return  # sound that was kept would be heard too late
        if frame.header:
            self._copied = is_opus(frame.body)
        if not self._copied:
            self._opus.push(frame)
        elif not frame.header:
            self._sounded(frame.dts, frame.body, frame.arrived)

    def ended(self) -> None:
        """Another track may come, with its header first."""
        self._opus.end()

    def _sounded(self, at: int, packet: bytes, arrived: float) -> None:
        data = media(Unit(self.stream, at, arrived, True, (packet,)))
        for outlet in self._outlets:
            outlet.media(self.stream, data, keyframe=True)
