"""A viewer's offer (WHEP), and the answer to it. Pure.

Source: draft-ietf-wish-whep 4.2. We are an ICE-lite agent (RFC 8445, 2.5): the viewer finds the way to us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from restream.webrtc.sdp import (
    PLAYOUT_DELAY,
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

NO_VIDEO: Final = "WebRTC playback needs H.264, and this player does not offer it."
STREAM: Final = "show"
"""The name of the media stream that picture and sound belong to."""
REPAIR_MS: Final = 1000
"""How long we keep what may be asked for again; the answer says so."""


def parse_viewer(data: bytes, profile: str = "") -> Offer:
    """Read an offer and choose what to send. `profile` are the first two bytes (hex) of what the feed's H.264
    says of itself: of several H.264s the player's nearest is taken. Raises BrokenOffer and UnfitOffer."""

    def choose(kind: str, codecs: Sequence[Codec]) -> Codec | None:
        if kind != "video":
            return next((codec for codec in codecs if (codec.name, codec.rate) == ("opus", 48_000)), None)
        fitting = [one for one in codecs if (one.name, one.rate) == ("h264", 90_000)]
        # Mode 0 has no packet for a picture's part, and our pictures are larger than a packet.
        fitting = [one for one in fitting if one.parameters.get("packetization-mode") == "1"]
        wanted = profile.lower()
        return (
            max(fitting, key=lambda codec: _nearness(codec, wanted), default=None)
            if kind == "video"
            else None
        )

    offer = read_offer(data, Rules(frozenset({"sendonly", "inactive"}), choose, NO_VIDEO))
    # The server of DTLS chooses the cipher of the media, and ours is many times as fast with the right one.
    return replace(offer, role="server") if offer.either else offer


def _nearness(codec: Codec, profile: str) -> tuple[bool, bool]:
    offered = codec.parameters.get("profile-level-id", "42e01f").lower()
    return offered[:4] == profile, offered[:2] == profile[:2]


class Sources(NamedTuple):
    """The numbers (SSRCs) of a viewer's streams."""

    video: int
    repair: int
    audio: int


def answer(offer: Offer, local: Local, sources: Sources, name: str) -> str:
    """The SDP answer: H.264 and Opus, sent only, over one connection. `name` is the sender's CNAME."""
    lines = heading(offer, "a=ice-lite")
    for section in offer.sections:
        if section.chosen is None:
            lines += declined(section)
            continue
        formats = [str(number) for number in (section.chosen.payload_type, section.repair) if number]
        lines += opening(section, " ".join(formats), "sendonly")
        lines.append(f"a=msid:{STREAM} {section.kind}")
        lines += [*connection(offer, local), *codec_lines(section.chosen)]
        if section.kind == "video":
            lines += [f"a=ssrc:{sources.video} cname:{name}"]  # browsers take the first for the media
            lines += _repair(section, section.chosen.payload_type, sources, name)
            if section.playout_delay:
                lines.append(f"a=extmap:{section.playout_delay} {PLAYOUT_DELAY}")
        else:
            lines.append(f"a=ssrc:{sources.audio} cname:{name}")
        lines += ways(local)
    return "\r\n".join(lines) + "\r\n"


def restarted(local: Local) -> str:
    """What answers an ICE restart (RFC 9725, 4.3.3): our new half of it."""
    return (
        "\r\n".join([f"a=ice-ufrag:{local.username}", f"a=ice-pwd:{local.password}", *ways(local)]) + "\r\n"
    )


def _repair(section: Section, number: int, sources: Sources, name: str) -> list[str]:
    """How lost packets are asked for, and how they are sent again."""
    lines = [f"a=rtcp-fb:{number} {kind}" for kind in ("nack", "nack pli", "ccm fir")]
    if section.repair is None:
        return lines
    return [
        *lines,
        f"a=rtpmap:{section.repair} rtx/90000",
        f"a=fmtp:{section.repair} apt={number};rtx-time={REPAIR_MS}",
        f"a=ssrc-group:FID {sources.video} {sources.repair}",
        f"a=ssrc:{sources.repair} cname:{name}",
    ]
