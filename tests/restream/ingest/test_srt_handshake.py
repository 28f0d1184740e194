"""The handshake codec: round trips, real key material, junk."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.ingest import srt_handshake as srt
from restream.ingest.srt_caller import Rejected, stream_key
from restream.ingest.srt_handshake import BrokenHandshake, Handshake, Reject
from tests.restream.ingest.studio import key_material

WORD = st.integers(0, 2**32 - 1)
HALF = st.integers(0, 2**16 - 1)
EXTENSION = st.tuples(
    HALF, st.lists(st.binary(min_size=4, max_size=4), max_size=20).map(lambda words: b"".join(words))
)
PACKETS = st.builds(
    Handshake,
    kind=WORD,
    version=WORD,
    socket=WORD,
    cookie=WORD,
    to=WORD,
    time=WORD,
    encryption=HALF,
    extension=HALF,
    sequence=WORD,
    mtu=WORD,
    window=WORD,
    address=st.binary(min_size=16, max_size=16),
)


@given(PACKETS)
def test_a_packet_survives_the_wire(packet: Handshake) -> None:
    assert srt.parse(srt.serialise(packet)) == packet


@given(st.lists(EXTENSION, min_size=1, max_size=5))
def test_extensions_survive_the_wire(extensions: list[tuple[int, bytes]]) -> None:
    packet = Handshake(kind=srt.CONCLUSION, extension=5, extensions=tuple(extensions))
    assert srt.parse(srt.serialise(packet)) == packet


@given(st.text(min_size=1, max_size=100).filter(lambda text: "\0" not in text))
def test_a_stream_id_survives_the_wire(text: str) -> None:
    packet = Handshake(kind=srt.CONCLUSION, extension=5, extensions=(srt.stream_id(text),))
    assert srt.parse(srt.serialise(packet)).stream_id == text


def test_a_stream_id_is_sent_as_libsrt_sends_it() -> None:
    assert srt.stream_id("abcdefg") == (srt.SID, b"dcba\0gfe")


@given(PACKETS, WORD)
def test_only_the_cookie_changes(packet: Handshake, cookie: int) -> None:
    data = srt.serialise(packet) + b"what the caller wrote"
    changed = srt.with_cookie(data, cookie)
    assert srt.parse(changed[: srt.SMALLEST]).cookie == cookie
    assert changed[:44] + changed[48:] == data[:44] + data[48:]


@given(st.binary(max_size=300).map(lambda rest: srt.MARK + rest) | st.binary(max_size=100))
def test_junk_is_refused_and_never_crashes(junk: bytes) -> None:
    try:
        packet = srt.parse(junk)
        assert isinstance(packet.stream_id, str)
    except BrokenHandshake:
        pass


@given(st.binary(max_size=120))
def test_junk_for_key_material_unlocks_nothing(junk: bytes) -> None:
    with contextlib.suppress(BrokenHandshake):
        assert not srt.unlocks("a passphrase", junk)


@given(PACKETS, st.sampled_from(Reject))
def test_no_answer_is_longer_than_its_question(packet: Handshake, why: Reject) -> None:
    question = srt.serialise(packet)
    assert len(srt.serialise(srt.rejection(packet, why))) <= len(question)
    assert len(srt.serialise(srt.induction_answer(packet, 1))) <= len(question)


def test_a_packet_does_not_show_the_key_in_its_repr() -> None:
    packet = Handshake(kind=srt.CONCLUSION, extensions=(srt.stream_id("publish:abcdefgh"),))
    assert "dcba" not in repr(packet)
    assert "hsil" not in repr(packet)


@pytest.mark.parametrize("size", [16, 24, 32])
def test_only_the_right_passphrase_unlocks(size: int) -> None:
    material = key_material("correct horse", os.urandom(size))
    assert srt.unlocks("correct horse", material)
    assert not srt.unlocks("correct house", material)
    with pytest.raises(BrokenHandshake):
        srt.unlocks("correct horse", material[:-1])


@pytest.mark.parametrize(
    ("stream_id", "key"),
    [
        ("publish:abc", "abc"),
        ("publish:abc?user=1:2", "abc?user=1:2"),
        ("#!::m=publish,r=abc", "abc"),
        ("#!::r=abc,m=publish,u=me", "abc"),
        ("#!::r=a=b,m=publish", "a=b"),
    ],
)
def test_both_forms_of_a_stream_id_name_the_key(stream_id: str, key: str) -> None:
    assert stream_key(stream_id) == key


@pytest.mark.parametrize(
    ("stream_id", "why"),
    [
        ("", Reject.BAD_REQUEST),
        ("abc", Reject.BAD_REQUEST),
        ("publish:", Reject.BAD_REQUEST),
        ("request:abc", Reject.BAD_REQUEST),
        ("#!::m=request,r=abc", Reject.BAD_MODE),
        ("#!::r=abc", Reject.BAD_MODE),
        ("#!::m=publish", Reject.BAD_REQUEST),
    ],
)
def test_any_other_stream_id_is_refused(stream_id: str, why: Reject) -> None:
    with pytest.raises(Rejected) as rejected:
        stream_key(stream_id)
    assert rejected.value.why == why
