"""SRT's packets: numbers that wrap, losses, and what a listener that is not ours must be able to read."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.targets import srt_packets as packets
from restream.targets.srt_packets import SEQUENCES, BrokenSrt

SEQUENCE = st.integers(0, SEQUENCES - 1)


@given(start=SEQUENCE, step=st.integers(-(1 << 29), 1 << 29))
def test_distances_hold_across_the_wrap(start: int, step: int) -> None:
    assert packets.ahead((start + step) % SEQUENCES, start) == step


@given(ranges=st.lists(st.tuples(SEQUENCE, SEQUENCE), max_size=30))
def test_losses_read_back(ranges: list[tuple[int, int]]) -> None:
    words: list[int] = []
    for first, last in ranges:
        words += [first] if first == last else [first | 1 << 31, last]
    assert list(packets.lost(struct.pack(f">{len(words)}I", *words))) == ranges


@given(noise=st.binary(max_size=100))
def test_noise_is_read_or_refused_and_breaks_nothing(noise: bytes) -> None:
    for read in (packets.read_control, packets.read_handshake, packets.acknowledged):
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


def test_the_same_bytes_are_never_sealed_alike_twice() -> None:
    hidden = packets.secret("a passphrase", bytes(16), bytes(16))
    sealed = [hidden.encrypt(sequence, bytes(100)) for sequence in range(50)]
    assert len(set(sealed)) == 50
    assert hidden.encrypt(3, sealed[3]) == bytes(100)
    assert b"passphrase" not in hidden.message


def test_an_old_listener_is_told_apart() -> None:
    answer = struct.pack(">IHHIIIIII16s", 4, 0, 2, 0, 1500, 8192, packets.INDUCTION, 1, 2, bytes(16))
    with pytest.raises(BrokenSrt, match="older"):
        packets.read_handshake(answer)
