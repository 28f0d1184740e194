"""The leader: a Reader that decides where a show is cut into parts and segments.

A part is over with the arrival of its last frame, not of the frame after it: the last frame's duration is
predicted, and the next part begins where this one was said to end, so that declared durations never drift
from the media. PART-TARGET is measured on the first frames, rounded to whole frames, and then never changes.
Pictures lead; a feed that has none is led by its sound.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from typing import Final

from restream.hls.cuts import TICKS_PER_MS, Cut, Followers, Plan, Terms
from restream.hls.silence import AAC_SAMPLES, OPUS_SAMPLES, frame_samples
from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.rtmp.flv import audio_track, video_track

MEASURED_FRAMES: Final = 12
SOUND_ALONE_MS: Final = 1000
"""Sound that comes this long without any picture leads."""
SLACK_MS: Final = 4
"""RTMP timestamps are whole milliseconds: ten frames of 33.3 ms may add up to 334."""
JOINED_FRAMES: Final = 4
"""A part that begins less than this many frames after the one before is taken to follow it directly."""
SMOOTHING: Final = 1 / 16
OTHER_PACE: Final = 0.02
"""Whole milliseconds let the measured pace waver by a part of this."""
LONGEST_FIRST_MS: Final = 10_000
"""A first segment without a second keyframe is cut here."""
ROUNDING_MS: Final = 450
"""EXTINF rounds to the nearest second, so a segment may be this much longer than TARGETDURATION."""
LARGEST_SIDE: Final = 0xFFFF
HOLD_BACK_PARTS: Final = 3
USUAL_SOUND: Final = ((AAC_SAMPLES, 44_100), (AAC_SAMPLES, 48_000), (OPUS_SAMPLES, 48_000))
"""(samples in a frame, rate) that a feed's sound may change to while PART-TARGET must stay."""
MOST_WAITING: Final = 1000


def audio_part_target(part_target: float, track: AudioTrack | None) -> float:
    """PART-TARGET (seconds) of sound: as many whole frames as can begin within a part of pictures."""
    kinds = (*USUAL_SOUND, (frame_samples(track), track.rate)) if track else USUAL_SOUND
    longest = max(math.ceil(part_target * rate / samples) * samples / rate for samples, rate in kinds)
    return math.ceil(longest * 1000) / 1000


LATE_SEGMENTS: Final = 5
LATE_SECONDS: Final = 0.5
"""A feed whose earliest frames have been later than this for so many segments is not merely held up."""


class Leader:
    """`number` is the media sequence number of the first segment. `part_ms` and `segment_ms` are wishes."""

    def __init__(
        self, number: int, part_ms: int, segment_ms: int, terms: Terms, followers: Followers
    ) -> None:
        self._next_number = number
        self._part_ms = part_ms
        self._segment_ms = segment_ms
        self._terms = terms
        self._followers = followers
        self._video: VideoTrack | None = None
        self._audio: AudioTrack | None = None
        self._over = False
        self._measured = False
        self._frame_ms = self._picture_ms = 0.0
        self._fps: float | None = None
        self._waiting: list[Frame] = []
        self._part: list[Frame] = []
        self._part_begins = 0
        self._part_ended: int | None = None
        self._last_dts = 0
        self._plan: Plan | None = None
        self._segment_began = 0
        self._segment_lasted: float | None = None
        self._wall_offset: float | None = None
        self._wall_ended = -math.inf
        self._least = math.inf
        self._lately: deque[float] = deque(maxlen=LATE_SEGMENTS)
        self._shift: int | None = None
        self._breaks = 0
        self._any = False
        self._fresh = True

    @property
    def fps(self) -> float | None:
        """Pictures a second of the newest feed that had any, None until measured.

        It is told in a playlist that caches keep, so it stays what it was until it is another pace.
        """
        now = 1000 / self._picture_ms if self._picture_ms else None
        if now and (self._fps is None or abs(now - self._fps) > OTHER_PACE * now):
            self._fps = now
        return self._fps

    def wish(self, part_ms: int, segment_ms: int) -> bool:
        """Other lengths; False, and of no effect, once the first frames were measured."""
        if self._terms.part_target is not None or self._terms.target_duration is not None:
            return False
        self._part_ms, self._segment_ms = part_ms, segment_ms
        return True

    def push(self, frame: Frame) -> None:
        """A frame of the live."""
        if self._over:
            return
        if frame.header:
            self._header(frame)
            return
        if frame.kind == Kind.AUDIO and self._audio:
            self._followers.sound(frame)
        leads = Kind.VIDEO if self._video else Kind.AUDIO
        if frame.kind == leads and (self._video or self._audio):
            self._note_wall(frame)
            if self._measured:
                self._beat(frame)
            else:
                self._measure(frame)

    def ended(self) -> None:
        """The publisher is gone: finish what there is; the next one begins a discontinuity."""
        self._restart()
        self._video = self._audio = None
        self._followers.tracks(None, None)

    def finish(self) -> None:
        """No more is cut, whatever comes."""
        self.ended()
        self._over = True

    def _restart(self) -> None:
        self._close_part()
        self._close_segment()
        self._waiting.clear()
        self._part.clear()
        self._measured = False
        self._part_ended = self._segment_lasted = self._wall_offset = self._shift = None
        self._least = math.inf
        self._lately.clear()
        self._fresh = True

    def _header(self, frame: Frame) -> None:
        """A changed track, or a new one, begins a new segment and a discontinuity."""
        if frame.kind == Kind.VIDEO:
            video: VideoTrack | None = video_track(frame.body)
            if video and not (0 < video.width <= LARGEST_SIDE and 0 < video.height <= LARGEST_SIDE):
                video = None
            if video != self._video:
                self._restart()
            self._video = video
        elif frame.kind == Kind.AUDIO:
            audio: AudioTrack | None = audio_track(frame.body)
            if audio and not audio.rate:
                audio = None
            if audio != self._audio and (self._plan or not self._video):
                self._restart()
            self._audio = audio
        self._followers.tracks(self._video, self._audio)

    def _note_wall(self, frame: Frame) -> None:
        """The smallest (arrival - timestamp) seen before the first segment: the least delayed frame."""
        offset = frame.arrived - frame.dts / 1000
        if self._plan is None:
            self._wall_offset = offset if self._wall_offset is None else min(offset, self._wall_offset)
        self._least = min(self._least, offset)

    def _follow_wall(self) -> None:
        """Dates go on with the media, unless the feed stays late: an encoder that is too slow for its own
        frames never catches up, and players would reckon with a delay that is not there."""
        self._lately.append(self._least)
        self._least = math.inf
        if self._wall_offset is not None and len(self._lately) == LATE_SEGMENTS:
            least = min(self._lately)
            if least - self._wall_offset > LATE_SECONDS:
                self._wall_offset = least

    def _measure(self, frame: Frame) -> None:
        """Hold a publisher's first frames back until their pace is known; the first one's is frozen."""
        if not self._waiting and not self._decodable(frame):
            return
        self._waiting.append(frame)
        waited = frame.dts - self._waiting[0].dts
        enough = self._video is not None or waited >= SOUND_ALONE_MS or len(self._waiting) > MOST_WAITING
        if len(self._waiting) < MEASURED_FRAMES or not enough:
            return
        deltas = [b.dts - a.dts for a, b in zip(self._waiting, self._waiting[1:], strict=False)]
        self._frame_ms = max(1.0, statistics.fmean(deltas))
        self._settle()
        self._measured = True
        self._last_dts = self._waiting[0].dts
        waiting, self._waiting = self._waiting, []
        for held in waiting:
            self._beat(held)

    def _settle(self) -> None:
        terms = self._terms
        if terms.part_target is None:
            frames = max(1, round(self._part_ms / self._frame_ms))
            terms.part_target = math.ceil(frames * self._frame_ms + SLACK_MS) / 1000
            largest = max(terms.part_target, audio_part_target(terms.part_target, self._audio))
            terms.hold_back = HOLD_BACK_PARTS * largest

    def _beat(self, frame: Frame) -> None:
        """A frame of the leading track."""
        self._follow_pace(frame)
        if self._plan is None and not self._decodable(frame):
            return  # nothing can be decoded before a keyframe
        if self._cuts_segment(frame):
            self._close_part(frame.dts)
            self._close_segment()
            self._open_segment(frame)
        elif self._part and self._would_end(frame.dts) > self._part_limit():
            self._close_part(frame.dts)
        if not self._part:
            self._part_begins = self._beginning(frame)
        self._part.append(frame)
        if frame.kind == Kind.VIDEO:
            self._followers.picture(frame)
        if self._would_end(frame.dts + self._frame_ms) > self._part_limit():
            self._close_part()

    def _decodable(self, frame: Frame) -> bool:
        return frame.keyframe or frame.kind == Kind.AUDIO

    def _follow_pace(self, frame: Frame) -> None:
        """Let the frame duration follow a camera that changes its pace; a stall says nothing about it."""
        delta = frame.dts - self._last_dts
        self._last_dts = frame.dts
        if 0 < delta < 2 * self._part_ms:
            self._frame_ms += (delta - self._frame_ms) * SMOOTHING
        if self._video:
            self._picture_ms = self._frame_ms

    def _cuts_segment(self, frame: Frame) -> bool:
        """At the first keyframe past the wanted length, with half a frame of tolerance; or when it must."""
        if self._plan is None:
            return True
        lasted = frame.dts - self._segment_began
        if self._decodable(frame) and lasted >= self._segment_ms - self._frame_ms / 2:
            return True
        target = self._terms.target_duration
        longest = LONGEST_FIRST_MS if target is None else target * 1000 + ROUNDING_MS
        return lasted + self._frame_ms > longest

    def _would_end(self, dts: float) -> float:
        """How long the part would be (ms) with a frame at `dts`."""
        return dts + self._frame_ms - self._part_begins / TICKS_PER_MS

    def _part_limit(self) -> float:
        return (self._terms.part_target or 0.0) * 1000

    def _beginning(self, frame: Frame) -> int:
        """Where the part begins (ticks): where the one before said it would end, but for real gaps."""
        claimed, expected = frame.dts * TICKS_PER_MS, self._part_ended
        joined = JOINED_FRAMES * self._frame_ms * TICKS_PER_MS
        return claimed if expected is None or claimed - expected > joined else expected

    def _open_segment(self, frame: Frame) -> None:
        if self._shift is None:
            self._shift = frame.cts * TICKS_PER_MS
        self._follow_wall()
        # A burst after a reconnect must not go back.
        wall = max(frame.dts / 1000 + (self._wall_offset or 0.0), self._wall_ended)
        discontinuity = self._fresh and self._any
        self._plan = Plan(
            number=self._next_number,
            leads="video" if frame.kind == Kind.VIDEO else "audio",
            wall=wall,
            begins=self._beginning(frame),
            shift=self._shift,
            key=(frame.dts + frame.cts) * TICKS_PER_MS,
            keyframe=self._decodable(frame),
            discontinuity=discontinuity,
            breaks=self._breaks + discontinuity,
        )
        self._segment_began = frame.dts

    def _close_segment(self) -> None:
        plan, self._plan = self._plan, None
        if plan is None or not plan.parts:
            return
        plan.closed = True
        seconds = ((self._part_ended or plan.begins) - plan.begins) / TICKS_PER_MS / 1000
        self._segment_lasted = round(seconds * 1000)
        self._wall_ended = plan.wall + seconds
        self._next_number = plan.number + 1
        if self._terms.target_duration is None:
            wanted = math.ceil(self._segment_ms / 1000)
            self._terms.target_duration = max(wanted, math.floor(seconds + 0.5))
        self._followers.closed(plan)

    def _close_part(self, until: int | None = None) -> None:
        """Cut; `until` is the next frame's time (ms) where that is known."""
        part, plan = self._part, self._plan
        if not part or plan is None:
            return
        self._part = []
        begins = self._part_begins
        predicted = part[-1].dts + self._frame_ms
        ends = round((predicted if until is None else until) * TICKS_PER_MS)
        ends = min(ends, begins + int(self._part_limit() * TICKS_PER_MS))
        self._part_ended = ends = max(ends, begins + len(part))
        if not plan.parts:
            self._breaks = plan.breaks
            self._any, self._fresh = True, False
        rolls = self._segment_is_over(part[-1])
        frame = round(self._frame_ms * TICKS_PER_MS)
        cut = Cut(plan, plan.parts, begins, ends, frame, rolls)
        plan.parts += 1
        self._followers.cut(cut)

    def _segment_is_over(self, last: Frame) -> bool:
        """Whether a keyframe is due next, going by the segment before; only a hint to players."""
        if self._segment_lasted is None:
            return False
        now = last.dts + self._frame_ms - self._segment_began
        return now > self._segment_lasted - self._frame_ms / 2
