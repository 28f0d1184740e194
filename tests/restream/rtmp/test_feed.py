"""What an encoder may do in the middle of a publish, and what comes out of the server then."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest

from restream.media import Frame, Kind
from restream.rtmp import amf0, message
from restream.rtmp.feed import BROKEN_SECONDS, MOST_BROKEN_TAGS
from restream.rtmp.flv import video_track
from restream.rtmp.message import AUDIO, DATA, VIDEO, Message
from restream.rtmp.server import LARGEST_EARLY, MOST_EARLY, RtmpServer, serve
from tests.restream.encoder import ended, expected, publishing
from tests.restream.hls.feed import Shape, stream
from tests.restream.rtmp.encodings import fingerprints
from tests.restream.rtmp.peers import KEY, NotingGate, Peer, peer

PLAYPATH = ("-rtmp_app", "live", "-rtmp_playpath", KEY)
PICTURE = Message(VIDEO, 0, 1, b"\x17\x01\0\0\0picture")
BROKEN = Message(VIDEO, 0, 1, b"\x17")
CHUNK = 4096


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(gate: NotingGate, clock: Clock) -> AsyncIterator[RtmpServer]:
    running = await serve(gate, "127.0.0.1", 0, clock=clock)
    yield running
    await running.close()


@pytest.fixture
async def encoder(server: RtmpServer) -> AsyncIterator[Peer]:
    async with peer(server.port) as connected:
        yield connected


def times(frame: Frame) -> tuple[int, int, bool, bool]:
    """All that is known of a frame but its bytes."""
    return frame.dts, frame.cts, frame.keyframe, frame.header


def send(encoder: Peer, frames: list[Frame], later: int = 0) -> None:
    """Frames as they are, some milliseconds later."""
    encoder.send(message.u32(message.SET_CHUNK, CHUNK), 2, CHUNK)
    for frame in frames:
        encoder.send(Message(frame.kind, frame.dts + later, 1, frame.payload), 6, CHUNK)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(Shape(seconds=1, gop=30, bframes=3), id="b-frames"),
        pytest.param(Shape(seconds=1, gop=30, rate=44_100), id="44100"),
        pytest.param(Shape(seconds=1, gop=30, rate=48_000), id="48000"),
        pytest.param(Shape(seconds=1, gop=30, audio=False), id="video-only"),
    ],
)
async def test_real_streams_of_each_kind_arrive_frame_by_frame(
    shape: Shape, gate: NotingGate, server: RtmpServer
) -> None:
    """Times of decoding are the messages' own; what B-frames add to them stands in `cts`."""
    async with publishing(shape, f"rtmp://127.0.0.1:{server.port}/live", *PLAYPATH) as process:
        code, said = await ended(process)
    assert code == 0, said
    intake = await gate.intake()
    await intake.until(intake.over.is_set)
    for kind in Kind.VIDEO, Kind.AUDIO:
        got, sent = ([f for f in some if f.kind == kind] for some in (intake.frames, expected(shape)))
        assert [times(f) for f in got] == [times(f) for f in sent]
        assert [f.body for f in got] == [f.body for f in sent]
    pictures = [f for f in intake.frames if f.kind == Kind.VIDEO and not f.header]
    assert len(pictures) == 30
    shown = sorted(f.dts + f.cts for f in pictures)
    assert all(30 <= b - a <= 37 for a, b in itertools.pairwise(shown))
    assert any(f.cts for f in pictures) is (shape.bframes > 0)
    assert any(f.kind == Kind.AUDIO for f in intake.frames) is shape.audio


async def test_sound_that_begins_before_the_pictures_is_not_held_back(
    gate: NotingGate, encoder: Peer
) -> None:
    frames = stream(Shape(seconds=1, gop=30))
    sounds = [f for f in frames if f.kind == Kind.AUDIO]
    pictures = [f for f in frames if f.kind == Kind.VIDEO]
    await encoder.publish()
    intake = await gate.intake()
    send(encoder, sounds)
    await intake.until(lambda: len(intake.frames) == len(sounds))
    assert [f.body for f in intake.frames] == [f.body for f in sounds]
    later = sounds[-1].dts
    send(encoder, pictures, later)
    await intake.until(lambda: len(intake.frames) == len(sounds) + len(pictures))
    assert [(f.dts, f.body) for f in intake.frames[len(sounds) :]] == [
        (f.dts + later, f.body) for f in pictures
    ]


async def test_a_new_configuration_in_the_middle_is_a_header_in_its_place(
    gate: NotingGate, encoder: Peer
) -> None:
    small = [f for f in stream(Shape(seconds=1, gop=30)) if f.kind == Kind.VIDEO]
    large = [f for f in stream(Shape(seconds=1, gop=30, size="640x360")) if f.kind == Kind.VIDEO]
    await encoder.publish()
    intake = await gate.intake()
    send(encoder, small)
    send(encoder, large, 1000)
    await intake.until(lambda: len(intake.frames) == len(small) + len(large))
    places = [n for n, frame in enumerate(intake.frames) if frame.header]
    assert places == [0, len(small)]
    sizes = [video_track(intake.frames[n].body) for n in places]
    assert [(track.width, track.height) for track in sizes] == [(320, 180), (640, 360)]
    assert intake.frames[len(small)].dts >= 1000
    for got, sent in ((intake.frames[: len(small)], small), (intake.frames[len(small) :], large)):
        assert fingerprints("h264", got, Kind.VIDEO) == fingerprints("h264", sent, Kind.VIDEO)


async def test_times_go_on_past_the_wrap_of_the_32_bit_clock(gate: NotingGate, encoder: Peer) -> None:
    """After 49.7 days; encoders that count from the time of their machine wrap at any time."""
    begin = (1 << 32) - 500
    frames = [f for f in stream(Shape(seconds=1, gop=30)) if not f.header]
    await encoder.publish()
    intake = await gate.intake()
    encoder.send(message.u32(message.SET_CHUNK, CHUNK), 2, CHUNK)
    for frame in frames:
        time = (begin + frame.dts) & 0xFFFF_FFFF
        encoder.send(Message(frame.kind, time, 1, frame.payload), 6, CHUNK)
    await intake.until(lambda: len(intake.frames) == len(frames))
    assert [f.dts for f in intake.frames] == [begin + f.dts for f in frames]


async def test_media_that_does_not_wait_for_the_answer_is_kept_until_it_comes(
    gate: NotingGate, encoder: Peer
) -> None:
    """A keyframe longer than any command, in the very bytes that ask to publish."""
    frames = list(stream(Shape(seconds=1, gop=30, size="1280x720")))[:10]
    long = Message(VIDEO, 400, 1, b"\x17\x01\0\0\0" + bytes(300_000))
    meta = amf0.encode("@setDataFrame", "onMetaData") + amf0.encode_ecma_array({"encoder": "hasty"})
    gate.open.clear()
    await encoder.connect()
    encoder.say("publish", 2, None, KEY, "live", stream=1)
    encoder.send(Message(DATA, 0, 1, meta))
    send(encoder, frames)
    encoder.send(long, 6, CHUNK)
    await gate.asked.wait()
    gate.open.set()
    assert (await encoder.status())["code"] == "NetStream.Publish.Start"
    intake = await gate.intake()
    await intake.until(lambda: len(intake.frames) == len(frames) + 1)
    assert [f.payload for f in intake.frames] == [*(f.payload for f in frames), long.payload]
    assert intake.described == {"encoder": "hasty"}
    encoder.send(PICTURE, 6, CHUNK)
    await intake.until(lambda: len(intake.frames) == len(frames) + 2)


@pytest.mark.parametrize(
    ("size", "count"), [(LARGEST_EARLY // 4, 5), (10, MOST_EARLY + 1)], ids=["too many bytes", "too many"]
)
async def test_what_comes_before_the_answer_is_kept_up_to_a_limit(
    size: int, count: int, gate: NotingGate, encoder: Peer
) -> None:
    gate.open.clear()
    await encoder.connect()
    encoder.say("publish", 2, None, KEY, "live", stream=1)
    for _ in range(count):
        encoder.send(Message(VIDEO, 0, 1, b"\x17\x01\0\0\0" + bytes(size)))
    info = await encoder.status()
    assert info["code"] == "NetStream.Publish.Rejected"
    assert "before it was admitted" in str(info["description"])
    await encoder.left()
    gate.open.set()
    assert not gate.intakes


async def test_what_a_refused_encoder_sent_already_goes_nowhere(gate: NotingGate, encoder: Peer) -> None:
    await encoder.connect()
    encoder.say("publish", 2, None, "guess", "live", stream=1)
    for _ in range(50):
        encoder.send(PICTURE)
    assert (await encoder.status())["code"] == "NetStream.Publish.BadName"
    await encoder.left()
    assert not gate.intakes


async def test_broken_tags_are_forgiven_when_they_come_seldom(
    gate: NotingGate, encoder: Peer, clock: Clock
) -> None:
    await encoder.publish()
    intake = await gate.intake()
    for number in range(1, 3 * MOST_BROKEN_TAGS):
        encoder.send(BROKEN)
        encoder.send(PICTURE)
        await intake.until(lambda number=number: len(intake.frames) == number)  # type: ignore[misc]
        clock.now += BROKEN_SECONDS / (MOST_BROKEN_TAGS - 2)
    assert not intake.over.is_set()
    for _ in range(MOST_BROKEN_TAGS):
        encoder.send(BROKEN)
    info = await encoder.status()
    assert info["code"] == "NetStream.Publish.Rejected"
    assert "Too many broken" in str(info["description"])
    await intake.until(intake.over.is_set)


async def test_who_understands_it_is_asked_to_reconnect_and_served_until_then(
    gate: NotingGate, server: RtmpServer, encoder: Peer
) -> None:
    async with peer(server.port) as old, peer(server.port) as idle:
        await encoder.publish(capsEx=15.0)
        await old.publish()
        await idle.connect(capsEx=15.0)
        intake = await gate.intake(0)
        assert server.ask_reconnect("rtmp://other.example/live") == 1
        info = await encoder.status()
        assert encoder.seen[-1].stream == 0
        assert (info["level"], info["code"]) == ("status", "NetConnection.Connect.ReconnectRequest")
        assert info["tcUrl"] == "rtmp://other.example/live"
        assert server.ask_reconnect(None) == 1
        assert "tcUrl" not in await encoder.status()
        encoder.send(PICTURE)
        await intake.until(lambda: len(intake.frames) == 1)
        async with peer(server.port) as again:
            await again.publish(capsEx=15.0)
            assert server.ask_reconnect(None) == 2
            encoder.say("deleteStream", 9, None, 1.0)
            await intake.until(intake.over.is_set)
            assert server.ask_reconnect(None) == 1
        assert not any(found.payload.find(b"ReconnectRequest") > 0 for found in (*old.seen, *idle.seen))


async def test_what_is_supported_is_told_to_whoever_asks(server: RtmpServer, encoder: Peer) -> None:
    answer = await encoder.connect(fourCcList=["*"], videoFourCcInfoMap={"*": 4.0}, capsEx=1.0)
    (info,) = answer.arguments
    for said in (answer.target, info):
        assert isinstance(said, dict)
        assert said["videoFourCcInfoMap"] == {"avc1": 4.0, "hvc1": 4.0, "av01": 4.0}
        assert said["audioFourCcInfoMap"] == {"mp4a": 4.0, "Opus": 4.0}
        assert said["capsEx"] == 7.0
    async with peer(server.port) as old:
        answer = await old.connect()
        assert answer.target == {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}


async def test_a_codec_we_do_not_carry_is_refused_in_a_plain_sentence(
    gate: NotingGate, server: RtmpServer
) -> None:
    for kind, payload, word in ((VIDEO, b"\x90vp09config", "H.264"), (AUDIO, b"\x90fLaCconfig", "AAC")):
        async with peer(server.port) as other:
            await other.publish()
            other.send(Message(kind, 0, 1, payload))
            info = await other.status()
            assert info["code"] == "NetStream.Publish.Rejected"
            assert word in str(info["description"])
            await other.left()
