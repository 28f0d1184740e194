"""UTM tags and click ids, read from and written to addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id")
MORE: Final = ("utm_source_platform", "utm_creative_format", "utm_marketing_tactic")
"""Further ones GA4 reads; we pass them on and write none of our own."""
CLICK_IDS: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in (
        *("gclid", "gbraid", "wbraid", "dclid", "fbclid", "ttclid"),
        *("msclkid", "twclid", "li_fat_id", "epik", "ScCid"),
    )
}
"""What advertisers' networks add to an address somebody paid for, by its name in small letters."""
SHARE_TOKENS: Final = frozenset({"igshid", "igsh", "si"})
"""What Instagram and YouTube add when somebody passes an address on: a share, no ad."""
LONGEST: Final = 200
LONGEST_ID: Final = 500
"""Of a click id. Its letters stay as they are: `fbclid` in small letters is another click."""
MOST: Final = 100
"""Parameters that are read; our own come first."""
UNSAFE: Final = frozenset(b' "#<>\\^`{|}')
"""Bytes that may not stand in an address as they are, or would end its query."""


@dataclass(frozen=True)
class Tags:
    """What an address says about where somebody came from.

    `link` and `click` are of our own redirect: the link's code, and the id of its click.
    """

    utm: dict[str, str] = field(default_factory=dict)
    click_ids: dict[str, str] = field(default_factory=dict)
    link: str | None = None
    click: str | None = None
    share_tokens: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.utm or self.click_ids or self.share_tokens)


def read_tags(address: str) -> Tags:
    """Tags of an address; names in any case, values trimmed, the first of a repeated name counts."""
    try:
        return tags_of(urlsplit(address).query)
    except ValueError:
        return Tags()


def tags_of(query: str) -> Tags:
    """Tags of an address's query, decoded once."""
    found = Tags()
    own: dict[str, str] = {}
    for name, value in pairs_of(query):
        small = name.lower()
        if small in UTM:
            found.utm.setdefault(small, value[:LONGEST])
        elif small in MORE:
            found.more.setdefault(small, value[:LONGEST])
        elif small in CLICK_IDS:
            found.click_ids.setdefault(CLICK_IDS[small], value[:LONGEST_ID])
        elif small in SHARE_TOKENS:
            found.share_tokens.setdefault(small, value[:LONGEST_ID])
        elif small in ("sh_link", "sh_click"):
            own.setdefault(small, value)
    if "utm_source" in found.utm:
        found.utm["utm_source"] = found.utm["utm_source"].lower()
    link, click = own.get("sh_link", "")[:32] or None, own.get("sh_click", "")[:36] or None
    return Tags(found.utm, found.click_ids, link, click, found.share_tokens, found.more)


def pairs_of(query: str) -> Iterator[tuple[str, str]]:
    """Names and values, the first hundred; empty ones are left out, and so is what no table can keep."""
    for name, value in parse_qsl("&".join(query.split("&", MOST)[:MOST])):
        kept = "".join(letter for letter in value if letter.isprintable()).strip()
        if kept:
            yield name, kept


def tagged(place: str, tags: Mapping[str, str | None], extra: bytes = b"") -> str:
    """`place` with tags. What the visitor brought (`extra`, a raw query) comes last, untouched.

    First occurrence wins wherever tags are read, so nobody can rename our link by adding to its address; and
    whatever they add, it is part of the query: neither host nor path nor fragment.
    """
    base, hash_sign, fragment = place.partition("#")
    query = urlencode([(name, value) for name, value in tags.items() if value])
    parts = [part for part in (query, carried(extra)) if part]
    glue = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return base + (glue + "&".join(parts) if parts else "") + hash_sign + fragment


def carried(query: bytes) -> str:
    """A raw query for a header: every byte as it was, those that have no place there percent-encoded."""
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and byte not in UNSAFE else f"%{byte:02X}" for byte in query
    )
