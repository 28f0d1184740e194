"""Offers and answers, without a network."""

from __future__ import annotations

import contextlib

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from restream.ingest.sdp import answer, parse_offer
from restream.webrtc.sdp import BrokenOffer, Fragment, Local, UnfitOffer, parse_fragment

LOCAL = Local("user", "p" * 24, "AA:BB", ["1 1 udp 1 10.0.0.1 8189 typ host"])
OFFER = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=ice-options:trickle
m=audio 9 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 11:22
a=setup:actpass
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10
a=rtpmap:0 PCMU/8000
a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 104
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 11:22
a=setup:actpass
a=mid:1
a=sendonly
a=rtcp-mux
a=extmap:3/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=rtpmap:104 H264/90000
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:2
"""


def changed(**replaced: str) -> bytes:
    text = OFFER
    for before, after in replaced.items():
        text = text.replace(before.replace("_", " "), after)
    return text.replace("\n", "\r\n").encode()


def test_h264_and_opus_are_chosen() -> None:
    offer = parse_offer(changed())
    video, audio = offer.section("video"), offer.section("audio")
    assert video
    assert video.chosen
    assert (video.chosen.payload_type, video.send_time, video.mid) == (104, 3, "1")
    assert audio
    assert audio.chosen
    assert audio.chosen.payload_type == 111
    assert (offer.username, offer.role, offer.fingerprints) == ("abcd", "client", (("sha-256", "11:22"),))
    assert len(offer.candidates) == 1


def test_the_answer_is_what_a_client_expects() -> None:
    text = answer(parse_offer(changed()), LOCAL)
    read = SessionDescription.parse(text)
    assert [media.kind for media in read.media] == ["audio", "video", "application"]
    assert [media.port for media in read.media] == [9, 9, 0]
    assert [media.direction for media in read.media[:2]] == ["recvonly", "recvonly"]
    (codec,) = read.media[1].rtp.codecs
    assert (codec.mimeType, codec.payloadType) == ("video/H264", 104)
    assert codec.parameters["packetization-mode"] == "1"
    assert codec.parameters["profile-level-id"] == "42e034"
    assert {(one.type, one.parameter) for one in codec.rtcpFeedback} == {
        ("nack", None),
        ("nack", "pli"),
        ("goog-remb", None),
    }
    assert read.group[0].items == ["0", "1"]
    assert read.media[0].dtls
    assert read.media[0].dtls.role == "client"
    assert read.media[0].ice
    assert read.media[0].ice.usernameFragment == "user"
    assert read.media[0].ice_candidates[0].port == 8189
    assert "VP8" not in text


@pytest.mark.parametrize(
    ("setup", "ours"), [("actpass", "active"), ("passive", "active"), ("active", "passive")]
)
def test_the_other_side_of_dtls_is_ours(setup: str, ours: str) -> None:
    text = answer(parse_offer(changed(**{"setup:actpass": f"setup:{setup}"})), LOCAL)
    assert text.count(f"a=setup:{ours}") == 2


@pytest.mark.parametrize(
    "replaced",
    [
        {"H264": "H265"},
        {"m=video": "m=text"},
        {"a=sendonly": "a=recvonly"},
        {"group:BUNDLE_0_1_2": "group:BUNDLE 0"},
        {"UDP/TLS/RTP/SAVPF": "RTP/AVP"},
    ],
)
def test_what_we_cannot_take_is_unfit(replaced: dict[str, str]) -> None:
    with pytest.raises(UnfitOffer):
        parse_offer(changed(**replaced))


@pytest.mark.parametrize(
    "replaced",
    [
        {"a=ice-ufrag:abcd": "a=x:y"},
        {"a=ice-pwd:0123456789012345678901": "a=x:y"},
        {"a=fingerprint:sha-256_11:22": "a=x:y"},
        {"a=fingerprint:sha-256_11:22": "a=fingerprint:sha-256"},
        {"m=audio_9": "m=audio"},
        {"a=mid:1": "a=mid:a b"},
    ],
)
def test_what_makes_no_sense_is_broken(replaced: dict[str, str]) -> None:
    with pytest.raises(BrokenOffer):
        parse_offer(changed(**replaced))


def test_a_second_picture_is_declined() -> None:
    section = OFFER[OFFER.index("m=video") : OFFER.index("m=application")].replace("mid:1", "mid:9")
    text = OFFER.replace("m=application", section + "m=application").replace("0 1 2", "0 1 2 9")
    found = answer(parse_offer(text.encode()), LOCAL)
    assert [media.port for media in SessionDescription.parse(found).media] == [9, 9, 0, 0]


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: (OFFER + text).encode()))
def test_junk_never_crashes(junk: bytes) -> None:
    with contextlib.suppress(BrokenOffer, UnfitOffer):
        assert answer(parse_offer(junk), LOCAL)
    with contextlib.suppress(BrokenOffer):
        assert isinstance(parse_fragment(junk), Fragment)


@given(st.integers(0, len(OFFER)), st.integers(0, 40), st.text(max_size=10))
def test_a_damaged_offer_never_crashes(at: int, cut: int, put: str) -> None:
    with contextlib.suppress(BrokenOffer, UnfitOffer):
        assert answer(parse_offer((OFFER[:at] + put + OFFER[at + cut :]).encode()), LOCAL)


def test_no_secret_is_in_a_repr() -> None:
    assert "0123456789" not in repr(parse_offer(changed()))
    assert "pppp" not in repr(LOCAL)


def test_a_fragment_brings_candidates() -> None:
    data = b"a=ice-ufrag:abcd\r\nm=audio 9 X 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    assert parse_fragment(data) == Fragment("abcd", None, ("1 1 udp 1 192.0.2.1 9 typ host",))
