"""The handshake: what encoders compare before they go on."""

from __future__ import annotations

from restream.rtmp import handshake


def test_a_hello_has_its_time_four_zeros_and_chance() -> None:
    first, second = handshake.hello(77), handshake.hello(77)
    assert len(first) == len(second) == handshake.SIZE
    assert first[:8] == b"\0\0\0\x4d\0\0\0\0"
    assert first[8:] != second[8:]


def test_an_echo_carries_their_time_and_random_back() -> None:
    theirs = handshake.hello(123_456)
    answer = handshake.echo(theirs, 9)
    assert len(answer) == handshake.SIZE
    assert answer[:4] == theirs[:4]
    assert answer[4:8] == b"\0\0\0\x09"
    assert answer[8:] == theirs[8:]


def test_times_past_32_bits_wrap() -> None:
    assert handshake.hello((1 << 32) + 5)[:4] == b"\0\0\0\x05"
