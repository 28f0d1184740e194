"""SRT's handshake: round trips, what a caller asks, what a listener answers, junk."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.srt import handshake
from restream.srt.handshake import Handshake, Reject
from restream.srt.keys import secret, unlocks
from restream.srt.packets import BrokenSrt

WORD = st.integers(0, 2**32 - 1)
HALF = st.integers(0, 2**16 - 1)
TEXT = st.text(max_size=100).filter(lambda text: "\0" not in text)
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
JUNK = st.binary(max_size=300).map(lambda rest: handshake.MARK + rest) | st.binary(max_size=100)


@given(PACKETS)
def test_a_packet_survives_the_wire(packet: Handshake) -> None:
    assert handshake.parse(handshake.serialise(packet)) == packet


@given(st.lists(EXTENSION, min_size=1, max_size=5))
def test_extensions_survive_the_wire(extensions: list[tuple[int, bytes]]) -> None:
    packet = Handshake(kind=handshake.CONCLUSION, extension=5, extensions=tuple(extensions))
    assert handshake.parse(handshake.serialise(packet)) == packet


@given(TEXT)
def test_a_stream_id_survives_the_wire(text: str) -> None:
    packet = Handshake(kind=handshake.CONCLUSION, extension=5, extensions=(handshake.stream_id(text),))
    assert handshake.parse(handshake.serialise(packet)).stream_id == text


def test_a_stream_id_is_sent_as_libsrt_sends_it() -> None:
    assert handshake.stream_id("abcdefg") == (handshake.SID, b"dcba\0gfe")


@given(
    socket=WORD, sequence=WORD, cookie=WORD, time=st.integers(0, 1 << 40), wanted=TEXT, locked=st.booleans()
)
def test_a_listener_reads_what_a_caller_asks(
    socket: int, sequence: int, cookie: int, time: int, wanted: str, locked: bool
) -> None:
    hidden = secret("a passphrase", os.urandom(16), os.urandom(16)) if locked else None
    first = handshake.parse(handshake.serialise(handshake.induction(socket, sequence, time)))
    assert (first.kind, first.version, first.socket) == (handshake.INDUCTION, handshake.OLD_VERSION, socket)
    asked = handshake.conclusion(socket, sequence, cookie, 500, wanted, hidden, time)
    second = handshake.parse(handshake.serialise(asked))
    assert second == replace(asked, time=time % 2**32)
    assert (second.stream_id, second.agent, second.cookie) == (wanted, "SRT 1.5.3", cookie)
    material = second.find(handshake.KMREQ)
    assert unlocks("a passphrase", material) if material else not locked


@given(PACKETS, WORD)
def test_only_the_cookie_changes(packet: Handshake, cookie: int) -> None:
    data = handshake.serialise(packet) + b"what the caller wrote"
    changed = handshake.with_cookie(data, cookie)
    assert handshake.parse(changed[: handshake.SMALLEST]).cookie == cookie
    assert changed[:44] + changed[48:] == data[:44] + data[48:]


@given(JUNK)
def test_junk_is_refused_and_never_crashes(junk: bytes) -> None:
    try:
        packet = handshake.parse(junk)
        assert isinstance(packet.stream_id, str)
    except BrokenSrt:
        pass


@given(JUNK)
def test_a_junk_answer_is_refused_and_never_crashes(junk: bytes) -> None:
    with contextlib.suppress(BrokenSrt):
        assert handshake.parse_answer(junk).extensions == ()


@given(PACKETS, st.sampled_from(Reject))
def test_no_answer_is_longer_than_its_question(packet: Handshake, why: Reject) -> None:
    question = handshake.serialise(packet)
    assert len(handshake.serialise(handshake.rejection(packet, why))) <= len(question)
    assert len(handshake.serialise(handshake.induction_answer(packet, 1))) <= len(question)


@given(PACKETS, st.sampled_from(Reject), WORD)
def test_a_caller_reads_what_a_listener_answers(packet: Handshake, why: Reject, cookie: int) -> None:
    no = handshake.parse_answer(handshake.serialise(handshake.rejection(packet, why)))
    assert (no.rejected, no.to) == (why, packet.socket)
    question = replace(packet, kind=handshake.INDUCTION)
    yes = handshake.parse_answer(handshake.serialise(handshake.induction_answer(question, cookie)))
    assert (yes.kind, yes.cookie, yes.rejected) == (handshake.INDUCTION, cookie, None)


def test_a_conclusion_is_no_rejection() -> None:
    assert Handshake(kind=handshake.CONCLUSION).rejected is None


def test_an_old_listener_is_told_apart() -> None:
    answer = Handshake(kind=handshake.INDUCTION, version=handshake.OLD_VERSION, extension=handshake.DATAGRAM)
    with pytest.raises(BrokenSrt, match="older"):
        handshake.parse_answer(handshake.serialise(answer))


def test_a_packet_does_not_show_the_key_in_its_repr() -> None:
    extensions = (handshake.stream_id("publish:abcdefgh"),)
    packet = Handshake(kind=handshake.CONCLUSION, extensions=extensions)
    assert "dcba" not in repr(packet)
    assert "hsil" not in repr(packet)
