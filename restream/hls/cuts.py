"""Where a show is cut: what the leader decides and every rendition follows. Pure data.

Times are ticks of 90 kHz on the leader's decoding clock; adding `shift` gives the moment of presentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from restream.hls.boxes import VIDEO_SCALE
from restream.media import AudioTrack, Frame, VideoTrack

TICKS_PER_MS: Final = VIDEO_SCALE // 1000


@dataclass(slots=True, eq=False)
class Plan:
    """A segment. `number` is its media sequence number; `wall` the wall clock of its beginning, seconds."""

    number: int
    leads: Literal["video", "audio"]
    wall: float
    begins: int
    shift: int
    key: int
    """When its first frame is presented; that of a frame, while `begins` is where the part before ended."""
    keyframe: bool
    """It begins with a keyframe; without one it can only be watched by who has the segment before."""
    discontinuity: bool
    breaks: int
    """Discontinuities since the show began, its own included."""
    parts: int = 0
    """How many were cut so far."""
    closed: bool = False
    """There will be no more."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part: `index` in its segment, from `begins` to `ends`. `rolls`: it probably is the segment's last."""

    plan: Plan
    index: int
    begins: int
    ends: int
    frame: int
    """How long a frame of the leader lasts, ticks."""
    rolls: bool


@dataclass(slots=True)
class Terms:
    """What is settled once for all renditions of a show, because players die of a change. Seconds."""

    part_target: float | None = None
    """PART-TARGET of pictures: whole frames, with the slack that RTMP's milliseconds need."""
    hold_back: float | None = None
    """PART-HOLD-BACK: three times the largest PART-TARGET of any rendition."""
    target_duration: int | None = None


class Followers(Protocol):
    """Whom the leader leads."""

    def tracks(self, video: VideoTrack | None, audio: AudioTrack | None) -> None:
        """What the feed consists of from now on."""
        ...

    def picture(self, frame: Frame) -> None:
        """A picture that belongs to the part the next cut ends."""
        ...

    def sound(self, frame: Frame) -> None:
        """An audio frame, as it comes."""
        ...

    def cut(self, cut: Cut) -> None:
        """A part is over."""
        ...

    def closed(self, plan: Plan) -> None:
        """The segment of the last cut is over."""
        ...
