"""Numbers of packets, what is kept of them, and how fast they leave."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.ingest.rtp import parse
from restream.webrtc.pacing import AT_ONCE, LEAST_RATE, Allowance, rate
from restream.webrtc.track import KEPT, Repair, Track, padded, shown


class Open:
    """Seals nothing."""

    tag = 0

    def seal(
        self, headers: Sequence[bytes], index: int, source: int, payloads: Sequence[bytes]
    ) -> list[bytes]:
        return [header + payload for header, payload in zip(headers, payloads, strict=True)]

    def seal_one(self, header: bytes, index: int, source: int, payload: bytes) -> bytes:
        return header + payload


@given(st.lists(st.integers(1, 40), min_size=1, max_size=200))
def test_numbers_follow_each_other_and_a_picture_ends_with_a_marker(sizes: list[int]) -> None:
    track = Track(7, 96, 90)
    number = None
    for size in sizes:
        packets = [parse(one) for one in track.seal(Open(), [b"x"] * size, 5, last=True)]
        assert [one.marker for one in packets] == [False] * (size - 1) + [True]
        for one in packets:
            assert number is None or one.sequence == (number + 1) & 0xFFFF
            number = one.sequence
    assert track.packets == track.octets == sum(sizes)


def test_what_is_asked_for_again_is_found_beyond_the_rollover_until_it_is_too_old() -> None:
    track, sent = Track(7, 96, 90), []
    for moment in range(5000):
        payloads = [f"{moment}.{part}".encode() for part in range(20)]
        sent += [parse(one) for one in track.seal(Open(), payloads, moment, last=True)]
    for packet in sent[-KEPT + 20 :]:
        found = track.find(packet.sequence)
        assert found
        assert parse(track.seal_again(Open(), found)) == packet
    assert track.find(sent[-KEPT - 40].sequence) is None
    assert track.find(sent[-1].sequence + 1 & 0xFFFF) is None


def test_what_is_sent_again_names_the_packet_it_stands_for() -> None:
    track, repair = Track(7, 96, 90), Repair(8, 97, 90)
    packet = parse(track.seal(Open(), [b"picture"], 5, last=True)[0])
    found = track.find(packet.sequence)
    assert found
    again = parse(repair.seal_repair(Open(), found))
    assert (again.payload_type, again.source, again.timestamp, again.marker) == (97, 8, 5, True)
    assert again.payload == packet.sequence.to_bytes(2, "big") + b"picture"
    assert repair.find(again.sequence) is None


def test_what_was_filled_up_is_read_as_it_was_and_comes_again_so() -> None:
    track, repair = Track(7, 96, 90), Repair(8, 97, 90)
    heads, filled = padded([b"slice", b"other slice", b"end"])
    for packet, wanted in zip(
        track.seal(Open(), filled, 5, last=True, heads=heads), (b"slice", b"other slice", b"end"), strict=True
    ):
        read = parse(packet)
        assert read.payload == wanted
        found = track.find(read.sequence)
        assert found
        assert track.seal_again(Open(), found) == packet
        again = parse(repair.seal_repair(Open(), found))
        assert again.payload == read.sequence.to_bytes(2, "big") + wanted
    assert track.octets == len(b"slice" + b"other slice" + b"end")  # what fills up is not reported


@pytest.mark.parametrize(("at_once", "most"), [(True, 0), (False, 4095)])
def test_a_hint_is_part_of_the_packet_and_comes_again_with_it(at_once: bool, most: int) -> None:
    track, hint = Track(7, 96, 90), shown(6, at_once=at_once)
    first, second = track.seal(Open(), [b"key", b"frame"], 5, last=True, hint=hint)
    assert [parse(one).payload for one in (first, second)] == [b"key", b"frame"]
    assert parse(first, send_time=6).send_time == most  # read as the number of three bytes it is
    for packet in (first, second):
        found = track.find(parse(packet).sequence)
        assert found
        # Bit for bit: another header under the same number would give the key away.
        assert track.seal_again(Open(), found) == packet
    assert parse(track.seal(Open(), [b"other"], 6, last=True)[0], send_time=6).send_time is None


def test_a_keyframe_is_spread_over_some_milliseconds() -> None:
    allowance, now, sent = Allowance(0.0), 0.0, 0.0
    keyframe, burst = 150_000.0, 28_000.0
    while sent < keyframe:
        allowance.refill(now, rate(625_000))  # a feed of 5 Mbit/s
        while allowance.left > 0 and sent < keyframe:
            allowance.left -= burst
            sent += burst
        now += 0.004
    assert 0.010 < now < 0.050


def test_a_small_feed_is_not_slowed_down_and_nothing_is_saved_up() -> None:
    assert rate(0) == LEAST_RATE
    allowance = Allowance(0.0)
    allowance.refill(3600.0, LEAST_RATE)
    assert allowance.left == AT_ONCE
