"""Who it was, as Meta wants it said: normalised field by field, then hashed; browser and address as they are.

Source: developers.facebook.com, Conversions API "Customer information parameters" (updated 2026-01), whose
examples are the test vectors.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from connectors.conversions import Match, email_form, hashed
from connectors.types import Conversion

WEAK: Final = frozenset({"ct", "country", "st", "zp", "client_user_agent"})
"""Meta calls an event invalid that has nothing but these."""


def user_data(one: Conversion) -> dict[str, object]:
    """The `user_data` of an event; nothing at all without consent to advertising."""
    if not one.consent.ads:
        return {}
    who, browser = one.contact, one.browser
    in_us = who.country is not None and who.country.get_secret_value().strip().lower() == "us"
    lists = {
        "em": hashed(who.email, email_form),
        "ph": hashed(who.phone, phone_form),
        "fn": hashed(who.first_name, name_form),
        "ln": hashed(who.last_name, name_form),
        "ct": hashed(who.city, place_form),
        "st": hashed(who.region, place_form),
        "zp": hashed(who.postcode, us_postcode_form if in_us else postcode_form),
        "country": hashed(who.country, place_form),
        "external_id": hashed(who.external_id, str.strip),
    }
    plain = {
        "client_ip_address": browser.ip.get_secret_value() if browser.ip else None,
        "client_user_agent": browser.user_agent.get_secret_value() if browser.user_agent else None,
        "fbc": browser.fbc,
        "fbp": browser.fbp,
    }
    hashes = {name: [value] for name, value in lists.items() if value}
    return hashes | {name: value for name, value in plain.items() if value}


def matched(data: dict[str, object]) -> tuple[Match, ...]:
    """By what Meta may recognise the person."""
    kinds: tuple[tuple[str, Match], ...] = (
        ("em", "email"),
        ("ph", "phone"),
        ("fbc", "click"),
        ("fbp", "browser"),
    )
    return tuple(kind for name, kind in kinds if name in data)


def phone_form(text: str) -> str:
    """Digits with the country code, no leading zeros: +1 (650) 555-1212 → 16505551212."""
    return re.sub(r"[^0-9]", "", text).lstrip("0")


def name_form(text: str) -> str:
    """Lower case without punctuation; letters of any script stay as they are."""
    return "".join(sign for sign in text.lower() if unicodedata.category(sign)[0] not in "PSC").strip()


def place_form(text: str) -> str:
    """Lower case without punctuation, special characters and spaces: New York → newyork."""
    return "".join(sign for sign in text.lower() if unicodedata.category(sign)[0] not in "PSCZ")


def postcode_form(text: str) -> str:
    """Lower case without spaces and dashes: M1 1AE → m11ae."""
    return re.sub(r"[\s-]", "", text.lower())


def us_postcode_form(text: str) -> str:
    """The first five digits."""
    return postcode_form(text)[:5]
