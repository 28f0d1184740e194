"""Batches to fragments of an fMP4 file. Pure, but for the counting along one file.

Time in a file begins at 0 with the decoding of its first picture. Before each moof stands a `prft` box with
the wall clock, so that a file explains itself when its index is lost. Source: ISO/IEC 14496-12, 8.16.5.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from restream.hls.box import full
from restream.hls.boxes import NOT_SYNC, SYNC, VIDEO_ID, VIDEO_SCALE, Sample, fragment, initialisation
from restream.hls.pictures import DELIMITER
from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.record.batch import Batch
from restream.rtmp.codecs import opus_samples
from restream.rtmp.flv import audio_track, video_track

TICKS_PER_MS: Final = VIDEO_SCALE // 1000
AAC_SAMPLES: Final = 1024
RESYNC_FRAMES: Final = 2
"""RTMP's milliseconds jitter; sound is counted in samples until it is this many frames off."""
USUAL_FRAME_MS: Final = 33
LONGEST_PICTURE_MS: Final = 5000
"""A longer time to the next picture is a hole, and no picture is shown for it."""
LARGEST_SIDE: Final = 0xFFFF
NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""
WHEN_CAPTURED: Final = 24
"""prft flags: the clock is that of the moment the frame was received."""


class NotRecordable(ValueError):
    """A feed that fits into no file; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One fragment: its bytes, and what an index says of it. `media` and `lasts` are milliseconds."""

    data: bytes
    media: float
    lasts: float
    wall: float
    key: bool


class Assembler:
    """The fragments of one file, whose tracks never change. Raises NotRecordable, or BrokenTag."""

    def __init__(self, first: Batch) -> None:
        self.video: VideoTrack = video_track(first.video.body)
        self.audio: AudioTrack | None = audio_track(first.audio.body) if first.audio else None
        if not (0 < self.video.width <= LARGEST_SIDE and 0 < self.video.height <= LARGEST_SIDE):
            raise NotRecordable("the picture has no size that fits into a file.")
        if self.audio and not self.audio.rate:
            self.audio = None
        self.initialisation = initialisation(self.video, self.audio)
        self._headers = (first.video.body, first.audio.body if first.audio else None)
        self._begins = first.frames[0].dts
        self._number = 0
        self._video_time = 0
        self._sound_time: int | None = None

    def fits(self, batch: Batch) -> bool:
        """Whether a batch has this file's tracks."""
        return self._headers == (batch.video.body, batch.audio.body if batch.audio else None)

    def piece(self, batch: Batch) -> Piece | None:
        """The next fragment; None when nothing of the batch belongs into the file."""
        pictures = [frame for frame in batch.frames if frame.kind == Kind.VIDEO]
        sounds = [frame for frame in batch.frames if frame.kind == Kind.AUDIO] if self.audio else []
        begins, video = self._pictures(pictures, batch.until)
        sound_time, audio = self._sounds(sounds)
        if not video and not audio:
            return None
        self._number += 1
        rate = self.audio.rate if self.audio else VIDEO_SCALE
        media = begins / TICKS_PER_MS if video else sound_time * 1000 / rate
        lasts = sum(sample.duration for sample in video) / TICKS_PER_MS
        if not video:
            lasts = sum(sample.duration for sample in audio) * 1000 / rate
        data = _prft(batch.wall, media) + fragment(self._number, begins, video, sound_time, audio)
        return Piece(data, media, lasts, batch.wall, batch.keyframe)

    def _pictures(self, pictures: Sequence[Frame], until: int | None) -> tuple[int, list[Sample]]:
        if not pictures:
            return 0, []
        starts = [self._ticks(frame.dts) for frame in pictures]
        if until is None or until - pictures[-1].dts > LONGEST_PICTURE_MS:
            usual = pictures[-1].dts - pictures[-2].dts if len(pictures) > 1 else USUAL_FRAME_MS
            until = pictures[-1].dts + (usual or USUAL_FRAME_MS)
        starts.append(self._ticks(until))
        starts[0] = max(starts[0], self._video_time)
        for index in range(1, len(starts)):
            starts[index] = max(starts[index], starts[index - 1] + 1)
        self._video_time = starts[-1]
        samples = []
        for frame, start, following in zip(pictures, starts, starts[1:], strict=False):
            shown = self._ticks(frame.dts + frame.cts)
            flags = SYNC if frame.keyframe else NOT_SYNC
            # Never shown before it is decoded: ffmpeg moves all pictures, and not the sound, for one such.
            samples.append(Sample(self._coded(frame), following - start, flags, max(0, shown - start)))
        return starts[0], samples

    def _coded(self, picture: Frame) -> bytes:
        """The picture as a sample: AV1's temporal delimiter stays outside of MP4 files."""
        av1 = self.video.codec.startswith("av01")
        return picture.body.removeprefix(DELIMITER) if av1 else picture.body

    def _ticks(self, dts: int) -> int:
        return (dts - self._begins) * TICKS_PER_MS

    def _sounds(self, sounds: Sequence[Frame]) -> tuple[int, list[Sample]]:
        """Sound counted in samples. Time never goes back: frames too many are left out."""
        if not sounds or self.audio is None:
            return 0, []
        opus = self.audio.codec == "opus"
        rate, lengths = self.audio.rate, [opus_samples(s.body) if opus else AAC_SAMPLES for s in sounds]
        far = RESYNC_FRAMES * max(lengths)
        claimed = [(sound.dts - self._begins) * rate // 1000 for sound in sounds]
        earliest = 0 if self._sound_time is None else self._sound_time - far
        kept = next((index for index, time in enumerate(claimed) if time >= earliest), len(sounds))
        if kept == len(sounds):
            return 0, []
        begins = claimed[kept] if self._sound_time is None else self._sound_time
        if claimed[kept] - begins > far:
            begins = claimed[kept]
        samples = [Sample(sound.body, length) for sound, length in zip(sounds, lengths, strict=True)][kept:]
        self._sound_time = begins + sum(lengths[kept:])
        return begins, samples


def _prft(wall: float, media: float) -> bytes:
    """Producer reference time: NTP seconds as 32.32 fixed point, and the time in the file."""
    ntp = round((wall + NTP_EPOCH) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF
    content = struct.pack(">IQQ", VIDEO_ID, ntp, round(media * TICKS_PER_MS))
    return full(b"prft", 1, WHEN_CAPTURED, content)
