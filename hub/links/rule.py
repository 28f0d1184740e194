"""The rule that fills a link's tags (GA4's conventions), and the letters they are written in. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from uuid import UUID

LONGEST: Final = 100
OTHER: Final = re.compile(r"[^a-z0-9_-]+")
LETTERS: Final = {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ł": "l", "þ": "th", "ı": "i"}
"""What Unicode does not take apart into a plain letter and its accent."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a link is about. `platform` is a connector's name, or what stands behind an address."""

    placement: str
    show_id: UUID | None = None
    slug: str | None = None
    platform: str | None = None
    host: str | None = None
    sku: str | None = None
    title: str = ""
    boosted: bool = False


def by_rule(facts: Facts) -> dict[str, str | None]:
    """Source is the platform, campaign the show, content the host and the place, term the SKU.

    `social` and `paid_social` are what GA4's channel groups know; `live` would be "Unassigned". Without a
    platform (a code printed on a parcel) the place itself is the source, and the medium a link.
    """
    usual = "social" if facts.platform else "link"
    return {
        "utm_source": word(facts.platform) or facts.placement,
        "utm_medium": "paid_social" if facts.boosted else usual,
        "utm_campaign": word(facts.slug) or word(facts.title) or "link",
        "utm_content": word("-".join(part for part in (word(facts.host), facts.placement) if part)),
        "utm_term": word(facts.sku),
        "utm_id": facts.show_id.hex if facts.show_id else None,
    }


def word(text: str | None) -> str | None:
    """Small letters, digits, `_` and `-`, at most 100; None where nothing is left.

    Accents are dropped. A word of another script gets letters of its own (Punycode), so that two hosts
    remain two. Repeatable: a word stays as it is.
    """
    plain = unicodedata.normalize("NFKD", (text or "").lower())
    plain = "".join(LETTERS.get(letter, letter) for letter in plain if not unicodedata.combining(letter))
    made = squeezed(plain)
    if not made and any(letter.isalnum() for letter in plain):
        made = squeezed(plain.encode("punycode", "ignore").decode("ascii", "ignore").lower())
    return made or None


def squeezed(text: str) -> str:
    """One dash for whatever does not belong there."""
    return OTHER.sub("-", text).strip("-")[:LONGEST].strip("-")
