"""Enhanced RTMP v2, byte by byte: however a tag is wrapped, one plain track comes out of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.media import Frame, Kind
from restream.rtmp import enhanced
from restream.rtmp.enhanced import Packet, answer, audio_packet, offer, reconnects, tag, video_packet
from restream.rtmp.flv import BrokenTag, UnsupportedCodec, audio_frame, video_frame
from tests.restream.rtmp.encodings import AV1_OPUS, HEVC_AAC, frames, of

BODIES = st.binary(max_size=300)
MODIFIERS = st.lists(st.tuples(st.binary(min_size=1, max_size=300), st.integers(0, 15)), max_size=3)
OTHERS = st.lists(st.tuples(st.integers(1, 255), BODIES, st.sampled_from([b"hvc1", b"vp09"])), max_size=3)


def modified(first: int, form: int, modifiers: list[tuple[bytes, int]], rest: bytes) -> bytes:
    """A tag with ModEx before its packet type: `first` is the high half of its first byte."""
    forms = [enhanced.MOD_EX] * len(modifiers) + [form]
    data = bytes([first << 4 | forms[0]])
    for (extra, kind), following in zip(modifiers, forms[1:], strict=True):
        size = len(extra) - 1
        data += bytes([size]) if size < 255 else b"\xff" + size.to_bytes(2, "big")
        data += extra + bytes([kind << 4 | following])
    return data + rest


def tracks(
    form: int, layout: int, codec: bytes, body: bytes, others: list[tuple[int, bytes, bytes]], place: int
) -> bytes:
    """The part of a multitrack tag behind its packet type; the default track stands at `place`."""
    listed = [(number, data, other) for number, data, other in others]
    listed.insert(place % (len(others) + 1), (0, body, codec))
    data = bytes([layout << 4 | form])
    if layout != enhanced.MANY_CODECS:
        data += codec
    for number, content, its in listed:
        data += its if layout == enhanced.MANY_CODECS else b""
        data += bytes([number]) + len(content).to_bytes(3, "big") + content
    return data


@given(form=st.integers(0, 4), frame_type=st.integers(1, 4), modifiers=MODIFIERS, body=BODIES)
def test_modifiers_are_read_over(
    form: int, frame_type: int, modifiers: list[tuple[bytes, int]], body: bytes
) -> None:
    wrapped = modified(8 | frame_type, form, modifiers, b"hvc1" + body)
    plain = Packet(form, b"hvc1", body, frame_type, plain=not modifiers)
    assert video_packet(wrapped) == plain
    assert tag(False, plain) == modified(8 | frame_type, form, [], b"hvc1" + body)
    sound = modified(9, form, modifiers, b"Opus" + body)
    assert audio_packet(sound) == Packet(form, b"Opus", body, 0, plain=not modifiers)
    assert tag(True, Packet(form, b"Opus", body)) == modified(9, form, [], b"Opus" + body)


@given(
    form=st.integers(0, 4),
    layout=st.sampled_from([enhanced.MANY_TRACKS, enhanced.MANY_CODECS]),
    modifiers=MODIFIERS,
    body=BODIES,
    others=OTHERS,
    place=st.integers(0, 3),
)
def test_the_default_track_is_found_among_many(
    form: int,
    layout: int,
    modifiers: list[tuple[bytes, int]],
    body: bytes,
    others: list[tuple[int, bytes, bytes]],
    place: int,
) -> None:
    many = tracks(form, layout, b"av01", body, others, place)
    found = video_packet(modified(0b1001, enhanced.VIDEO_MULTITRACK, modifiers, many))
    assert found == Packet(form, b"av01", body, 1)
    sound = tracks(form, layout, b"Opus", body, others, place)
    assert audio_packet(modified(9, enhanced.AUDIO_MULTITRACK, modifiers, sound)) == Packet(
        form, b"Opus", body
    )


def test_a_single_track_that_is_numbered_has_no_size() -> None:
    assert video_packet(b"\x96\x01hvc1\0body") == Packet(1, b"hvc1", b"body", 1)
    assert video_packet(b"\x96\x01hvc1\1body") is None


def test_other_tracks_are_ignored_whatever_their_codec() -> None:
    other = b"\x11vp09\2\0\0\4body"
    assert video_frame(b"\x96" + other, 0, 0.0) is None
    assert audio_frame(b"\x95\x11fLaC\2\0\0\4body", 0, 0.0) is None


def test_commands_ends_and_metadata_are_no_frames() -> None:
    assert video_frame(b"\xd1\0", 0, 0.0) is None  # a seek begins
    assert video_frame(b"\x92hvc1", 0, 0.0) is None
    assert video_frame(b"\x90av01", 0, 0.0) is None  # ffmpeg with libaom, before the true one
    assert video_frame(b"\xd4hvc1\2\0\x09colorInfo", 0, 0.0) is None
    assert audio_frame(b"\x92Opus", 0, 0.0) is None
    assert audio_frame(b"\x94Opus\1\2\0\0\0\3", 0, 0.0) is None


@pytest.mark.parametrize(
    ("payload", "cts", "body"),
    [
        (b"\x91hvc1\xff\xff\xfepicture", -2, b"picture"),
        (b"\x93hvc1picture", 0, b"picture"),
        (b"\x91av01picture", 0, b"picture"),
        (b"\xa1hvc1\0\0\x21picture", 33, b"picture"),
    ],
)
def test_the_composition_offset_is_where_the_codec_has_one(payload: bytes, cts: int, body: bytes) -> None:
    frame = video_frame(payload, 40, 1.5)
    key = payload[0] >> 4 == 9
    assert frame == Frame(Kind.VIDEO, 40, payload, body, cts, keyframe=key, arrived=1.5)
    assert frame.payload is payload, "relaying copies nothing"


def test_what_is_wrapped_comes_out_plain() -> None:
    nanoseconds = b"\x97\2\0\1\2\x01hvc1\0\0\x05picture"
    frame = video_frame(nanoseconds, 0, 0.0)
    assert frame
    assert (frame.payload, frame.cts, frame.keyframe) == (b"\x91hvc1\0\0\x05picture", 5, True)
    several = b"\x95\x11Opus\0\0\0\5sound\1\0\0\5other"
    sound = audio_frame(several, 0, 0.0)
    assert sound
    assert (sound.payload, sound.body) == (b"\x91Opussound", b"sound")


def test_h264_and_aac_come_out_as_every_platform_reads_them() -> None:
    config = b"\x01\x42\xc0\x1e\xff\xe1\0\0"
    for wrapped, plain in (
        (b"\x90avc1" + config, b"\x17\0\0\0\0" + config),
        (b"\xa1avc1\0\0\x21picture", b"\x27\1\0\0\x21picture"),
        (b"\x93avc1picture", b"\x17\1\0\0\0picture"),
        (b"\x96\x01avc1\0\0\0\x21picture", b"\x17\1\0\0\x21picture"),
    ):
        frame, wanted = video_frame(wrapped, 7, 1.0), video_frame(plain, 7, 1.0)
        assert frame == wanted
        assert frame
    for wrapped, plain in (
        (b"\x90mp4a\x11\x90", b"\xaf\0\x11\x90"),
        (b"\x91mp4asound", b"\xaf\1sound"),
        (b"\x95\x01mp4a\0sound", b"\xaf\1sound"),
    ):
        assert audio_frame(wrapped, 7, 1.0) == audio_frame(plain, 7, 1.0) is not None


def test_a_configuration_under_the_wrong_name_is_broken() -> None:
    (hevc,), (av1,) = (of(Kind.VIDEO, frames(made), header=True) for made in (HEVC_AAC, AV1_OPUS))
    for payload in (b"\x90hvc1" + av1.body, b"\x90av01" + hevc.body, b"\x90hvc1\1", b"\x90hvc1\1\x42\0\x1e"):
        with pytest.raises(BrokenTag):
            video_frame(payload, 0, 0.0)
    with pytest.raises(BrokenTag):
        audio_frame(b"\x90Opus\x11\x90", 0, 0.0)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x90",
        b"\x91hvc1\0\0",
        b"\x95hvc1ts",
        b"\x98hvc1",
        b"\x97",
        b"\x97\xff\0",
        b"\x97\5\0",
        b"\x96",
        b"\x96\x01hvc1",
        b"\x96\x11hvc1\0\0\0",
        b"\x96\x11hvc1\0\0\0\5pic",
        b"\x96\x21hvc1\0\0\0\5pic",
    ],
)
def test_an_enhanced_tag_that_breaks_off_says_so(payload: bytes) -> None:
    with pytest.raises(BrokenTag):
        video_frame(payload, 0, 0.0)


@pytest.mark.parametrize(
    "payload", [b"\x91", b"\x91Opu", b"\x93Opus", b"\x95", b"\x97\0", b"\x95\x11Opus\0\0"]
)
def test_so_does_an_audio_tag(payload: bytes) -> None:
    with pytest.raises(BrokenTag):
        audio_frame(payload, 0, 0.0)


def test_a_tag_of_countless_parts_is_given_up_early() -> None:
    assert video_packet(b"\x97" + b"\0\0\x07" * 10 + b"\0\0\1hvc1") == Packet(1, b"hvc1", b"", 1)
    with pytest.raises(BrokenTag):
        video_frame(b"\x97" + b"\0\0\x07" * 1_000_000, 0, 0.0)
    assert video_frame(b"\x96\x11hvc1" + b"\1\0\0\0" * 1_000_000 + b"\0\0\0\0", 0, 0.0) is None


@pytest.mark.parametrize("read", [video_frame, audio_frame])
@given(first=st.sampled_from([0x90, 0x91, 0x93, 0x95, 0x96, 0x97, 0xA6]), rest=st.binary(max_size=60))
def test_enhanced_garbage_is_a_frame_or_one_of_two_errors(
    read: Callable[[bytes, int, float], object], first: int, rest: bytes
) -> None:
    with contextlib.suppress(BrokenTag, UnsupportedCodec):
        read(bytes([first]) + rest, 0, 0.0)


def test_the_server_answers_what_was_offered_and_nothing_to_the_old() -> None:
    assert answer({"app": "live", "flashVer": "FMLE/3.0"}) == {}
    said = answer(offer())
    assert said["fourCcList"] == ["avc1", "hvc1", "av01", "mp4a", "Opus"]
    assert said["videoFourCcInfoMap"] == {"avc1": 4.0, "hvc1": 4.0, "av01": 4.0}
    assert said["audioFourCcInfoMap"] == {"mp4a": 4.0, "Opus": 4.0}
    assert said["capsEx"] == 7.0
    assert answer({"capsEx": 1.0}) == said


@pytest.mark.parametrize(
    ("caps", "understood"),
    [
        *[(1.0, True), (15.0, True), (14.0, False), (0.0, False), (-1.0, False)],
        *[("1", False), (None, False), (float("nan"), False), (float("inf"), False)],
    ],
)
def test_who_understands_a_request_to_reconnect_says_so(caps: float | str | None, understood: bool) -> None:
    assert reconnects({"capsEx": caps}) is understood
    assert not reconnects({})
