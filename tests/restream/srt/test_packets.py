"""SRT's packets: numbers that wrap, losses, junk."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from restream.srt import packets
from restream.srt.packets import SEQUENCES, BrokenSrt, Control

SEQUENCE = st.integers(0, SEQUENCES - 1)
WORD = st.integers(0, 2**32 - 1)


@given(start=SEQUENCE, step=st.integers(-(1 << 29), 1 << 29))
def test_distances_hold_across_the_wrap(start: int, step: int) -> None:
    assert packets.ahead((start + step) % SEQUENCES, start) == step


@given(ranges=st.lists(st.tuples(SEQUENCE, SEQUENCE), max_size=30))
def test_losses_read_back(ranges: list[tuple[int, int]]) -> None:
    words: list[int] = []
    for first, last in ranges:
        words += [first] if first == last else [first | 1 << 31, last]
    assert list(packets.lost(struct.pack(f">{len(words)}I", *words))) == ranges


@given(kind=st.integers(0, 0x7FFF), info=WORD, time=st.integers(0, 1 << 40), body=st.binary(min_size=1))
def test_a_control_packet_survives_the_wire(kind: int, info: int, time: int, body: bytes) -> None:
    assert packets.read_control(packets.control(kind, info, time, 9, body)) == Control(kind, info, body)


@given(noise=st.binary(max_size=100))
def test_noise_is_read_or_refused_and_breaks_nothing(noise: bytes) -> None:
    for read in (packets.read_control, packets.acknowledged):
        try:
            read(noise)
        except BrokenSrt:
            continue
    assert all(first < SEQUENCES and last < SEQUENCES for first, last in packets.lost(noise))


@given(sequence=SEQUENCE, payload=st.binary(min_size=1, max_size=packets.PAYLOAD))
def test_a_packet_sent_again_differs_in_one_bit(sequence: int, payload: bytes) -> None:
    packet = packets.data(sequence, 7, 1 << 33, 9, payload, encrypted=True)
    differing = [a ^ b for a, b in zip(packet, packets.again(packet), strict=True) if a != b]
    assert differing == [0x04]
    assert packets.read_control(packet) is None
