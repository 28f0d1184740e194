"""What a receiver has got: frames in their order, their times, and whether they can be decoded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext

from restream.media import Frame, Kind


def media(frames: Sequence[Frame], kind: Kind) -> list[Frame]:
    """One track, without headers."""
    return [frame for frame in frames if frame.kind == kind and not frame.header]


def backward(frames: Sequence[Frame]) -> int:
    """How often a track steps back."""
    tracks = ([f.dts for f in frames if f.kind == kind] for kind in (Kind.VIDEO, Kind.AUDIO))
    return sum(b < a for times in tracks for a, b in pairwise(times))


def largest_gap(frames: Sequence[Frame]) -> int:
    """Milliseconds between two frames of one track."""
    return max((b.dts - a.dts for a, b in pairwise(frames)), default=0)


def decoded(frames: Sequence[Frame]) -> int:
    """How many pictures come out of a decoder that refuses whatever is broken."""
    context: VideoCodecContext | None = None
    count = 0
    for frame in [frame for frame in frames if frame.kind == Kind.VIDEO]:
        if frame.header:
            count += _out(context, None)
            context = _context(frame.body)
        else:
            assert context, "a picture before any header"
            count += _out(context, av.Packet(frame.body))
    return count + _out(context, None)


def _out(context: VideoCodecContext | None, packet: av.Packet[Any] | None) -> int:
    if context is None:
        return 0
    pictures = context.decode(packet)
    assert not any(picture.is_corrupt for picture in pictures)
    return len(pictures)


def _context(config: bytes) -> VideoCodecContext:
    context = av.CodecContext.create("h264", "r")
    assert isinstance(context, VideoCodecContext)
    context.extradata = config
    context.thread_count = 1
    context.options = {"err_detect": "explode"}
    return context
