"""An encoder that changes size, codec or sound in the middle of a show: players read on by the rules."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from restream.live import at_time
from restream.media import Frame, Kind
from tests.restream.hls.conformance import Watcher
from tests.restream.hls.feed import Shape, stream
from tests.restream.hls.parsing import parse
from tests.restream.hls.test_conformance import LARGE, LARGER, SMALL, Moments, Show
from tests.restream.rtmp.encodings import AV1_OPUS, HEVC_AAC, Encoding, frames, of

FPS, GOP = 30, 60
AAC_BODY, OPUS_BODY = b"s", b"\xfc"
"""Bodies nobody decodes. Opus says in its first byte how long it lasts: 20 ms here."""


@dataclass(frozen=True)
class Act:
    """What an encoder sends for a while: two headers, and how long a frame of sound lasts (ms)."""

    picture: Frame
    sound: Frame
    lasts: float = 1024 / 48
    body: bytes = AAC_BODY
    first_key: int = 0
    """Pictures before its first keyframe: who changes the sound only, does it in the middle of a group."""
    seconds: float = 60.0


def header(kind: Kind, shape: Shape) -> Frame:
    """Of H.264, or of AAC."""
    return next(frame for frame in stream(shape) if frame.header and frame.kind == kind)


def newer(kind: Kind, encoding: Encoding) -> Frame:
    """Of the other codecs."""
    return of(kind, frames(encoding), header=True)[0]


def performed(acts: Sequence[Act]) -> Iterator[Frame]:
    """One publisher's frames: time goes on, and whatever changes is told by its header first."""
    begins, before = 0, None
    for act in acts:
        for kind in ("picture", "sound"):
            told: Frame = getattr(act, kind)
            if before is None or told != getattr(before, kind):
                yield at_time(told, begins)
        yield from _performed(act, begins)
        begins, before = begins + round(act.seconds * 1000), act


def _performed(act: Act, begins: int) -> Iterator[Frame]:
    heard = itertools.count()
    sound = next(heard)
    for picture in range(round(act.seconds * FPS)):
        shown = picture * 1000 / FPS
        while sound * act.lasts <= shown:
            payload = act.sound.payload[:1] + b"\x01" + act.body
            yield Frame(Kind.AUDIO, begins + round(sound * act.lasts), payload, act.body, keyframe=True)
            sound = next(heard)
        key = picture % GOP == act.first_key
        body = b"key" if key else b"p"
        yield Frame(Kind.VIDEO, begins + round(shown), b"p" + body, body, keyframe=key)


AVC, WIDER = header(Kind.VIDEO, LARGE), header(Kind.VIDEO, LARGER)
AAC, SLOWER = header(Kind.AUDIO, LARGE), header(Kind.AUDIO, Shape(seconds=2, rate=44_100))
OPUS, HEVC, AV1 = newer(Kind.AUDIO, AV1_OPUS), newer(Kind.VIDEO, HEVC_AAC), newer(Kind.VIDEO, AV1_OPUS)
ACTS = (
    Act(AVC, AAC),
    Act(WIDER, AAC),
    Act(WIDER, SLOWER, lasts=1024 / 44.1, first_key=GOP // 2),
    Act(HEVC, SLOWER, lasts=1024 / 44.1),
    Act(AV1, OPUS, lasts=20.0, body=OPUS_BODY),
    Act(AVC, AAC),
)
PICTURES = (b"avc1", b"avc1", b"avc1", b"hvc1", b"av01", b"avc1")
SIZES = ((320, 180), (480, 270), (480, 270), (320, 180), (320, 180), (320, 180))
SOUNDS = (
    (b"mp4a", 48_000),
    (b"mp4a", 48_000),
    (b"mp4a", 44_100),
    (b"mp4a", 44_100),
    (b"Opus", 48_000),
    (b"mp4a", 48_000),
)


async def test_a_thousand_reloads_go_on_across_other_sizes_codecs_and_sounds() -> None:
    show, offered = Show(), list[list[str]]()
    show.rung("144p", SMALL, 120)

    async def watch() -> None:
        for name, most in (("source", 1), ("audio", 4), ("144p", 4)):
            show.watch(name, most)
        await show.settle()

    async def look() -> None:
        offered.append(await show.checker.look_at_index())

    moments: Moments = {60 * act + 30: look for act in range(len(ACTS))}
    moments[5] = watch
    await show.send(performed(ACTS), moments)
    show.studio.renditions.finish()
    await asyncio.gather(*show.watching.values())
    assert offered == [["source", "144p", "audio"]] * len(ACTS)
    source, audio, rung = (show.checker.watchers[name] for name in ("source", "audio", "144p"))
    for watcher in (source, audio, rung):
        assert watcher.reloads.count >= 1000
        assert watcher.gaps == 0
        assert list(watcher.fetched) == list(range(min(watcher.fetched), max(watcher.fetched) + 1))
        assert watcher.reloads.seen
        assert watcher.reloads.seen.segments[-1].discontinuities == len(ACTS) - 1
        assert watcher.reloads.seen.header["EXT-X-DISCONTINUITY-SEQUENCE"] != "0"
    assert show.checker.check_alignment() >= 300
    show.checker.check_dates()
    assert [kind for kind, _, _ in described(source)] == list(PICTURES)
    assert [size for _, size, _ in described(source)] == list(SIZES)
    assert [(kind, scale) for kind, _, scale in described(audio)] == list(SOUNDS)
    assert {kind for kind, _, _ in described(rung)} == {b"avc1"}
    assert sections(source) == [0, 1, 1, 2, 3, 4], "another initialisation section for another picture only"
    assert sections(audio) == [0, 0, 1, 1, 2, 3]
    assert sections(rung) == [0] * len(ACTS)


def stretches(watcher: Watcher) -> list[str]:
    """The address of the initialisation section between two discontinuities; it does not change there."""
    found: dict[int, set[str]] = {}
    for one in watcher.fetched.values():
        found.setdefault(one.segment.discontinuities, set()).add(one.segment.map)
    assert all(len(maps) == 1 for maps in found.values()), "another section without a discontinuity"
    return [maps.pop() for _, maps in sorted(found.items())]


def sections(watcher: Watcher) -> list[int]:
    """The same, each section by how many others came before it."""
    names = stretches(watcher)
    changes = (name != before for before, name in itertools.pairwise(names))
    return list(itertools.accumulate(changes, initial=0))


def described(watcher: Watcher) -> list[tuple[bytes, tuple[int, int], int]]:
    """Between two discontinuities: the kind of sample entry, width and height, and the track's scale."""
    found = []
    for name in stretches(watcher):
        _, moov = parse(watcher.initialisations[name])
        (trak,) = moov.all(b"trak")
        entry = trak.one(b"mdia", b"minf", b"stbl", b"stsd").content[8:]
        scale = int.from_bytes(trak.one(b"mdia", b"mdhd").content[12:16], "big")
        size = int.from_bytes(entry[32:34], "big"), int.from_bytes(entry[34:36], "big")
        found.append((entry[4:8], size, scale))
    return found
