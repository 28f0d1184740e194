"""Frames to parts: a Reader that cuts a live into CMAF parts and segments, without ffmpeg.

A part is finished with the arrival of its last frame, not of the frame after it: the last frame's
duration is predicted from the one before. PART-TARGET is measured on the first frames, rounded to whole
frames, and then never changes, because players die of a change.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from typing import Final

from restream.hls.boxes import NOT_SYNC, SYNC, VIDEO_SCALE, Sample, fragment, initialisation
from restream.hls.timeline import Part, Segment, Timeline
from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.rtmp.flv import audio_track, video_track

MEASURED_FRAMES: Final = 12
AAC_SAMPLES: Final = 1024
RESYNC_FRAMES: Final = 2
SLACK_MS: Final = 4
"""RTMP timestamps are whole milliseconds: ten frames of 33.3 ms may add up to 334."""


class Packager:
    """Feeds a Timeline. `changed()` is called after every new part."""

    def __init__(
        self, timeline: Timeline, part_ms: int, segment_ms: int, changed: Callable[[], None]
    ) -> None:
        self._timeline = timeline
        self._part_ms = part_ms
        self._segment_ms = segment_ms
        self._changed = changed
        self._video: VideoTrack | None = None
        self._audio: AudioTrack | None = None
        self._configured: tuple[VideoTrack, AudioTrack | None] | None = None
        self._frame_ms = 33.3
        self._frames_per_part = 10
        self._waiting: list[Frame] = []
        self._pictures: list[Frame] = []
        self._sounds: list[Frame] = []
        self._sound_time: int | None = None
        self._segment: Segment | None = None
        self._segment_began = 0
        self._wall_offset: float | None = None
        self._number = 0
        self._fresh = True

    def push(self, frame: Frame) -> None:
        """A frame of the live."""
        if frame.header:
            self._header(frame)
        elif frame.kind == Kind.VIDEO and self._video:
            self._note_wall(frame)
            if self._timeline.part_target is None:
                self._measure(frame)
            else:
                self._picture(frame)
        elif frame.kind == Kind.AUDIO and self._audio and (self._segment or self._waiting):
            self._sounds.append(frame)

    def ended(self) -> None:
        """The publisher is gone: finish what there is; the next one begins a discontinuity."""
        self._close_part()
        self._close_segment()
        self._video = self._audio = None
        self._waiting.clear()
        self._pictures.clear()
        self._sounds.clear()
        self._sound_time = None
        self._wall_offset = None
        self._fresh = True

    def finish(self) -> None:
        """The show is over: ENDLIST."""
        self.ended()
        self._timeline.ended = True
        self._advance()

    def _header(self, frame: Frame) -> None:
        if frame.kind == Kind.VIDEO:
            track = video_track(frame.body)
            if self._video and self._video.config != track.config:
                self.ended()
            self._video = track
        else:
            sound = audio_track(frame.body)
            if self._audio and self._audio.config != sound.config and self._video:
                video = self._video
                self.ended()
                self._video = video
            self._audio = sound

    def _note_wall(self, frame: Frame) -> None:
        """The smallest (arrival − timestamp) seen before the first segment: the least delayed frame."""
        if self._segment is None:
            offset = frame.arrived - frame.dts / 1000
            self._wall_offset = min(offset, self._wall_offset or offset)

    def _measure(self, frame: Frame) -> None:
        """Hold the first frames back until their pace is known; then freeze PART-TARGET."""
        if not self._waiting and not frame.keyframe:
            return
        self._waiting.append(frame)
        if len(self._waiting) < MEASURED_FRAMES:
            return
        deltas = [b.dts - a.dts for a, b in zip(self._waiting, self._waiting[1:], strict=False)]
        self._frame_ms = max(1.0, statistics.fmean(deltas))
        self._frames_per_part = max(1, round(self._part_ms / self._frame_ms))
        longest = self._frames_per_part * self._frame_ms + SLACK_MS
        self._timeline.part_target = math.ceil(longest) / 1000
        waiting, self._waiting = self._waiting, []
        for held in waiting:
            self._picture(held)

    def _picture(self, frame: Frame) -> None:
        if frame.keyframe and self._segment_is_long_enough(frame):
            self._close_part()
            self._close_segment()
            self._open_segment(frame)
        elif self._segment is None:
            return  # nothing can be decoded before a keyframe
        elif self._would_be_too_long(frame):
            self._close_part()
        self._pictures.append(frame)
        if len(self._pictures) >= self._frames_per_part:
            self._close_part()

    def _segment_is_long_enough(self, frame: Frame) -> bool:
        """Cut at the first keyframe past the wanted length, with half a frame of tolerance."""
        if self._segment is None:
            return True
        return frame.dts - self._segment_began >= self._segment_ms - self._frame_ms / 2

    def _would_be_too_long(self, frame: Frame) -> bool:
        if not self._pictures or self._timeline.part_target is None:
            return False
        return frame.dts - self._pictures[0].dts + self._frame_ms > self._timeline.part_target * 1000

    def _open_segment(self, frame: Frame) -> None:
        if self._video is None:
            return
        tracks = (self._video, self._audio)
        timeline = self._timeline
        if self._configured != tracks:
            self._configured = tracks
            timeline.initialisations.append(initialisation(*tracks))
        number = timeline.segments[-1].number + 1 if timeline.segments else 0
        wall = frame.dts / 1000 + (self._wall_offset or 0.0)
        first_ever = not timeline.segments
        self._segment = Segment(
            number, len(timeline.initialisations) - 1, wall, discontinuity=self._fresh and not first_ever
        )
        self._fresh = False
        self._segment_began = frame.dts
        timeline.segments.append(self._segment)

    def _close_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        if not segment.parts:
            self._timeline.segments.pop()
            return
        segment.closed = True
        if self._timeline.target_duration is None:
            wanted = max(self._segment_ms / 1000, segment.seconds)
            self._timeline.target_duration = math.ceil(wanted)
        self._timeline.trim()
        self._advance()

    def _close_part(self) -> None:
        pictures, sounds = self._pictures, self._sounds
        if not pictures or self._segment is None:
            return
        self._pictures, self._sounds = [], []
        video = self._video_samples(pictures)
        seconds = sum(sample.duration for sample in video) / VIDEO_SCALE
        sound_time, audio = self._audio_samples(sounds)
        self._number += 1
        data = fragment(self._number, pictures[0].dts * VIDEO_SCALE // 1000, video, sound_time, audio)
        self._segment.parts.append(Part(data, seconds, pictures[0].keyframe))
        self._advance()

    def _video_samples(self, pictures: list[Frame]) -> list[Sample]:
        durations = [b.dts - a.dts for a, b in itertools.pairwise(pictures)]
        last = durations[-1] if durations else round(self._frame_ms)
        return [
            Sample(
                picture.body,
                max(1, duration) * VIDEO_SCALE // 1000,
                SYNC if picture.keyframe else NOT_SYNC,
                picture.cts * VIDEO_SCALE // 1000,
            )
            for picture, duration in zip(pictures, [*durations, last], strict=True)
        ]

    def _audio_samples(self, sounds: list[Frame]) -> tuple[int, list[Sample]]:
        """Audio time is counted in samples; RTMP's milliseconds only correct it when they are far off."""
        if not sounds or self._audio is None:
            return 0, []
        claimed = sounds[0].dts * self._audio.rate // 1000
        if self._sound_time is None or abs(claimed - self._sound_time) > RESYNC_FRAMES * AAC_SAMPLES:
            self._sound_time = claimed
        begins = self._sound_time
        self._sound_time += AAC_SAMPLES * len(sounds)
        return begins, [Sample(sound.body, AAC_SAMPLES) for sound in sounds]

    def _advance(self) -> None:
        self._timeline.version += 1
        self._changed()
