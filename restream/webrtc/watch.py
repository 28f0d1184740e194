"""What of a show a viewer gets by WebRTC, or why none of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from restream.media import Frame, Kind
from restream.rtmp.flv import BrokenTag, video_track
from restream.targets.bundler import Feed

SOURCE: Final = "source"
H264: Final = "avc1."
TELLING: Final = 4
"""Pictures among which a B-frame would be. With fewer, an offset is taken for the sign of some."""


@dataclass(frozen=True)
class Rung:
    """A smaller rendition of the feed, in H.264 without B-frames, on the feed's timeline."""

    name: str
    feed: Feed


@dataclass(frozen=True)
class WatchFeed:
    """A show as WHEP sees it.

    `rung` is the largest rendition that is running, `hls_url` is named to those who cannot watch by WebRTC,
    and `most_viewers` is for each sender process (0 switches WHEP off).
    """

    live: Feed
    hls_url: str
    rung: Rung | None = None
    b_frames: bool = False
    most_viewers: int = 100


@dataclass(frozen=True)
class Choice:
    """The pictures to send. `profile` is H.264's (two bytes as hex)."""

    name: str
    feed: Feed
    profile: str


class NotWatchable(Exception):
    """Why there is nothing to watch by WebRTC, as a sentence. `later`: it is worth another try."""

    def __init__(self, status: HTTPStatus, sentence: str, *, later: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.later = later


def choose(watched: WatchFeed) -> Choice:
    """The feed itself where WebRTC can carry it, else the rung. Raises NotWatchable."""
    instead = f"Play {watched.hls_url} instead."
    if not watched.most_viewers:
        raise NotWatchable(HTTPStatus.FORBIDDEN, f"This show is not played by WebRTC. {instead}")
    frames = watched.live.backlog()
    codec = codec_of(frames)
    if codec is None:
        raise NotWatchable(HTTPStatus.CONFLICT, "Nothing is on the air yet. Try again soon.", later=True)
    reordered = watched.b_frames or has_b_frames(frames)
    if codec.startswith(H264) and not reordered:
        return Choice(SOURCE, watched.live, profile_of(codec))
    if watched.rung:
        found = codec_of(watched.rung.feed.backlog())
        if found is None:
            sentence = f"The rendition for WebRTC ({watched.rung.name}) has just begun. Try again soon."
            raise NotWatchable(HTTPStatus.CONFLICT, sentence, later=True)
        return Choice(watched.rung.name, watched.rung.feed, profile_of(found))
    if not codec.startswith(H264):
        raise NotWatchable(
            HTTPStatus.NOT_ACCEPTABLE,
            "WebRTC carries H.264 here, and the encoder sends another codec. Set the encoder to H.264, or"
            f" switch the ladder on. {instead}",
        )
    raise NotWatchable(
        HTTPStatus.NOT_ACCEPTABLE,
        "The feed has B-frames, which WebRTC cannot show. Turn them off in the encoder (0 B-frames, or tune"
        f" zerolatency), or switch the ladder on. {instead}",
    )


def codec_of(frames: Sequence[Frame]) -> str | None:
    """The video codec that the headers say (RFC 6381)."""
    header = next((frame for frame in frames if frame.kind is Kind.VIDEO and frame.header), None)
    if header is None:
        return None
    try:
        return video_track(header.body).codec
    except BrokenTag:
        return None


def profile_of(codec: str) -> str:
    """The profile and its constraints, from H.264's codec string."""
    return codec.removeprefix(H264)[:4].lower()


def has_b_frames(frames: Sequence[Frame]) -> bool:
    """Whether pictures come in another order than they are shown in, or may do so as far as can be seen."""
    order = Order()
    pictures = [frame for frame in frames if frame.kind is Kind.VIDEO and not frame.header]
    offsets = {frame.cts for frame in pictures}
    if len(pictures) < TELLING and any(offsets):
        return True
    return len(offsets) > 1 or any(order.broken_by(frame) for frame in pictures)


class Order:
    """Watches the order of pictures. A publisher's clock may jump back at a keyframe; that is no B-frame."""

    def __init__(self) -> None:
        self._newest: int | None = None

    def broken_by(self, frame: Frame) -> bool:
        """Whether this picture is shown before one that came earlier."""
        shown = frame.dts + frame.cts
        broken = self._newest is not None and shown < self._newest and not frame.keyframe
        self._newest = shown
        return broken
