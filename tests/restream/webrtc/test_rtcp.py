"""RTCP, read and written against aiortc's."""

from __future__ import annotations

from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from restream.webrtc import rtcp

US, THEM = 11, 22


@given(st.sets(st.integers(0, 65_535), min_size=1, max_size=50))
def test_every_number_that_is_missing_is_heard(numbers: set[int]) -> None:
    packet = RtcpRtpfbPacket(fmt=1, ssrc=THEM, media_ssrc=US, lost=sorted(numbers))
    assert set(rtcp.read(bytes(packet)).missing[US]) == numbers


def test_reports_refreshes_and_goodbyes_are_heard_in_one_packet() -> None:
    block = RtcpReceiverInfo(
        ssrc=US, fraction_lost=64, packets_lost=9, highest_sequence=7, jitter=3, lsr=5, dlsr=6
    )
    data = (
        bytes(RtcpRrPacket(ssrc=THEM, reports=[block]))
        + bytes(RtcpPsfbPacket(fmt=1, ssrc=THEM, media_ssrc=US))
        + bytes(RtcpByePacket(sources=[THEM]))
    )
    heard = rtcp.read(data)
    assert heard.reports == [rtcp.Report(US, 0.25, 9, 3, 5, 6)]
    assert heard.refresh
    assert heard.goodbye


def test_reports_of_ours_are_understood() -> None:
    wall = 1_800_000_000.25
    data = rtcp.sender_report(US, wall, 90_000, 5, 600) + rtcp.description([US], "us") + rtcp.goodbye([US])
    report, description, goodbye = RtcpPacket.parse(data)
    assert isinstance(report, RtcpSrPacket)
    info = report.sender_info
    assert (info.rtp_timestamp, info.packet_count, info.octet_count) == (90_000, 5, 600)
    assert info.ntp_timestamp / (1 << 32) - rtcp.NTP_EPOCH == wall
    assert rtcp.middle(wall) == info.ntp_timestamp >> 16 & 0xFFFF_FFFF
    assert isinstance(description, RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"us")]
    assert isinstance(goodbye, RtcpByePacket)
    assert goodbye.sources == [US]


@given(st.binary(max_size=200))
def test_junk_is_read_over(junk: bytes) -> None:
    rtcp.read(junk)
    heard = rtcp.read(b"\x81\xcd" + len(junk).to_bytes(2, "big") + junk)
    assert sum(map(len, heard.missing.values())) <= rtcp.MOST_NUMBERS + 17
