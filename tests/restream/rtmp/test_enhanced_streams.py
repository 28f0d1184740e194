"""Real HEVC, AV1 and Opus through the server, a relay and the packager: what decodes is what was encoded."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator

import pytest
from av.audio.frame import AudioFrame

from restream.hls.renditions import Renditions
from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.rtmp.address import parse
from restream.rtmp.client import RtmpClient, publish
from restream.rtmp.server import RtmpServer, serve
from restream.targets.serialiser import Serialiser
from tests.restream.encoder import ended, ffmpeg
from tests.restream.hls.parsing import runs
from tests.restream.rtmp.encodings import (
    AV1_OPUS,
    HEVC_AAC,
    Encoding,
    decoded,
    fingerprint,
    fingerprints,
    frames,
    of,
    recorded,
)
from tests.restream.rtmp.peers import KEY, Intake, NotingGate

ENCODINGS = [pytest.param(HEVC_AAC, id="hevc-aac"), pytest.param(AV1_OPUS, id="av1-opus")]
PLAYPATH = ("-rtmp_app", "live", "-rtmp_playpath", KEY)


@pytest.fixture
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
async def server(gate: NotingGate) -> AsyncIterator[RtmpServer]:
    running = await serve(gate, "127.0.0.1", 0)
    yield running
    await running.close()


async def published(encoding: Encoding, server: RtmpServer, gate: NotingGate) -> Intake:
    """Everything ffmpeg had to send of an encoding, through the server."""
    with tempfile.NamedTemporaryFile(suffix=".flv") as file:
        file.write(recorded(encoding))
        file.flush()
        address = f"rtmp://127.0.0.1:{server.port}/live"
        options = ["-c", "copy", "-f", "flv", "-rtmp_enhanced_codecs", "hvc1,av01,Opus", *PLAYPATH]
        async with ffmpeg("-i", file.name, *options, address) as process:
            code, said = await ended(process)
    assert code == 0, said
    intake = await gate.intake()
    await intake.until(intake.over.is_set)
    return intake


def same_media(got: list[Frame], encoding: Encoding) -> None:
    """Every frame as it was encoded, and as it decodes."""
    wanted = list(frames(encoding))
    for kind in (Kind.VIDEO, Kind.AUDIO):
        for header in (True, False):
            assert [(f.cts, f.keyframe, f.body) for f in of(kind, got, header=header)] == [
                (f.cts, f.keyframe, f.body) for f in of(kind, wanted, header=header)
            ]
    pictures = fingerprints(encoding.video_decoder, got, Kind.VIDEO)
    assert len(pictures) == round(encoding.seconds * 30)
    assert pictures == fingerprints(encoding.video_decoder, wanted, Kind.VIDEO)
    sounds = fingerprints(encoding.audio_decoder, got, Kind.AUDIO)
    assert len(sounds) > 100
    assert sounds == fingerprints(encoding.audio_decoder, wanted, Kind.AUDIO)


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_what_ffmpeg_publishes_decodes_behind_the_server_and_behind_a_relay(
    encoding: Encoding, gate: NotingGate, server: RtmpServer
) -> None:
    intake = await published(encoding, server, gate)
    same_media(intake.frames, encoding)
    client = await publish(parse(f"rtmp://127.0.0.1:{server.port}/live", KEY), chunk_size=4096)
    await relay(client, intake.frames)
    far = await gate.intake(1)
    await far.until(far.over.is_set)
    assert [(f.kind, f.dts, f.payload) for f in far.frames] == [
        (f.kind, f.dts, f.payload) for f in intake.frames
    ]
    same_media(far.frames, encoding)


async def relay(client: RtmpClient, sent: list[Frame]) -> None:
    """As a target does it."""
    serialiser = Serialiser()
    following = asyncio.create_task(client.follow())
    for frame in sent:
        client.write(serialiser.chunks(frame, client.chunk_size))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await client.close(polite=True)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_the_packager_makes_of_it_decodes_to_the_same_pictures(encoding: Encoding) -> None:
    renditions = Renditions(0, 333, 1000)
    sent = list(frames(encoding))
    for frame in sent:
        renditions.leader.push(frame)
    renditions.finish()
    source, sound = renditions.current()
    video, audio = source.shown, sound.shown
    assert isinstance(video, VideoTrack)
    assert (video.width, video.height) == (320, 180)
    assert video.codec.startswith({"hevc": "hvc1.", "libdav1d": "av01."}[encoding.video_decoder])
    assert isinstance(audio, AudioTrack)
    assert audio.codec == {"aac": "mp4a.40.2", "opus": "opus"}[encoding.audio_decoder]
    shown, heard_parts = (
        [part.data for segment in one.timeline.segments for part in segment.parts] for one in (source, sound)
    )
    whole = source.timeline.initialisations[0] + b"".join(shown)
    pictures = [fingerprint(found) for found in decoded(whole, Kind.VIDEO)]
    assert pictures == fingerprints(encoding.video_decoder, sent, Kind.VIDEO)
    whole = sound.timeline.initialisations[0] + b"".join(heard_parts)
    heard = sum(found.samples for found in decoded(whole, Kind.AUDIO) if isinstance(found, AudioFrame))
    assert heard / audio.rate == pytest.approx(encoding.seconds, abs=0.2)
    lasted = sum(sum(run.durations) for part in heard_parts for run in runs(part))
    assert lasted / audio.rate == pytest.approx(encoding.seconds, abs=0.1)
