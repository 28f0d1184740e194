"""The handles a person can be recognised by, in one spelling each, and what may be shown of them.

`phonenumbers` is Google's libphonenumber; its tables are read on first use, not at start.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

ROLES: Final = frozenset(
    {
        *(
            "abuse",
            "accounts",
            "admin",
            "billing",
            "contact",
            "customerservice",
            "enquiries",
            "hello",
            "help",
        ),
        *("hr", "info", "jobs", "mail", "marketing", "news", "newsletter", "noreply", "no-reply", "office"),
        *("order", "orders", "postmaster", "press", "privacy", "returns", "root", "sales", "security"),
        *("service", "shop", "store", "support", "team", "webmaster", "welcome"),
        *("bestellung", "bestellungen", "buchhaltung", "kontakt", "verkauf", "contacto", "pedidos", "ventas"),
        *("boutique", "commandes", "ordini"),
    }
)
"""Mailboxes of a role (RFC 2142, and what shops call theirs): several people read and use them."""
RELAYS: Final = re.compile(
    r"(^|\.)(privaterelay\.appleid\.com|mozmail\.com|relay\.firefox\.com|duck\.com|scs\d*\.tiktok\.com|"
    r"marketplace\.amazon\.[a-z.]+|members\.ebay\.[a-z.]+|passmail\.net|anonaddy\.(com|me)|simplelogin\.(co|com)|"
    r"guest\.shopify\.com)$"
)
"""Forwarding addresses, made by a platform for one order or one shop."""
HINTED: Final = {"visitor": "A browser", "payment": "A card"}


@dataclass(frozen=True)
class Handle:
    """One way to recognise a person. `value` is normalised; `ignored`: it is nobody's own."""

    kind: str
    value: str
    ignored: bool = False
    loose: str | None = field(default=None, repr=False)

    @property
    def hint(self) -> str:
        """What staff may always see of it."""
        return masked(self.kind, self.value)


@dataclass(frozen=True)
class Person:
    """What an order, a sign-in or a claim says about somebody.

    `country` (ISO 3166-1) is where a phone without a country code is from; with `postcode` and the name it is
    a likeness, good for suggestions. `verified`: they have shown that the e-mail is theirs. `visitor_id`: the
    browser. `payment_fingerprint`: the gateway's word for the card, the same for the same card.
    """

    name: str | None = None
    email: str | None = field(default=None, repr=False)
    platform: str | None = None
    platform_user: str | None = None
    phone: str | None = field(default=None, repr=False)
    country: str | None = None
    postcode: str | None = field(default=None, repr=False)
    verified: bool = False
    visitor_id: str | None = None
    payment_fingerprint: str | None = None

    def handles(self) -> list[Handle]:
        """What leads to one person: account and e-mail, the one they came with first.

        A role's or a relay's address is left out beside an account; alone it is all there is.
        """
        found = []
        if self.platform and self.platform_user:
            found.append(Handle("platform_user", f"{self.platform}:{self.platform_user}"))
        email = email_handle(self.email)
        if email and not (email.ignored and found):
            found.append(email)
        return found

    def mentions(self) -> list[Handle]:
        """What they may share with others: it only suggests, and lends its visits."""
        found = [phone_handle(self.phone, self.country)]
        found.append(Handle("visitor", self.visitor_id) if self.visitor_id else None)
        found.append(Handle("payment", self.payment_fingerprint) if self.payment_fingerprint else None)
        return [handle for handle in found if handle]

    def likeness(self) -> str | None:
        """Name and postcode, as a suggestion compares them."""
        words, where = name_words(self.name), re.sub(r"\W", "", self.postcode or "").upper()
        if len(words) < 2 or not where:
            return None
        return f"{' '.join(sorted(words))}|{(self.country or '').upper()}|{where}"


@dataclass(frozen=True)
class Evidence:
    """Where what is said about somebody comes from: said twice with one source, it is one evidence.

    `kind` as in `IdentityEdge`. Without `proof` it only suggests: a public link that anybody may have opened.
    """

    kind: str
    source_type: str
    source_id: str
    at: datetime
    proof: bool = True
    note: str = ""


@dataclass(frozen=True)
class Known:
    """A person, and the node they came with."""

    customer_id: UUID
    node_id: UUID


def email_handle(email: str | None) -> Handle | None:
    """Trimmed, lower-case, its domain as DNS spells it (IDNA). None for what is no address."""
    local, at, domain = (email or "").strip().lower().rpartition("@")
    if not at or not local or not domain:
        return None
    domain = ascii_domain(domain)
    plain = local.partition("+")[0]
    loose = f"{plain.replace('.', '') or plain}@{'gmail.com' if domain == 'googlemail.com' else domain}"
    ignored = plain in ROLES or RELAYS.search(domain) is not None
    return Handle("email", f"{local}@{domain}", ignored, None if ignored else loose)


def ascii_domain(domain: str) -> str:
    """The A-label form of a domain; as it is where it has none."""
    domain = domain.rstrip(".")
    if domain.isascii():
        return domain
    try:
        # The codec is IDNA 2003, which is what mail programs' own normalisation (UTS 46) agrees with.
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def phone_handle(phone: str | None, country: str | None) -> Handle | None:
    """E.164. One that can't be placed (no country, masked by the platform) joins nobody: None, or ignored."""
    phone = phone or ""
    digits = re.sub(r"\D", "", phone)
    if len(digits) < 7 or "*" in phone:
        return None
    import phonenumbers  # here: it reads its tables

    loose = digits[-8:]
    try:
        number = phonenumbers.parse(phone, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return Handle("phone", f"?{digits}", ignored=True, loose=loose)
    if not phonenumbers.is_valid_number(number):
        return Handle("phone", f"?{digits}", ignored=True, loose=loose)
    full = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Handle("phone", full, loose=loose)


def name_words(name: str | None) -> frozenset[str]:
    """The words of a name as they are compared: no case, no accents, no order, no initials."""
    plain = unicodedata.normalize("NFKD", name or "").casefold()
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return frozenset(word for word in re.findall(r"\w+", plain) if len(word) > 1 and not word.isdigit())


def masked(kind: str, value: str) -> str:
    """A hint at a value that gives it to nobody who does not know it: "j…@example.com", "+49…12"."""
    if kind in HINTED:
        return HINTED[kind]
    if kind == "email":
        local, _, domain = value.rpartition("@")
        return f"{local[:1]}…@{domain}"
    if kind == "phone":
        return f"{value[:3]}…{value[-2:]}"
    if kind == "platform_user":
        platform, _, user = value.partition(":")
        return f"{platform} …{user[-4:]}"
    return "An account of ours"
