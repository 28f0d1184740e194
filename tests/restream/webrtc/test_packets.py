"""Pictures and sound as RTP payloads, and what comes out of them again."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.ingest.h264 import Depacketiser
from restream.ingest.rtp import Packet
from restream.media import Kind
from restream.webrtc.packets import FU_A, LARGEST, STAP_A, BrokenPicture, Parameters, picture
from tests.restream.hls.feed import Shape, pictures, stream

SPS, PPS = b"\x67\x42\xc0\x1f\xda", b"\x68\xce\x3c\x80"


def configuration(*, lengths: int = 4) -> bytes:
    """An avcC with one set of each kind."""
    head = bytes([1, 0x42, 0xC0, 0x1F, 0xFC | (lengths - 1), 0xE1])
    return head + struct.pack(">H", len(SPS)) + SPS + b"\1" + struct.pack(">H", len(PPS)) + PPS


def body(*units: bytes, lengths: int = 4) -> bytes:
    """Units as FLV carries them."""
    return b"".join(len(unit).to_bytes(lengths, "big") + unit for unit in units)


def taken_apart(payloads: list[bytes], depacketiser: Depacketiser | None = None) -> list[bytes]:
    """The units a receiver gets."""
    depacketiser = depacketiser or Depacketiser()
    found: list[bytes] = []
    for number, payload in enumerate(payloads):
        packet = Packet(96, number == len(payloads) - 1, number, 1, 1, payload)
        for one in depacketiser.push(packet):
            found += one.units
    return found


unit = st.builds(
    lambda kind, rest: bytes([0x60 | kind]) + rest,
    st.sampled_from([1, 5]),
    st.binary(min_size=1, max_size=4000),
)


@given(st.lists(unit, max_size=8), st.sampled_from([1, 2, 4]))
def test_a_receiver_gets_the_units_that_were_sent(units: list[bytes], lengths: int) -> None:
    units = [b"\x65key", *(one[:250] if lengths == 1 else one for one in units)]
    parameters = Parameters(configuration(lengths=lengths))
    payloads = picture(body(*units, lengths=lengths), True, parameters)
    assert taken_apart(payloads) == [SPS, PPS, *units]
    assert all(0 < len(payload) <= LARGEST for payload in payloads)


def test_parameter_sets_go_before_a_keyframe_and_only_there() -> None:
    parameters = Parameters(configuration())
    (key,) = picture(body(b"\x65key"), True, parameters)
    assert key[0] & 31 == STAP_A
    assert picture(body(b"\x41other"), False, parameters) == [b"\x41other"]
    own = b"\x67\x4d\x40\x20\xaa"
    assert taken_apart(picture(body(own, PPS, b"\x65key"), True, parameters)) == [own, PPS, b"\x65key"]


@given(st.integers(LARGEST, 200_000))
def test_fragments_are_few_and_all_of_one_size_but_the_last(size: int) -> None:
    payloads = picture(body(b"\x41" + bytes(size)), False, Parameters(configuration()))
    assert len(payloads) <= size // (LARGEST - 2) + 1
    (common,) = {len(payload) for payload in payloads[:-1]}
    assert common - len(payloads) < len(payloads[-1]) <= common <= LARGEST
    assert all(payload[0] & 31 == FU_A for payload in payloads)
    assert [payload[1] & 0xC0 for payload in payloads] == [0x80, *[0] * (len(payloads) - 2), 0x40]


def test_what_only_fills_up_is_left_out() -> None:
    parameters = Parameters(configuration())
    assert picture(body(b"\x09\xf0", b"\x41x", b"\x0c" + bytes(900)), False, parameters) == [b"\x41x"]


@pytest.mark.parametrize(
    ("note", "wanted"),
    [
        (b"\x06\x01\x01\x32\x80", False),  # picture timing, as encoders of constant rate send it
        (b"\x06\x00\x02\xaa\xbb\x01\x04\x00\x00\x03\x02\x10\x80", False),  # buffering, timing, with an escape
        (b"\x06\x01\x01\x32\x04\x03\xb5\x00\x31\x80", True),  # timing and captions
        (b"\x06\x05\x02ab\x80", True),
        (b"\x06", True),
    ],
)
def test_notes_about_the_encoders_buffer_are_left_out_and_captions_are_not(note: bytes, wanted: bool) -> None:
    sets = Parameters(configuration())
    units = taken_apart(picture(body(note, b"\x65key"), True, sets))
    assert units == [SPS, PPS, *([note] if wanted else []), b"\x65key"]


def test_the_stream_of_an_encoder_survives() -> None:
    frames = stream(Shape(seconds=1.0, size="640x360", gop=15))
    header = next(frame for frame in frames if frame.kind is Kind.VIDEO and frame.header)
    parameters = Parameters(header.body)
    depacketiser = Depacketiser()
    for frame in pictures(frames):
        units = taken_apart(picture(frame.body, frame.keyframe, parameters), depacketiser)
        assert body(*(one for one in units if one[0] & 31 not in (7, 8))) == frame.body


@given(st.binary(max_size=60))
def test_junk_is_refused(junk: bytes) -> None:
    parameters = Parameters(configuration())
    for make in (lambda: Parameters(junk), lambda: picture(junk, True, parameters)):
        try:
            make()
        except BrokenPicture:
            continue


def test_a_configuration_that_breaks_off_is_refused() -> None:
    whole = configuration()
    for size in range(len(whole)):
        with pytest.raises(BrokenPicture):
            Parameters(whole[:size])
