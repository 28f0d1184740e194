"""ISO BMFF boxes for CMAF: the initialisation section and one moof+mdat per part. Pure.

Sources: ISO/IEC 14496-12 (boxes), 23000-19 (CMAF).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from restream.hls.box import box, full
from restream.hls.entries import audio_entry, video_entry
from restream.media import AudioTrack, VideoTrack

VIDEO_SCALE: Final = 90_000
VIDEO_ID, AUDIO_ID = 1, 2
MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
SYNC, NOT_SYNC = 0x0200_0000, 0x0101_0000
"""Sample flags: depends on nothing / depends on others and is no sync sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One coded picture or audio frame; times in the track's scale."""

    data: bytes
    duration: int
    flags: int = SYNC
    offset: int = 0


def initialisation(video: VideoTrack | None, audio: AudioTrack | None) -> bytes:
    """ftyp and moov for at most one video and one audio track."""
    tracks, extends = [], []
    if video:
        tracks.append(_trak(VIDEO_ID, VIDEO_SCALE, video_entry(video), video.width, video.height))
        extends.append(_trex(VIDEO_ID))
    if audio:
        tracks.append(_trak(AUDIO_ID, audio.rate, audio_entry(audio), 0, 0))
        extends.append(_trex(AUDIO_ID))
    header = struct.pack(">IIIIIHH8x", 0, 0, 1000, 0, 0x10000, 0x100, 0) + MATRIX + bytes(24)
    moov = box(b"moov", full(b"mvhd", 0, 0, header, struct.pack(">I", 3)), *tracks, box(b"mvex", *extends))
    return box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6cmfcmp41") + moov


def fragment(
    number: int,
    video_time: int,
    video: Sequence[Sample],
    audio_time: int,
    audio: Sequence[Sample],
) -> bytes:
    """One moof+mdat. Times are the tracks' base decode times; an empty track is left out."""
    runs = [
        (track, time, samples)
        for track, time, samples in ((VIDEO_ID, video_time, video), (AUDIO_ID, audio_time, audio))
        if samples
    ]
    size = len(_moof(number, runs, [0] * len(runs)))
    offsets, at = [], size + 8
    for _, _, samples in runs:
        offsets.append(at)
        at += sum(len(sample.data) for sample in samples)
    media = [sample.data for _, _, samples in runs for sample in samples]
    return _moof(number, runs, offsets) + box(b"mdat", *media)


def _moof(number: int, runs: Sequence[tuple[int, int, Sequence[Sample]]], offsets: Sequence[int]) -> bytes:
    fragments = [
        box(
            b"traf",
            full(b"tfhd", 0, 0x02_0000, struct.pack(">I", track)),  # default-base-is-moof
            full(b"tfdt", 1, 0, struct.pack(">Q", time)),
            _trun(samples, offset),
        )
        for (track, time, samples), offset in zip(runs, offsets, strict=True)
    ]
    return box(b"moof", full(b"mfhd", 0, 0, struct.pack(">I", number)), *fragments)


def _trun(samples: Sequence[Sample], offset: int) -> bytes:
    rows = b"".join(struct.pack(">IIIi", s.duration, len(s.data), s.flags, s.offset) for s in samples)
    return full(b"trun", 1, 0xF01, struct.pack(">Ii", len(samples), offset), rows)


def _trak(track: int, scale: int, entry: bytes, width: int, height: int) -> bytes:
    video = width > 0
    volume = 0 if video else 0x100
    tkhd = struct.pack(">IIIII8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0) + MATRIX
    tkhd += struct.pack(">II", width << 16, height << 16)
    handler = struct.pack(">I4s12x", 0, b"vide" if video else b"soun")
    handler += b"video\0" if video else b"sound\0"
    media_header = full(b"vmhd", 0, 1, bytes(8)) if video else full(b"smhd", 0, 0, bytes(4))
    reference = full(b"dref", 0, 0, struct.pack(">I", 1), full(b"url ", 0, 1))
    table = box(
        b"stbl",
        full(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full(b"stts", 0, 0, bytes(4)),
        full(b"stsc", 0, 0, bytes(4)),
        full(b"stsz", 0, 0, bytes(8)),
        full(b"stco", 0, 0, bytes(4)),
    )
    return box(
        b"trak",
        full(b"tkhd", 0, 7, tkhd),
        box(
            b"mdia",
            full(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, scale, 0, 0x55C4, 0)),
            full(b"hdlr", 0, 0, handler),
            box(b"minf", media_header, box(b"dinf", reference), table),
        ),
    )


def _trex(track: int) -> bytes:
    return full(b"trex", 0, 0, struct.pack(">IIIII", track, 1, 0, 0, 0))
