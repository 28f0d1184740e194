"""A rendition of pictures: the feed itself, or a rung of the ladder."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from restream.hls.boxes import NOT_SYNC, SYNC, Sample, fragment, initialisation
from restream.hls.cuts import TICKS_PER_MS, Cut, Terms
from restream.hls.rendition import Rendition
from restream.hls.timeline import Part
from restream.media import Frame, Kind, VideoTrack
from restream.rtmp.flv import video_track

DELIMITER: Final = b"\x12\0"
"""An empty OBU that begins each AV1 picture in a byte stream."""
MOST_PICTURES: Final = 2000
"""Kept until they are cut: half a minute at the fastest."""


class Pictures(Rendition):
    """A Reader. The feed's own pictures (`fps` None) are all that came before a cut; a rung's are told by
    their time of presentation, which is that of the picture they were made from."""

    kind: Literal["video", "audio"] = "video"

    def __init__(
        self, name: str, terms: Terms, changed: Callable[[], None], fps: float | None = None
    ) -> None:
        super().__init__(name, terms, changed)
        self.measured: Callable[[], float | None] = lambda: fps
        self._follows = fps is not None
        self._track: VideoTrack | None = None
        self._shown: VideoTrack | None = None
        self._held: deque[tuple[Frame, VideoTrack]] = deque()

    @property
    def shown(self) -> VideoTrack | None:
        """What the newest segment holds."""
        return self._shown

    @property
    def height(self) -> int:
        """Of the picture, 0 before there is one."""
        return self._shown.height if self._shown else 0

    @property
    def fps(self) -> float | None:
        """Pictures a second."""
        return self.measured()

    def push(self, frame: Frame) -> None:
        """A header, or a picture in decoding order; sound is passed over."""
        if self.over or frame.kind != Kind.VIDEO:
            return
        if frame.header:
            track = video_track(frame.body)
            self.tune(track if track.width and track.height else None)
        elif self._track is not None:
            self._held.append((frame, self._track))
            if len(self._held) > MOST_PICTURES:
                self._held.clear()
            if self._follows:
                self.follow()

    def tune(self, track: VideoTrack | None) -> None:
        """How what comes from now on is coded; None: nothing comes."""
        self._track = track

    def ended(self) -> None:
        """The encoder is gone; another may go on."""
        self.tune(None)

    def reopen(self, fps: float) -> None:
        """A rung that was over, or whose encoder is another one now, goes on."""
        self._held.clear()
        self.tune(None)
        self.measured = lambda: fps
        self.over = False

    def _make(self, cut: Cut, *, final: bool) -> Part | None:
        if cut.plan.leads != "video":
            self._broken = cut.plan  # the feed has no pictures now
            return None
        if not self._follows:
            return self._part(cut, len(self._held), 0)
        if self._plan is not cut.plan and not self._begins(cut):
            return None
        count = self._belonging(cut)
        complete = count < len(self._held) or self._reaches(cut, count)
        if not complete and not (final and count):
            return None
        return self._part(cut, count, cut.plan.shift)

    def _begins(self, cut: Cut) -> bool:
        """Drop what is before a segment; whether its first picture is here. Breaks the segment when the rung
        has gone on without a keyframe at its beginning."""
        plan, held = cut.plan, self._held
        if not plan.keyframe:
            return bool(held) and self._plan is not None
        while held:
            frame, _ = held[0]
            if _shown(frame) >= plan.key + cut.frame:
                self._broken = plan
                return False
            if frame.keyframe and _shown(frame) > plan.key - cut.frame:
                return True
            held.popleft()
        return False

    def _belonging(self, cut: Cut) -> int:
        """How many of the pictures held belong to a part. A keyframe just before its end begins the next:
        the end was predicted, and keyframes are where segments begin."""
        ends = cut.ends + cut.plan.shift
        count = 0
        for frame, _ in self._held:
            shown = _shown(frame)
            if shown >= ends - cut.frame / 2 or (count and frame.keyframe and shown > ends - 2 * cut.frame):
                break
            count += 1
        return count

    def _reaches(self, cut: Cut, count: int) -> bool:
        """Whether the last picture, shown as long as usual, fills the part."""
        if not count:
            return False
        last = _shown(self._held[count - 1][0])
        return last + self._lasts(cut) >= cut.ends + cut.plan.shift - cut.frame / 2

    def _lasts(self, cut: Cut) -> float:
        fps = self.fps
        return 1000 / fps * TICKS_PER_MS if fps else cut.frame

    def _part(self, cut: Cut, count: int, shift: int) -> Part | None:
        """A part of the first `count` pictures; None, and the segment broken, if it could not be decoded."""
        taken = [self._held.popleft() for _ in range(count)]
        first = self._plan is not cut.plan
        track = taken[0][1] if taken and first else self._shown
        decodable = not first or not cut.plan.keyframe or (taken and taken[0][0].keyframe)
        if not taken or not decodable or any(one is not track and one != track for _, one in taken):
            self._broken = cut.plan
            return None
        self._shown = track
        frames = [frame for frame, _ in taken]
        samples = self._samples(frames, cut.begins + shift, cut.ends + shift)
        self._number += 1
        data = fragment(self._number, cut.begins + shift, samples, 0, ())
        media = sum(len(sample.data) for sample in samples)
        key = len(data) - media + len(samples[0].data) if frames[0].keyframe else 0
        lasts = (cut.ends - cut.begins) / TICKS_PER_MS / 1000
        return Part(data, lasts, any(frame.keyframe for frame in frames), key)

    def _samples(self, frames: list[Frame], begins: int, ends: int) -> list[Sample]:
        """Samples without a hole from the part's beginning to its end."""
        starts = [begins]
        for index, frame in enumerate(frames[1:], 1):
            claimed = _shown(frame) if self._follows else frame.dts * TICKS_PER_MS
            latest = ends - (len(frames) - index)
            starts.append(max(min(claimed, latest), starts[-1] + 1))
        starts.append(ends)
        samples = []
        for frame, start, following in zip(frames, starts, starts[1:], strict=False):
            offset = _shown(frame) - start
            if frame.cts >= 0:
                offset = max(0, offset)  # never shown before it is decoded, by a millisecond's rounding
            flags = SYNC if frame.keyframe else NOT_SYNC
            samples.append(Sample(self._coded(frame), following - start, flags, offset))
        return samples

    def _coded(self, frame: Frame) -> bytes:
        """The picture as a sample: AV1's temporal delimiter stays outside of MP4 files."""
        av1 = self._shown is not None and self._shown.codec.startswith("av01")
        return frame.body.removeprefix(DELIMITER) if av1 else frame.body

    def _skip(self, cut: Cut) -> None:
        """What is shown before the part's end; the feed's own pictures are never late."""
        ends = cut.ends + cut.plan.shift
        while self._held and (not self._follows or _shown(self._held[0][0]) < ends - cut.frame):
            self._held.popleft()

    def _initialisation(self) -> bytes:
        return initialisation(self._shown, None)

    def _target(self) -> float | None:
        return self.terms.part_target


def _shown(frame: Frame) -> int:
    """When it is presented, ticks."""
    return (frame.dts + frame.cts) * TICKS_PER_MS
