"""WebRTC offers as they come in over HTTP, and what our answers to WHIP and WHEP have in common. Pure.

Sources: RFC 8866 (SDP), RFC 8829 (what browsers offer), RFC 6184 8.2 and RFC 7587 7 (H.264 and Opus in SDP),
RFC 4588 8 (rtx), RFC 8840 (candidates sent later).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

LARGEST: Final = 64 << 10
"""Bytes; a browser's offer has about 8 KiB."""
MOST_SECTIONS: Final = 16
MOST_CANDIDATES: Final = 64
SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
PLAYOUT_DELAY: Final = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
HIGHEST_LEVEL: Final = "34"
"""5.2: we decode nothing, so no picture is too large. The profile stays the one that was offered."""
RTPMAP: Final = re.compile(r"(\d{1,3}) ([^/ ]+)/(\d+)(?:/(\d+))?")
MEDIA: Final = re.compile(r"(\w+) \d+(?:/\d+)? (\S+)((?: \S+)+)")
TOKEN: Final = re.compile(r"[A-Za-z0-9+/_.-]{1,256}")

Role = Literal["client", "server"]


class BrokenOffer(ValueError):
    """The bytes are no offer."""


class UnfitOffer(ValueError):
    """An offer we cannot answer; the sentence says what to set in the encoder."""


@dataclass(frozen=True)
class Codec:
    """One payload type, with its parameters as they were offered."""

    payload_type: int
    name: str
    rate: int
    channels: int = 1
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """One m-line. `chosen` is what we take of it, None: nothing; `repair` is the payload type of what is sent
    again (rtx). `send_time` and `playout_delay` are numbers of header extensions."""

    kind: str
    protocol: str
    formats: str
    mid: str
    chosen: Codec | None = None
    send_time: int | None = None
    repair: int | None = None
    playout_delay: int | None = None


@dataclass(frozen=True)
class Offer:
    """What the peer is and what it wants. `candidates` are ICE candidate lines.

    `role` is ours in DTLS; where the peer leaves it to us (`either`) it may be the other one too.
    """

    sections: tuple[Section, ...]
    username: str
    password: str = field(repr=False)
    fingerprints: tuple[tuple[str, str], ...] = ()
    role: Role = "client"
    either: bool = False
    candidates: tuple[str, ...] = ()

    def section(self, kind: str) -> Section | None:
        """The accepted section of that kind."""
        return next((found for found in self.sections if found.kind == kind and found.chosen), None)


@dataclass(frozen=True)
class Rules:
    """What to take of an offer: sections but those with one of these directions, and of each the codec that
    `choose` picks (given the kind). `no_video` is the sentence for an offer without such a video."""

    declined: frozenset[str]
    choose: Callable[[str, Sequence[Codec]], Codec | None]
    no_video: str


@dataclass(frozen=True)
class Local:
    """What our side says about itself. `candidates` are ICE candidate lines."""

    username: str
    password: str = field(repr=False)
    fingerprint: str = ""
    candidates: Sequence[str] = ()


@dataclass
class _Lines:
    """Attributes of a section, with those of the whole session behind them."""

    head: str
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.attributes if found == name]

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


def read_offer(data: bytes, rules: Rules) -> Offer:
    """Read an offer and choose what to take of it, once of each kind. Raises BrokenOffer and UnfitOffer."""
    session, sections = _split(data)
    if not sections:
        raise BrokenOffer("The offer has no media in it.")
    bundled = next((value.split()[1:] for value in session.all("group") if value.startswith("BUNDLE")), [])
    taken: set[str] = set()
    found: list[Section] = []
    for number, lines in enumerate(sections):
        section = _section(lines, str(number), rules)
        if section.chosen and section.kind not in taken:
            taken.add(section.kind)
        else:
            section = Section(section.kind, section.protocol, section.formats, section.mid)
        found.append(section)
    if "video" not in taken:
        raise UnfitOffer(rules.no_video)
    if any(one.chosen and one.mid not in bundled for one in found) and len(taken) > 1:
        raise UnfitOffer("Picture and sound must come over one connection (BUNDLE).")
    first = next(lines for lines, one in zip(sections, found, strict=True) if one.chosen)
    return _described(found, first, session)


def heading(offer: Offer, *lines: str) -> list[str]:
    """The session's part of an answer: one connection for all that is taken."""
    mids = " ".join(section.mid for section in offer.sections if section.chosen)
    head = ("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0")
    return [*head, *lines, f"a=group:BUNDLE {mids}", "a=msid-semantic: WMS *"]


def opening(section: Section, formats: str, direction: str) -> list[str]:
    """The first lines of a section that is taken."""
    return [
        f"m={section.kind} 9 {section.protocol} {formats}",
        "c=IN IP4 0.0.0.0",
        *(f"a={direction}", f"a=mid:{section.mid}", "a=rtcp-mux", "a=rtcp-rsize"),
    ]


def connection(offer: Offer, local: Local) -> list[str]:
    """How to reach us."""
    return [
        f"a=ice-ufrag:{local.username}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        f"a=setup:{'active' if offer.role == 'client' else 'passive'}",
    ]


def ways(local: Local) -> list[str]:
    """All our candidates; none come later."""
    return [*(f"a=candidate:{candidate}" for candidate in local.candidates), "a=end-of-candidates"]


def declined(section: Section) -> list[str]:
    """A section of which nothing is taken."""
    return [f"m={section.kind} 0 {section.protocol} {section.formats}", "a=inactive", f"a=mid:{section.mid}"]


def codec_lines(codec: Codec) -> list[str]:
    """Opus or H.264, with the parameters we answer."""
    number = codec.payload_type
    if codec.name == "opus":
        parameters = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"
        return [f"a=rtpmap:{number} opus/{codec.rate}/2", f"a=fmtp:{number} {parameters}"]
    return [f"a=rtpmap:{number} H264/{codec.rate}", f"a=fmtp:{number} {_h264(codec.parameters)}"]


@dataclass(frozen=True)
class Fragment:
    """What a PATCH says (RFC 8840, 9): whose candidates, and which. Another user name is an ICE restart."""

    username: str | None
    password: str | None = field(repr=False)
    candidates: tuple[str, ...] = ()


def parse_fragment(data: bytes) -> Fragment:
    """Read a trickle fragment. Raises BrokenOffer."""
    session, sections = _split(data)
    everything = [session, *sections]
    username = next((found for lines in everything if (found := lines.first("ice-ufrag"))), None)
    password = next((found for lines in everything if (found := lines.first("ice-pwd"))), None)
    candidates = [candidate for lines in everything for candidate in lines.all("candidate")]
    return Fragment(username, password, tuple(candidates[:MOST_CANDIDATES]))


def _split(data: bytes) -> tuple[_Lines, list[_Lines]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BrokenOffer("The offer is no text.") from error
    session, sections = _Lines(""), list[_Lines]()
    for line in text.splitlines():
        kind, equals, value = line.strip().partition("=")
        if not line.strip():
            continue
        if len(kind) != 1 or not equals:
            raise BrokenOffer("The offer is no SDP.")
        if kind == "m":
            sections.append(_Lines(value))
        elif kind == "a":
            name, _, content = value.partition(":")
            (sections[-1] if sections else session).attributes.append((name, content.strip()))
    if len(sections) > MOST_SECTIONS:
        raise BrokenOffer("The offer has too many media sections.")
    return session, sections


def _section(lines: _Lines, number: str, rules: Rules) -> Section:
    head = MEDIA.fullmatch(lines.head)
    if not head:
        raise BrokenOffer("The offer has a media section that makes no sense.")
    kind, protocol, formats = head.groups()
    mid = lines.first("mid") or number
    if not TOKEN.fullmatch(mid):
        raise BrokenOffer("The offer has a mid that makes no sense.")
    codecs = _codecs(lines, formats.split())
    fits = "SAVPF" in protocol and not rules.declined & {name for name, _ in lines.attributes}
    chosen = rules.choose(kind, codecs) if fits else None
    return Section(
        kind,
        protocol,
        formats.strip(),
        mid,
        chosen,
        send_time=_extension(lines, SEND_TIME),
        repair=_repair(chosen, codecs),
        playout_delay=_extension(lines, PLAYOUT_DELAY),
    )


def _repair(chosen: Codec | None, codecs: Sequence[Codec]) -> int | None:
    if chosen is None:
        return None
    again = (one for one in codecs if one.name == "rtx")
    wanted = str(chosen.payload_type)
    return next((one.payload_type for one in again if one.parameters.get("apt") == wanted), None)


def _codecs(lines: _Lines, formats: list[str]) -> list[Codec]:
    parameters: dict[str, dict[str, str]] = {}
    for value in lines.all("fmtp"):
        number, _, rest = value.partition(" ")
        pairs = (pair.strip().partition("=") for pair in rest.split(";"))
        parameters[number] = {name.lower(): content for name, _, content in pairs if name}
    codecs = []
    for number in formats:
        for value in lines.all("rtpmap"):
            found = RTPMAP.fullmatch(value)
            if found and found[1] == number and int(number) < 128:
                codecs.append(
                    Codec(
                        payload_type=int(number),
                        name=found[2].lower(),
                        rate=int(found[3]),
                        channels=int(found[4] or 1),
                        parameters=parameters.get(number, {}),
                    )
                )
    return codecs


def _extension(lines: _Lines, wanted: str) -> int | None:
    for value in lines.all("extmap"):
        number, _, uri = value.partition(" ")
        number = number.partition("/")[0]
        if uri.split(" ")[0] == wanted and number.isdecimal() and 1 <= int(number) <= 14:
            return int(number)
    return None


def _described(sections: list[Section], first: _Lines, session: _Lines) -> Offer:
    username = first.first("ice-ufrag") or session.first("ice-ufrag")
    password = first.first("ice-pwd") or session.first("ice-pwd")
    prints = [value.split() for value in first.all("fingerprint") or session.all("fingerprint")]
    if not username or not password or not prints or any(len(found) != 2 for found in prints):
        raise BrokenOffer("The offer does not say how to connect: ICE or DTLS is missing.")
    setup = first.first("setup") or session.first("setup") or "actpass"
    return Offer(
        sections=tuple(sections),
        username=username,
        password=password,
        fingerprints=tuple((algorithm.lower(), value) for algorithm, value in prints),
        role="server" if setup == "active" else "client",
        either=setup == "actpass",
        candidates=tuple(first.all("candidate")[:MOST_CANDIDATES]),
    )


def _h264(offered: dict[str, str]) -> str:
    level = offered.get("profile-level-id", "42e01f")
    asymmetric = offered.get("level-asymmetry-allowed") == "1"
    if not re.fullmatch(r"[0-9a-fA-F]{6}", level):
        level = "42e01f"
    parts = ["level-asymmetry-allowed=1"] if asymmetric else []
    if offered.get("packetization-mode") == "1":
        parts.append("packetization-mode=1")
    return ";".join([*parts, f"profile-level-id={level[:4] + HIGHEST_LEVEL if asymmetric else level}"])
