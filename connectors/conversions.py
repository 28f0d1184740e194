"""Conversions, as they cross the connector boundary, and what every account that is told of them must do.

A personal value is a SecretStr in the clear: each platform's own rules say how it is written and hashed, so
the connector does both, at the moment of sending. `connectors.types` has the values, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr

from connectors.errors import Refused
from connectors.money import Money, Value

ConversionEvent = Literal["purchase", "refund", "lead", "add_to_cart", "begin_checkout"]
Match = Literal["email", "phone", "click", "browser"]
"""By what a platform may recognise somebody: a click is one on an ad, a browser its own cookie."""


class ConversionItem(Value):
    """Pieces of one variant. `unit_price` is what one of them cost after discounts."""

    id: str
    title: str
    quantity: int = Field(gt=0)
    unit_price: Money


class ConversionConsent(Value):
    """What the person agreed to. `opted_out`: they asked that nothing of them be sold, as US states allow.

    Without `ads` no platform is told anything that names the person or the browser for advertising.
    """

    analytics: bool = False
    ads: bool = False
    opted_out: bool = False


class Contact(Value):
    """Who it was, as far as they told us. `phone` is E.164 with its plus; `country` is ISO 3166-1 alpha-2."""

    email: SecretStr | None = None
    phone: SecretStr | None = None
    first_name: SecretStr | None = None
    last_name: SecretStr | None = None
    city: SecretStr | None = None
    region: SecretStr | None = None
    postcode: SecretStr | None = None
    country: SecretStr | None = None
    external_id: SecretStr | None = None


class Browser(Value):
    """What the person's browser is called elsewhere, as it stands in cookies and addresses, case kept.

    `ga_sessions`: GA4's session id by measurement id. `fbc` is whole: `fb.1.{ms}.{fbclid}`.
    """

    ga_client: str | None = None
    ga_sessions: dict[str, str] = Field(default_factory=dict)
    gclid: str | None = None
    fbp: str | None = None
    fbc: str | None = None
    ttp: str | None = None
    ttclid: str | None = None
    ip: SecretStr | None = None
    user_agent: SecretStr | None = None


class Conversion(Value):
    """One thing that happened. `event_id` is the same wherever else it is told, the page's own script too.

    `money` is the whole order's, or of a refund what was given back (positive).
    """

    event: ConversionEvent
    event_id: str
    at: AwareDatetime
    money: Money | None = None
    tax: Money | None = None
    shipping: Money | None = None
    coupon: str | None = None
    items: tuple[ConversionItem, ...] = ()
    order_id: str | None = None
    consent: ConversionConsent = ConversionConsent()
    contact: Contact = Contact()
    browser: Browser = Browser()
    source_url: str | None = None


class ConversionOutcome(Value):
    """What became of one. `refused`: a definite no, which `reason` explains in a sentence for the brand.

    `unmatched`: there is nothing by which the platform could know anyone, so it was not sent. `duplicate`:
    the platform says it knew. `later`: it was not told though others of the batch were, so send it again.
    `matched`: by what it may recognise the person. `diagnostics`: its own words.
    """

    event_id: str
    state: Literal["accepted", "refused", "too_old", "duplicate", "unmatched", "later"]
    reason: str = ""
    matched: tuple[Match, ...] = ()
    diagnostics: dict[str, str] = Field(default_factory=dict)


class ConversionLimits(Value):
    """What an account takes: `batch` events at once, none older than `oldest`.

    `purpose`: what a person must have agreed to. `says_login`: False where it takes everything and never says
    that the login is wrong. `knows`: channels whose sales the platform made itself; told again they would
    count twice.
    """

    batch: int = Field(gt=0)
    oldest: timedelta
    purpose: Literal["analytics", "ads"]
    says_login: bool = True
    knows: tuple[str, ...] = ()


def sha256(value: str) -> str:
    """As advertising platforms want it: of the UTF-8 text, lower-case hexadecimal."""
    return hashlib.sha256(value.encode()).hexdigest()


def number(money: Money) -> float | int:
    """An amount as a JSON number, in the currency's major unit."""
    text = money.decimal()
    return float(text) if "." in text else int(text)


def hashed(value: SecretStr | None, normal: Callable[[str], str]) -> str | None:
    """The hash of a personal value in a platform's own spelling; None when nothing is left of it."""
    text = normal(value.get_secret_value()) if value else ""
    return sha256(text) if text else None


def email_form(text: str) -> str:
    """Trimmed and in lower case, as Meta and TikTok want it; empty when it is no address."""
    found = text.strip().lower()
    return found if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", found) else ""


def too_old(one: Conversion, limits: ConversionLimits, now: datetime) -> bool:
    """Whether a platform would not take it any more."""
    return now - one.at > limits.oldest


Post = Callable[[Sequence[Conversion]], Awaitable[dict[str, str]]]
"""Sends a batch whole and returns the platform's diagnostics; Refused when it takes none of it."""


async def isolated(batch: Sequence[Conversion], post: Post) -> dict[str, ConversionOutcome]:
    """Send to a platform that refuses a batch for the sake of one: it is halved until that one is alone."""
    if not batch:
        return {}
    try:
        said = await post(batch)
    except Refused as error:
        if len(batch) > 1:
            middle = len(batch) // 2
            return await isolated(batch[:middle], post) | await isolated(batch[middle:], post)
        [one] = batch
        why = {"code": error.code} if error.code else {}
        return {
            one.event_id: ConversionOutcome(
                event_id=one.event_id, state="refused", reason=error.reason, diagnostics=why
            )
        }
    return {
        one.event_id: ConversionOutcome(event_id=one.event_id, state="accepted", diagnostics=said)
        for one in batch
    }
