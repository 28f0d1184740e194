"""A WHIP client's offer, and the answer to it. Pure.

Source: RFC 9725 4.2 (what WHIP narrows WebRTC down to).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from restream.webrtc.sdp import (
    SEND_TIME,
    Codec,
    Local,
    Offer,
    Rules,
    Section,
    codec_lines,
    connection,
    declined,
    heading,
    opening,
    read_offer,
    ways,
)

NO_VIDEO: Final = (
    "Only H.264 video is taken, and the encoder does not offer it. Set its video codec to H.264."
)


def parse_offer(data: bytes) -> Offer:
    """Read an offer and choose what to take of it. Raises BrokenOffer and UnfitOffer."""
    return read_offer(data, Rules(frozenset({"recvonly", "inactive"}), _choice, NO_VIDEO))


def answer(offer: Offer, local: Local) -> str:
    """The SDP answer: H.264 and Opus, received only, over one connection."""
    lines = heading(offer)
    for section in offer.sections:
        lines += _answered(section, section.chosen, offer, local) if section.chosen else declined(section)
    return "\r\n".join(lines) + "\r\n"


def _choice(kind: str, codecs: Sequence[Codec]) -> Codec | None:
    if kind == "audio":
        return next((codec for codec in codecs if (codec.name, codec.rate) == ("opus", 48_000)), None)
    if kind != "video":
        return None
    h264 = [codec for codec in codecs if (codec.name, codec.rate) == ("h264", 90_000)]
    # Mode 1 may cut a picture into many packets; mode 0 needs one packet for each slice.
    return max(h264, key=lambda codec: codec.parameters.get("packetization-mode") == "1", default=None)


def _answered(section: Section, codec: Codec, offer: Offer, local: Local) -> list[str]:
    number = codec.payload_type
    lines = opening(section, str(number), "recvonly") + connection(offer, local) + codec_lines(codec)
    if section.kind == "video":
        lines += [f"a=rtcp-fb:{number} {kind}" for kind in ("nack", "nack pli", "goog-remb")]
    if section.send_time:
        lines.append(f"a=extmap:{section.send_time} {SEND_TIME}")
    return lines + ways(local)
