"""RTP packets, their order and their clocks; H.264 out of them. No network."""

from __future__ import annotations

import contextlib
import itertools
import random
import struct
from dataclasses import replace

import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, unpack_remb_fci
from aiortc.rtp import RtpPacket as Reference
from hypothesis import given, settings
from hypothesis import strategies as st

from restream.encode.pipe import Feeder, read_into
from restream.gate import PublishRequest
from restream.ingest import rtp
from restream.ingest.h264 import IDR, PPS, SPS, Depacketiser, Picture, Writer
from restream.ingest.rtp import WAIT, BrokenRtp, Packet, Reception, Sequencer, Unwrapper
from restream.ingest.whip_media import OPUS_HEADER, Line, Track, converter
from restream.media import Frame, Kind
from restream.rtmp.flv import video_frame, video_track
from restream.webrtc.sdp import Section
from tests.restream.hls.feed import Shape, pictures, stream
from tests.restream.ingest.studio import Intake

CONFIG = bytes([0x67, 0x42, 0xC0, 0x1F, 1, 2, 3])
SHAPE = Shape(seconds=1, gop=10, audio=False)


def packet(number: int, payload: bytes = b"x", timestamp: int = 0, *, marker: bool = False) -> Packet:
    return Packet(96, marker, number & 0xFFFF, timestamp, 1, payload)


def numbers(found: list[Packet | None]) -> list[int | None]:
    return [one.sequence if one else None for one in found]


@given(
    st.integers(0, 127),
    st.booleans(),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=1, max_size=50),
    st.integers(0, 5),
    st.lists(st.integers(0, 2**32 - 1), max_size=5),
)
def test_a_packet_is_read_as_aiortc_writes_it(
    kind: int,
    marker: bool,
    sequence: int,
    timestamp: int,
    source: int,
    payload: bytes,
    padding: int,
    others: list[int],
) -> None:
    made = Reference(kind, int(marker), sequence, timestamp, source, payload)
    made.padding_size, made.csrc = padding, others
    assert rtp.parse(made.serialize()) == Packet(kind, marker, sequence, timestamp, source, payload)


def test_the_send_time_is_found_among_extensions() -> None:
    head = struct.pack(">BBHII", 0x90, 96, 7, 8, 9)
    extensions = bytes([0x10, 5, 0, 0x32, 1, 2, 3, 0])
    data = head + struct.pack(">HH", 0xBEDE, 2) + extensions + b"payload"
    assert rtp.parse(data, 3).send_time == 0x010203
    assert rtp.parse(data, 4).send_time is None
    assert rtp.parse(data).send_time is None
    assert rtp.parse(data, 3).payload == b"payload"


@given(st.binary(max_size=80))
def test_junk_never_crashes(junk: bytes) -> None:
    with contextlib.suppress(BrokenRtp):
        assert isinstance(rtp.parse(junk, 3).payload, bytes)
    assert isinstance(rtp.sender_reports(junk), list)
    depacketiser, writer = Depacketiser(), Writer()
    for number in range(3):
        for picture in depacketiser.push(packet(number, junk, marker=number == 1)):
            writer.write(picture)


@given(st.integers(0, 65535), st.permutations(range(12)), st.sets(st.integers(1, 11), max_size=4))
def test_packets_come_out_in_order_once_and_holes_are_named(
    start: int, order: list[int], lost: set[int]
) -> None:
    order = [0, *(one for one in order if one)]  # the first to come is the first
    sequencer, out = Sequencer(), list[int | None]()
    now = 0.0
    for step in order:
        if step not in lost:
            out += numbers(sequencer.push(packet(start + step), now))
            out += numbers(sequencer.push(packet(start + step), now))  # twice
            now += 0.001
    for step in (12, 13, 14):
        now += WAIT + 0.01
        out += numbers(sequencer.push(packet(start + step), now))
    wanted = [(start + step) & 0xFFFF for step in range(15) if step not in lost]
    assert [one for one in out if one is not None] == wanted
    assert (None in out) == bool(lost)
    assert sequencer.lost == len(lost)
    assert sequencer.expected == 15


def test_what_is_missing_is_asked_for_again_and_again_until_it_is_given_up() -> None:
    sequencer = Sequencer()
    sequencer.push(packet(1), 0.0)
    assert sequencer.push(packet(4), 1.0) == []
    assert sequencer.asked_again(1.0) == [2, 3]
    assert sequencer.asked_again(1.01) == []
    assert sequencer.push(packet(3), 1.02) == []
    assert sequencer.asked_again(1.07) == [2]
    assert numbers(sequencer.push(packet(5), 1.0 + WAIT)) == [None, 3, 4, 5]
    assert sequencer.asked_again(2.0) == []


def test_a_far_jump_is_a_new_beginning_and_the_memory_is_bounded() -> None:
    sequencer = Sequencer()
    sequencer.push(packet(1), 0.0)
    assert numbers(sequencer.push(packet(20_000), 0.0)) == [None, 20_000]
    for number in range(20_002, 20_002 + 2 * rtp.MOST_HELD, 2):
        sequencer.push(packet(number), 0.0)
    assert len(sequencer._held) <= rtp.MOST_HELD
    assert len(sequencer._missing) <= rtp.LARGEST_JUMP


@given(st.lists(st.integers(-30_000, 30_000), max_size=30))
def test_numbers_go_on_over_their_end(steps: list[int]) -> None:
    unwrapper, wanted = Unwrapper(16), 5
    assert unwrapper.unwrap(5) == 5
    for step in steps:
        wanted += step
        assert unwrapper.unwrap(wanted & 0xFFFF) == wanted


def test_rtcp_is_what_aiortc_understands() -> None:
    (lost,) = RtcpPacket.parse(rtp.missing(1, 2, [7, 9, 24, 65535, 0]))
    assert isinstance(lost, RtcpRtpfbPacket)
    assert (lost.ssrc, lost.media_ssrc, sorted(one % 65536 for one in lost.lost)) == (
        1,
        2,
        [0, 7, 9, 24, 65535],
    )
    (loss,) = RtcpPacket.parse(rtp.picture_loss(1, 2))
    assert isinstance(loss, RtcpPsfbPacket)
    assert (loss.fmt, loss.ssrc, loss.media_ssrc) == (1, 1, 2)
    (most,) = RtcpPacket.parse(rtp.most_bits(1, 5_000_000, [2, 3]))
    assert isinstance(most, RtcpPsfbPacket)
    rate, sources = unpack_remb_fci(most.fci)
    assert sources == [2, 3]
    assert 4_990_000 < rate <= 5_000_000
    block = Reception(2, 10, 3, 70_000, 4, 5)
    (report,) = RtcpPacket.parse(rtp.receiver_report(1, [block]))
    assert isinstance(report, RtcpRrPacket)
    found = report.reports[0]
    assert (found.ssrc, found.fraction_lost, found.packets_lost) == (2, 10, 3)
    assert (found.highest_sequence, found.lsr, found.dlsr) == (70_000, 4, 5)


def test_sender_reports_are_found_in_a_compound_packet() -> None:
    report = struct.pack(">BBHIQIII", 0x80, 200, 6, 9, 1 << 32, 1000, 5, 6)
    goodbye = struct.pack(">BBHI", 0x81, 203, 1, 9)
    assert rtp.sender_reports(goodbye + report) == [rtp.SenderReport(9, 1 << 32, 1000)]


UNIT = st.binary(min_size=2, max_size=4000).map(lambda data: bytes([0x60 | (data[0] % 23 + 1)]) + data[1:])


@settings(max_examples=50)
@given(st.lists(st.lists(UNIT, min_size=1, max_size=4), min_size=1, max_size=5))
def test_pictures_survive_the_packets_of_aiortc(wanted: list[list[bytes]]) -> None:
    depacketiser, found, number = Depacketiser(), list[Picture](), 0
    depacketiser.wants_keyframe = False
    for index, units in enumerate(wanted):
        payloads = H264Encoder._packetize(iter(units))
        for payload in payloads:
            last = payload is payloads[-1]
            found += depacketiser.push(packet(number, payload, index * 3000, marker=last))
            number += 1
    assert [list(picture.units) for picture in found] == wanted
    assert [picture.timestamp for picture in found] == [index * 3000 for index in range(len(wanted))]


def real() -> list[tuple[bytes, ...]]:
    """The pictures of a real encoder, parameter sets in front of every keyframe."""
    frames = stream(SHAPE)
    config = frames[0].body
    size = int.from_bytes(config[6:8], "big")
    sps = config[8 : 8 + size]
    pps = config[8 + size + 3 :]
    pps = pps[: int.from_bytes(config[8 + size + 1 : 8 + size + 3], "big")]
    out: list[tuple[bytes, ...]] = []
    for frame in pictures(frames):
        units, at = list[bytes](), 0
        while at < len(frame.body):
            length = int.from_bytes(frame.body[at : at + 4], "big")
            units.append(frame.body[at + 4 : at + 4 + length])
            at += 4 + length
        out.append((sps, pps, *units) if frame.keyframe else tuple(units))
    return out


def test_real_pictures_become_the_flv_they_came_from() -> None:
    frames, writer = stream(SHAPE), Writer()
    bodies = [body for units in real() for body in writer.write(Picture(0, units))]
    assert [header for header, _, _ in bodies].count(True) == 1
    made = [video_frame(body, 0, 0.0) for _, _, body in bodies]
    assert made[0]
    assert video_track(made[0].body).width == 320
    assert [frame.body for frame in made if frame] == [frame.body for frame in frames]


@pytest.mark.parametrize("seed", range(5))
def test_no_picture_with_a_hole_and_none_that_needs_it_gets_through(seed: int) -> None:
    chance = random.Random(seed)
    depacketiser, number, sound, out = Depacketiser(), 0, False, list[Picture]()
    whole: list[bool] = []
    for index, units in enumerate(real()):
        payloads, hurt = H264Encoder._packetize(iter(units)), False
        for payload in payloads:
            if chance.random() < 0.03:
                hurt = True
                out += depacketiser.push(None)
            else:
                last = payload is payloads[-1]
                out += depacketiser.push(packet(number, payload, index * 3000, marker=last))
            number += 1
        keyframe = any(unit[0] & 31 == IDR for unit in units)
        sound = not hurt and (sound or keyframe)
        whole.append(sound)
    let_through = [
        one.timestamp // 3000 for one in out if any(unit[0] & 31 in (1, IDR) for unit in one.units)
    ]
    assert let_through == sorted(let_through)
    assert set(let_through) <= {index for index, ok in enumerate(whole) if ok}
    assert let_through


def test_a_new_configuration_is_told_and_the_same_one_is_not() -> None:
    writer, sets = Writer(), (CONFIG, b"\x68\1\2")
    other = bytes([*CONFIG[:3], 0x20, *CONFIG[4:]])

    def headers(*units: bytes) -> int:
        return sum(header for header, _, _ in writer.write(Picture(0, units)))

    assert headers(b"\x65early") == 0, "no configuration yet: nothing can be decoded"
    assert headers(*sets, b"\x65a") == 1
    assert headers(*sets, b"\x65a") == 0
    assert headers(b"\x65a") == 0
    assert headers(other, b"\x68\1\2", b"\x65a") == 1
    assert headers(b"\x09\x10", b"\x61a") == 0
    assert writer.write(Picture(0, (b"\x09\x10",))) == []
    assert (SPS, PPS) == (7, 8)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def track(rate: int) -> Track:
    return Track(Section("video", "", "", "0"), rate, 96)


def test_the_least_late_packet_tells_the_time() -> None:
    clock = Clock()
    line = Line(clock)
    video = track(90_000)
    clock.now += 0.4  # the encoder starts late
    assert video.moment(5000, line) == 400
    clock.now += 0.002  # and then hurries
    assert video.moment(5000 + 3000, line) == 402
    clock.now += 0.1
    assert video.moment(5000 + 9000, line) == 402 + 67


def test_sender_reports_bring_sound_and_picture_together() -> None:
    clock = Clock()
    line = Line(clock)
    video, sound = track(90_000), track(48_000)
    video.moment(900, line)
    clock.now += 0.3
    sound.moment(77, line)  # 300 ms later, although it was heard when the picture was seen
    wall = 4_000_000_000 << 32
    video.reported(wall, 900, line, clock.now)
    sound.reported(wall, 77, line, clock.now)
    assert sound.moment(77 + 48_000, line) == video.moment(900 + 90_000, line) == 1000


def test_timestamps_wrap() -> None:
    clock = Clock()
    line = Line(clock)
    video = track(90_000)
    times = []
    for step in range(5):
        times.append(video.moment((2**32 - 6000 + step * 3000) % 2**32, line))
        clock.now += 1 / 30
    assert [b - a for a, b in itertools.pairwise(times)] == [33, 34, 33, 33]


async def test_a_new_picture_size_goes_through_the_converter() -> None:
    child = await converter()
    feeder, intake = Feeder(child), Intake(PublishRequest("live", "", "", ""))
    feeder.push(Frame(Kind.AUDIO, 0, OPUS_HEADER, OPUS_HEADER, header=True))
    at = 0
    for shape in (SHAPE, replace(SHAPE, size="640x360")):
        for frame in stream(shape):
            at += not frame.header
            feeder.push(replace(frame, dts=at * 33))
    child.finish()
    await read_into(child, intake)
    assert await child.wait() == 0
    sizes = [video_track(f.body).width for f in intake.frames if f.header and f.kind == Kind.VIDEO]
    assert sizes == [320, 640]
    assert len(intake.pictures()) == 60
    await child.stop()
