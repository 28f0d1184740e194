"""What one publisher really sends: rates, keyframes, gaps, and how its clock keeps up with ours.

Everything is measured over the last seconds, both of media time and of wall time. A frame's lateness is
its arrival minus its timestamp; the earliest frame is the zero, because no network delivers early.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from restream.health.codec import begins_at_idr, describe
from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.rtmp.flv import BrokenTag, audio_track, video_track

WINDOW: Final = 10.0
RECENT: Final = 2.0
"""Seconds that say how late the feed is now."""
MOST_UNREAD: Final = 128
"""Frames that wait until they are looked at: together they cost a third of what each would alone."""
MOST_KEPT: Final = 4000
"""Frames of a track in a window; only a clock that stands still has more."""
KEYFRAMES_KEPT: Final = 10
GAP: Final = 1.5
"""A picture later than this many frame durations after the one before means that one is missing."""
CLOCKS_APART: Final = 0.0001
"""An encoder's clock may run this much slower than ours without being late: 100 ppm, a bad quartz."""
FASTEST: Final = 1000.0
REORDERED_MS: Final = 2
"""Composition offsets that differ by more than rounding mean that pictures are reordered: B-frames."""


class Seen(NamedTuple):
    """One frame. `late` is arrival minus timestamp (ms), `missing` the pictures left out just before."""

    arrived: float
    dts: int
    size: int
    late: float
    cts: int = 0
    missing: int = 0


class Group(NamedTuple):
    """One finished group of pictures: milliseconds it lasted, bytes of video in it."""

    lasted: int
    size: int


@dataclass(frozen=True, slots=True)
class Measurements:
    """What is so now. None means: not known (yet). Milliseconds, kilobits a second, seconds as named."""

    seconds: float
    """Since the publisher's first message."""
    video_codec: str | None = None
    profile: str | None = None
    level: float | None = None
    width: int | None = None
    height: int | None = None
    audio_codec: str | None = None
    audio_rate: int | None = None
    audio_channels: int | None = None
    video_silent: float | None = None
    """Seconds since the last picture; None when there never was one."""
    audio_silent: float | None = None
    video_kbps: float = 0.0
    audio_kbps: float = 0.0
    arrival_kbps: float = 0.0
    """By our clock: what the connection really carried. The other two are by the encoder's clock."""
    typical_kbps: float | None = None
    peak_kbps: float | None = None
    variation: float | None = None
    """Standard deviation of the groups' bit rates as a share of their mean; under 0.15 is constant."""
    fps: float | None = None
    """Pictures a second, gaps included."""
    frame_rate: float | None = None
    """Pictures a second where none is missing."""
    declared_fps: float | None = None
    keyframe_seconds: float | None = None
    longest_keyframe_seconds: float | None = None
    shortest_keyframe_seconds: float | None = None
    open_gop: bool = False
    b_frames: bool = False
    frames_missing: int = 0
    """Since the publisher came."""
    missing_share: float = 0.0
    """Of the pictures of the window."""
    drift_ms: float | None = None
    """Sound later than picture (positive), by timestamps of what arrived together."""
    late_ms: float | None = None
    falling_behind: float | None = None
    """Milliseconds the feed gets later each second."""
    jitter_ms: float | None = None


class Meter:
    """Sees one publisher's frames (not a slate's). `clock` is the wall clock."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._reset()

    def _reset(self) -> None:
        self._unread: list[tuple[Frame, float]] = []
        self._since: float | None = None
        self._video: VideoTrack | None = None
        self._audio: AudioTrack | None = None
        self._declared_fps: float | None = None
        self._pictures: deque[Seen] = deque(maxlen=MOST_KEPT)
        self._sounds: deque[Seen] = deque(maxlen=MOST_KEPT)
        self._last_picture: float | None = None
        self._last_sound: float | None = None
        self._groups: deque[Group] = deque(maxlen=KEYFRAMES_KEPT)
        self._keyframe: Frame | None = None
        self._group_size = 0
        self._open_gop = self._open_before = False
        self._missing = 0
        self._frame_ms: float | None = None
        self._earliest: float | None = None
        self._earliest_at = 0.0
        self._typical_kbps: float | None = None

    @property
    def tracks(self) -> tuple[VideoTrack | None, AudioTrack | None]:
        """What the newest headers say."""
        self._read()
        return self._video, self._audio

    def push(self, frame: Frame) -> None:
        """One frame; looked at later, with its neighbours."""
        self._unread.append((frame, frame.arrived or self._clock()))
        if len(self._unread) >= MOST_UNREAD:
            self._read()

    def _read(self) -> None:
        unread, self._unread = self._unread, []
        for frame, arrived in unread:
            self._note(frame, arrived)

    def _note(self, frame: Frame, arrived: float) -> None:
        if self._since is None:
            self._since = arrived
        if frame.header:
            self._header(frame)
        elif frame.kind == Kind.VIDEO:
            self._picture(frame, arrived)
        elif frame.kind == Kind.AUDIO:
            self._last_sound = arrived
            self._sounds.append(Seen(arrived, frame.dts, len(frame.payload), self._late(arrived, frame.dts)))

    def metadata(self, values: dict[str, object]) -> None:
        """onMetaData: the frame rate it promises."""
        rate = values.get("framerate")
        if isinstance(rate, float) and 0 < rate <= FASTEST:
            self._declared_fps = rate

    def ended(self) -> None:
        """The publisher is gone; the next one is measured anew."""
        self._reset()

    def _header(self, frame: Frame) -> None:
        try:
            if frame.kind == Kind.VIDEO:
                self._video = video_track(frame.body)
            else:
                self._audio = audio_track(frame.body)
        except BrokenTag:
            return  # whoever reads headers for a living has complained already

    def _picture(self, frame: Frame, arrived: float) -> None:
        missing = self._missing_before(frame.dts)
        self._missing += missing
        if frame.keyframe:
            self._begin_group(frame)
        elif self._keyframe and frame.dts + frame.cts < self._keyframe.dts + self._keyframe.cts:
            self._open_gop = True  # shown before the keyframe it follows: it needs the group before
        self._group_size += len(frame.payload)
        self._last_picture = arrived
        late = self._late(arrived, frame.dts)
        self._pictures.append(Seen(arrived, frame.dts, len(frame.payload), late, frame.cts, missing))

    def _begin_group(self, frame: Frame) -> None:
        if self._keyframe:
            lasted = frame.dts - self._keyframe.dts
            if lasted > 0:
                self._groups.append(Group(lasted, self._group_size))
        self._group_size = 0
        self._keyframe = frame
        self._open_before = self._open_gop
        h264 = self._video is not None and self._video.codec.startswith("avc")
        self._open_gop = h264 and not begins_at_idr(frame.body)

    def _missing_before(self, dts: int) -> int:
        if not self._pictures or not self._frame_ms:
            return 0
        delta = dts - self._pictures[-1].dts
        return round(delta / self._frame_ms) - 1 if delta > GAP * self._frame_ms else 0

    def _late(self, arrived: float, dts: int) -> float:
        late = arrived * 1000 - dts
        if self._earliest is None or late < self._zero(arrived):
            self._earliest, self._earliest_at = late, arrived
        return late

    def _zero(self, now: float) -> float:
        """The lateness that counts as none."""
        return (self._earliest or 0.0) + max(0.0, now - self._earliest_at) * 1000 * CLOCKS_APART

    def measure(self, now: float) -> Measurements | None:
        """What is so at wall time `now`; None while nobody publishes. Meant to be asked once a second."""
        self._read()
        if self._since is None:
            return None
        for seen in (self._pictures, self._sounds):
            _trim(seen, now)
        pictures, sounds = self._pictures, self._sounds
        deltas = [after.dts - before.dts for before, after in zip(pictures, list(pictures)[1:], strict=False)]
        self._frame_ms = _frame_ms(deltas) or self._frame_ms
        missing = sum([picture.missing for picture in pictures])
        video_kbps = _kbps(pictures)
        self._learn(video_kbps, now)
        offsets = [picture.cts for picture in pictures]
        shown = describe(self._video.codec) if self._video else None
        heard = self._audio
        return Measurements(
            seconds=max(0.0, now - self._since),
            video_codec=shown.name if shown else None,
            profile=shown.profile if shown else None,
            level=shown.level if shown else None,
            width=self._video.width if self._video else None,
            height=self._video.height if self._video else None,
            audio_codec=describe(heard.codec).name if heard else None,
            audio_rate=heard.rate if heard else None,
            audio_channels=heard.channels if heard else None,
            video_silent=_since(self._last_picture, now),
            audio_silent=_since(self._last_sound, now),
            video_kbps=video_kbps,
            audio_kbps=_kbps(sounds),
            arrival_kbps=self._arrival_kbps(now),
            typical_kbps=self._typical_kbps,
            **self._group_figures(),
            fps=round(1000 * len(deltas) / sum(deltas), 2) if sum(deltas) else None,
            frame_rate=round(1000 / self._frame_ms, 2) if self._frame_ms else None,
            declared_fps=self._declared_fps,
            open_gop=self._open_gop or self._open_before,
            b_frames=bool(offsets) and max(offsets) - min(offsets) > REORDERED_MS,
            frames_missing=self._missing,
            missing_share=missing / (missing + len(pictures)) if pictures else 0.0,
            drift_ms=_drift(pictures, sounds),
            **self._lateness(now),
        )

    def _learn(self, kbps: float, now: float) -> None:
        """The usual bit rate, over about a minute; a collapse does not make itself usual."""
        if self._since is None or now - self._since < WINDOW / 2 or not kbps:
            return
        usual = self._typical_kbps
        if usual is None:
            self._typical_kbps = kbps
        elif kbps > usual / 4:
            self._typical_kbps = usual + (kbps - usual) / 60

    def _arrival_kbps(self, now: float) -> float:
        seen = [*self._pictures, *self._sounds]
        lasted = min(WINDOW, now - (self._since or now))
        return round(sum([one.size for one in seen]) * 8 / 1000 / lasted, 1) if lasted > 0 else 0.0

    def _group_figures(self) -> dict[str, float | None]:
        """Keyframe intervals (seconds) and the bit rates of whole groups of pictures."""
        lasted = [group.lasted / 1000 for group in self._groups]
        waiting = 0.0
        if self._keyframe and self._pictures:
            waiting = (self._pictures[-1].dts - self._keyframe.dts) / 1000
        usual = statistics.median(lasted) if lasted else None
        if waiting > (usual or 0.0) * 2 and waiting > WINDOW / 2:
            usual = waiting  # the one that does not end is the one that matters
        rates = [group.size * 8 / group.lasted for group in self._groups]
        return {
            "keyframe_seconds": usual,
            "longest_keyframe_seconds": max([*lasted, waiting]) if usual else None,
            "shortest_keyframe_seconds": min(lasted) if lasted else None,
            "peak_kbps": round(max(rates), 1) if rates else None,
            "variation": _variation(rates) if len(rates) > 3 else None,
        }

    def _lateness(self, now: float) -> dict[str, float | None]:
        """How late, how fast later, how unsteady. A feed that stopped gets later with every second."""
        seen = list(self._pictures or self._sounds)
        if not seen:
            return {}
        zero = self._zero(now)
        newest = max(track[-1].dts for track in (self._pictures, self._sounds) if track)
        recent = [one.late for one in seen if now - one.arrived <= RECENT]
        waiting = now * 1000 - newest - (self._frame_ms or 0.0)
        late = max(statistics.median(recent), waiting) if recent else waiting
        third = max(1, len(seen) // 3)
        first, last = seen[:third], seen[-third:]
        apart = _mean([one.arrived for one in last]) - _mean([one.arrived for one in first])
        grown = _mean([one.late for one in last]) - _mean([one.late for one in first])
        ordered = sorted([one.late for one in seen])
        return {
            "late_ms": round(max(0.0, late - zero), 1),
            "falling_behind": round(grown / apart, 1) if apart >= 1 else 0.0,
            "jitter_ms": round(ordered[len(ordered) * 95 // 100] - ordered[len(ordered) * 5 // 100], 1),
        }


def _since(moment: float | None, now: float) -> float | None:
    return None if moment is None else max(0.0, now - moment)


def _trim(seen: deque[Seen], now: float) -> None:
    """Forget what is older than the window by our clock or by the encoder's."""
    while seen and (now - seen[0].arrived > WINDOW or seen[-1].dts - seen[0].dts > WINDOW * 1000):
        seen.popleft()


def _frame_ms(deltas: Sequence[int]) -> float | None:
    """A frame's usual duration: the mean of the intervals that are not gaps; finer than milliseconds."""
    moving = [delta for delta in deltas if delta > 0]
    if len(moving) < 5:
        return None
    middle = statistics.median(moving)
    return _mean([delta for delta in moving if delta <= GAP * middle])


def _variation(values: Sequence[float]) -> float:
    """Standard deviation as a share of the mean; `statistics` would reckon with fractions."""
    mean = _mean(values)
    return math.sqrt(_mean([(value - mean) ** 2 for value in values])) / mean


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _kbps(seen: Sequence[Seen]) -> float:
    """By the encoder's clock. The last frame's duration is not known, so its bytes are left out."""
    span = seen[-1].dts - seen[0].dts if seen else 0
    return round((sum([one.size for one in seen]) - seen[-1].size) * 8 / span, 1) if span > 0 else 0.0


def _drift(pictures: Sequence[Seen], sounds: Sequence[Seen]) -> float | None:
    if len(pictures) < 5 or len(sounds) < 5:
        return None
    shown = statistics.median([one.late for one in pictures])
    heard = statistics.median([one.late for one in sounds])
    return round(shown - heard, 1)
