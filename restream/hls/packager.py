"""Frames to parts: a Reader that cuts a live into CMAF parts and segments, without ffmpeg.

A part is finished with the arrival of its last frame, not of the frame after it: the last frame's
duration is predicted, and the next part begins where this one said it ends, so that declared durations
never drift from the media. PART-TARGET is measured on the first frames, rounded to whole frames, and then
never changes, because players die of a change.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Final

from restream.hls.bell import Bell
from restream.hls.boxes import NOT_SYNC, SYNC, VIDEO_SCALE, Sample, fragment, initialisation
from restream.hls.timeline import Part, Segment, Timeline
from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.rtmp.codecs import opus_samples
from restream.rtmp.flv import audio_track, video_track

MEASURED_FRAMES: Final = 12
AAC_SAMPLES: Final = 1024
RESYNC_FRAMES: Final = 2
DELIMITER: Final = b"\x12\0"
"""An empty OBU that begins each AV1 picture in a byte stream."""
SLACK_MS: Final = 4
"""RTMP timestamps are whole milliseconds: ten frames of 33.3 ms may add up to 334."""
TICKS_PER_MS: Final = VIDEO_SCALE // 1000
JOINED_FRAMES: Final = 4
"""A part that begins less than this many frames after the one before is taken to follow it directly."""
SMOOTHING: Final = 1 / 16
LONGEST_FIRST_MS: Final = 10_000
"""A first segment without a second keyframe is cut here."""
ROUNDING_MS: Final = 450
"""EXTINF rounds to the nearest second, so a segment may be this much longer than TARGETDURATION."""
LARGEST_SIDE: Final = 0xFFFF
MOST_SOUNDS: Final = 1000
"""Audio frames kept for the next part, about twenty seconds; pictures may stop and sound go on for hours."""


class Packager:
    """Feeds a Timeline. `bell` rings, and `changed()` is called, after every change of the playlist."""

    def __init__(
        self,
        timeline: Timeline,
        part_ms: int,
        segment_ms: int,
        changed: Callable[[], None] | None = None,
    ) -> None:
        self.timeline = timeline
        self.bell = Bell()
        self.tracks: tuple[VideoTrack, AudioTrack | None] | None = None
        """What the newest segment holds; stays when the publisher goes."""
        self._part_ms = part_ms
        self._segment_ms = segment_ms
        self._changed = changed
        self._video: VideoTrack | None = None
        self._audio: AudioTrack | None = None
        self._measured = False
        self._frame_ms = 0.0
        self._waiting: list[Frame] = []
        self._pictures: list[Frame] = []
        self._sounds: list[Frame] = []
        self._last_dts = 0
        self._part_begins = 0
        self._video_time: int | None = None
        self._sound_time: int | None = None
        self._segment: Segment | None = None
        self._segment_began = 0
        self._segment_lasted: int | None = None
        self._wall_offset: float | None = None
        self._number = 0
        self._fresh = True

    @property
    def fps(self) -> float | None:
        """Pictures a second, None until measured."""
        return 1000 / self._frame_ms if self._frame_ms else None

    @property
    def segment_seconds(self) -> float:
        """How long segments are meant to be, seconds."""
        return self._segment_ms / 1000

    def push(self, frame: Frame) -> None:
        """A frame of the live."""
        if self.timeline.ended:
            return
        if frame.header:
            self._header(frame)
        elif frame.kind == Kind.VIDEO and self._video:
            self._note_wall(frame)
            if self._measured:
                self._picture(frame)
            else:
                self._measure(frame)
        elif frame.kind == Kind.AUDIO and self._audio and (self._segment or self._waiting):
            self._sounds.append(frame)
            if len(self._sounds) > MOST_SOUNDS:
                del self._sounds[: MOST_SOUNDS // 2]

    def ended(self) -> None:
        """The publisher is gone: finish what there is; the next one begins a discontinuity."""
        self._restart()
        self._video = self._audio = None

    def finish(self) -> None:
        """The show is over: ENDLIST."""
        if self.timeline.ended:
            return
        self.ended()
        self.timeline.ended = True
        self._advance()

    def _restart(self) -> None:
        self._close_part()
        self._close_segment()
        self._waiting.clear()
        self._pictures.clear()
        self._sounds.clear()
        self._measured = False
        self._video_time = self._sound_time = self._segment_lasted = self._wall_offset = None
        self._fresh = True

    def _header(self, frame: Frame) -> None:
        """A changed track, or a new one, needs a new initialisation section and so a new segment."""
        if frame.kind == Kind.VIDEO:
            video = video_track(frame.body)
            if self._video != video:
                self._restart()
            usable = 0 < video.width <= LARGEST_SIDE and 0 < video.height <= LARGEST_SIDE
            self._video = video if usable else None
        elif frame.kind == Kind.AUDIO:
            audio = audio_track(frame.body)
            if self._audio != audio and (self._segment or self._sounds):
                self._restart()
            self._audio = audio if audio.rate else None

    def _note_wall(self, frame: Frame) -> None:
        """The smallest (arrival - timestamp) seen before the first segment: the least delayed frame."""
        if self._segment is None:
            offset = frame.arrived - frame.dts / 1000
            self._wall_offset = offset if self._wall_offset is None else min(offset, self._wall_offset)

    def _measure(self, frame: Frame) -> None:
        """Hold a publisher's first frames back until their pace is known; the first one's is frozen."""
        if not self._waiting and not frame.keyframe:
            return
        self._waiting.append(frame)
        if len(self._waiting) < MEASURED_FRAMES:
            return
        deltas = [b.dts - a.dts for a, b in zip(self._waiting, self._waiting[1:], strict=False)]
        self._frame_ms = max(1.0, statistics.fmean(deltas))
        if self.timeline.part_target is None:
            frames = max(1, round(self._part_ms / self._frame_ms))
            self.timeline.part_target = math.ceil(frames * self._frame_ms + SLACK_MS) / 1000
        self._measured = True
        self._last_dts = self._waiting[0].dts
        waiting, self._waiting = self._waiting, []
        for held in waiting:
            self._picture(held)

    def _picture(self, frame: Frame) -> None:
        self._follow_pace(frame)
        if self._segment is None and not frame.keyframe:
            return  # nothing can be decoded before a keyframe
        if self._cuts_segment(frame):
            self._close_part(frame.dts)
            self._close_segment()
            self._open_segment(frame)
        elif self._pictures and self._would_end(frame.dts) > self._part_limit():
            self._close_part(frame.dts)
        if not self._pictures:
            self._part_begins = self._beginning(frame)
        self._pictures.append(frame)
        one_more = frame.dts + self._frame_ms
        if self._would_end(one_more) > self._part_limit():
            self._close_part()

    def _follow_pace(self, frame: Frame) -> None:
        """Let the frame duration follow a camera that changes its pace; a stall says nothing about it."""
        delta = frame.dts - self._last_dts
        self._last_dts = frame.dts
        if 0 < delta < 2 * self._part_ms:
            self._frame_ms += (delta - self._frame_ms) * SMOOTHING

    def _cuts_segment(self, frame: Frame) -> bool:
        """At the first keyframe past the wanted length, with half a frame of tolerance; or when it must."""
        if self._segment is None:
            return True
        lasted = frame.dts - self._segment_began
        if frame.keyframe and lasted >= self._segment_ms - self._frame_ms / 2:
            return True
        target = self.timeline.target_duration
        longest = LONGEST_FIRST_MS if target is None else target * 1000 + ROUNDING_MS
        if lasted + self._frame_ms <= longest:
            return False
        if not frame.keyframe:
            self.timeline.independent_segments = False
        return True

    def _would_end(self, dts: float) -> float:
        """How long the part would be (ms) with a frame at `dts`."""
        return dts + self._frame_ms - self._part_begins / TICKS_PER_MS

    def _part_limit(self) -> float:
        return (self.timeline.part_target or 0.0) * 1000

    def _beginning(self, frame: Frame) -> int:
        """Where the part begins (ticks): where the one before said it would end, but for real gaps."""
        claimed, expected = frame.dts * TICKS_PER_MS, self._video_time
        joined = JOINED_FRAMES * self._frame_ms * TICKS_PER_MS
        return claimed if expected is None or claimed - expected > joined else expected

    def _open_segment(self, frame: Frame) -> None:
        if self._video is None:
            return
        tracks = (self._video, self._audio)
        timeline = self.timeline
        before = timeline.segments[-1] if timeline.segments else None
        made = before.initialisation if before else timeline.first_number - 1
        if self.tracks != tracks or before is None:
            self.tracks = tracks
            made += 1
            timeline.initialisations[made] = initialisation(*tracks)
        wall = frame.dts / 1000 + (self._wall_offset or 0.0)
        if before:
            wall = max(wall, before.wall + before.seconds)  # a burst after a reconnect must not go back
        number = before.number + 1 if before else timeline.first_number
        self._segment = Segment(number, made, wall, discontinuity=self._fresh and before is not None)
        self._fresh = False
        self._segment_began = frame.dts
        timeline.segments.append(self._segment)

    def _close_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        if not segment.parts:
            self.timeline.segments.pop()
            return
        segment.closed = True
        self._segment_lasted = round(segment.seconds * 1000)
        if self.timeline.target_duration is None:
            wanted = math.ceil(self._segment_ms / 1000)
            self.timeline.target_duration = max(wanted, math.floor(segment.seconds + 0.5))
        self.timeline.trim()
        self._advance()

    def _close_part(self, until: int | None = None) -> None:
        """Publish the part; `until` is the next frame's time (ms) where that is known."""
        pictures, sounds = self._pictures, self._sounds
        if not pictures or self._segment is None:
            return
        self._pictures, self._sounds = [], []
        begins = self._part_begins
        predicted = pictures[-1].dts + self._frame_ms
        ends = round((predicted if until is None else until) * TICKS_PER_MS)
        video = self._video_samples(pictures, ends)
        lasted = sum(sample.duration for sample in video)
        self._video_time = begins + lasted
        sound_time, audio = self._audio_samples(sounds)
        self._number += 1
        data = fragment(self._number, begins, video, sound_time, audio)
        independent = any(picture.keyframe for picture in pictures)
        self._segment.parts.append(Part(data, lasted / VIDEO_SCALE, independent))
        self.timeline.rolls = self._segment_is_over(pictures[-1])
        self._advance()

    def _segment_is_over(self, last: Frame) -> bool:
        """Whether a keyframe is due next, going by the segment before; only a hint to players."""
        if self._segment_lasted is None:
            return False
        now = last.dts + self._frame_ms - self._segment_began
        return now > self._segment_lasted - self._frame_ms / 2

    def _video_samples(self, pictures: list[Frame], ends: int) -> list[Sample]:
        """Samples without a hole from the part's beginning to `ends`, never past PART-TARGET."""
        latest = self._part_begins + int(self._part_limit() * TICKS_PER_MS)
        starts = [self._part_begins]
        for picture in pictures[1:]:
            starts.append(max(picture.dts * TICKS_PER_MS, starts[-1] + 1))
        starts.append(max(min(ends, latest), starts[-1] + 1))
        samples = []
        for picture, start, following in zip(pictures, starts, starts[1:], strict=False):
            shown = (picture.dts + picture.cts) * TICKS_PER_MS
            offset = shown - start
            if picture.cts >= 0:
                offset = max(0, offset)  # never shown before it is decoded, by a millisecond's rounding
            flags = SYNC if picture.keyframe else NOT_SYNC
            samples.append(Sample(self._coded(picture), following - start, flags, offset))
        return samples

    def _coded(self, picture: Frame) -> bytes:
        """The picture as a sample: AV1's temporal delimiter stays outside of MP4 files."""
        av1 = self._video is not None and self._video.codec.startswith("av01")
        return picture.body.removeprefix(DELIMITER) if av1 else picture.body

    def _audio_samples(self, sounds: list[Frame]) -> tuple[int, list[Sample]]:
        """Audio time is counted in samples; RTMP's milliseconds only correct it when they are far off.

        Time never goes back: frames too many are left out.
        """
        if not sounds or self._audio is None:
            return 0, []
        rate, lengths = self._audio.rate, [self._audio_length(sound.body) for sound in sounds]
        far = RESYNC_FRAMES * max(lengths)
        claimed = [sound.dts * rate // 1000 for sound in sounds]
        begins = claimed[0] if self._sound_time is None else self._sound_time
        kept = next((index for index, time in enumerate(claimed) if begins - time <= far), len(sounds))
        if kept < len(sounds) and claimed[kept] - begins > far:
            begins = claimed[kept]
        samples = [Sample(sound.body, length) for sound, length in zip(sounds, lengths, strict=True)][kept:]
        self._sound_time = begins + sum(lengths[kept:])
        return begins, samples

    def _audio_length(self, body: bytes) -> int:
        """Samples in one audio frame: always the same in AAC, told by each packet in Opus."""
        opus = self._audio is not None and self._audio.codec == "opus"
        return opus_samples(body) if opus else AAC_SAMPLES

    def _advance(self) -> None:
        self.timeline.version += 1
        self.bell.ring()
        if self._changed:
            self._changed()
