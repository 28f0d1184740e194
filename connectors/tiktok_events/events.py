"""Events for one pixel. A batch with a bad event in it is refused whole, so it is split where that happens.

Sources: TikTok API for Business, "Events API 2.0" (POST /open_api/v1.3/event/track/) and TikTok's help pages
"Supported standard events" and "Event deduplication" (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.base import Session
from connectors.conversions import Match, email_form, hashed, isolated, number, too_old
from connectors.errors import Refused, RetryLater
from connectors.http import decoded
from connectors.tiktok_events.api import Config
from connectors.types import Conversion, ConversionLimits, ConversionOutcome

LIMITS: Final = ConversionLimits(batch=50, oldest=timedelta(days=7), purpose="ads", knows=("tiktok_shop",))
"""TikTok takes 1,000 events, and refuses all of them for one. How old they may be it says only of other
kinds: we hold to Meta's week. Sales of TikTok's own shops it knows."""
PATH: Final = "open_api/v1.3/event/track/"
NAMES: Final = {
    "purchase": "Purchase",
    "refund": "Refund",
    "lead": "Lead",
    "add_to_cart": "AddToCart",
    "begin_checkout": "InitiateCheckout",
}
"""The names since May 2025. `Refund` is a custom event: TikTok takes nothing off a purchase."""
NOBODY: Final = "There is nothing by which TikTok could recognise the buyer. Not sent."
NO_ADS: Final = "The person did not agree to advertising."
NO_CODE: Final = "Enter a test event code first: TikTok counts every event that comes without one."


class TikTokEvents:
    """One pixel."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._config = session.config
        self._url = session.addresses.base_url.rstrip("/") + "/" + PATH

    async def send(self, batch: Sequence[Conversion], *, now: datetime) -> Sequence[ConversionOutcome]:
        """All that is young enough and names anybody, in one request unless TikTok refuses one of them."""
        held = {one.event_id: outcome for one in batch if (outcome := unfit(one, now))}
        fresh = [one for one in batch if one.event_id not in held]
        held |= await isolated(fresh, self._post)
        return [told(one, held[one.event_id]) for one in batch]

    async def check(self, conversion: Conversion, *, now: datetime) -> ConversionOutcome:
        """An event under the test code: it shows in the Events Manager's test view and is not counted."""
        if not self._config.test_event_code:
            raise Refused(NO_CODE)
        outcome = unfit(conversion, now)
        if outcome is None:
            outcome = (await isolated([conversion], self._post_test))[conversion.event_id]
        return told(conversion, outcome)

    async def _post(self, batch: Sequence[Conversion]) -> dict[str, str]:
        return await self._call(self._body(batch))

    async def _post_test(self, batch: Sequence[Conversion]) -> dict[str, str]:
        return await self._call({**self._body(batch), "test_event_code": self._config.test_event_code})

    def _body(self, batch: Sequence[Conversion]) -> dict[str, Any]:
        return {
            "event_source": "web",
            "event_source_id": self._config.pixel_code,
            "data": [event(one) for one in batch],
        }

    async def _call(self, body: dict[str, Any]) -> dict[str, str]:
        answer = decoded((await self._http.request("POST", self._url, json=body)).content)
        if answer is None or "code" not in answer:
            raise RetryLater("TikTok answered with something unreadable.", 30.0, unknown=True)
        return {"request": str(answer.get("request_id", ""))}


def unfit(one: Conversion, now: datetime) -> ConversionOutcome | None:
    """What becomes of an event that TikTok would not take, or could do nothing with."""
    if too_old(one, LIMITS, now):
        return ConversionOutcome(event_id=one.event_id, state="too_old")
    if not one.consent.ads:
        return ConversionOutcome(event_id=one.event_id, state="unmatched", reason=NO_ADS)
    if not set(user(one)) - {"user_agent"}:
        return ConversionOutcome(event_id=one.event_id, state="unmatched", reason=NOBODY)
    return None


def told(one: Conversion, outcome: ConversionOutcome) -> ConversionOutcome:
    """With what TikTok could recognise the person by."""
    if outcome.state != "accepted":
        return outcome
    kinds: tuple[tuple[str, Match], ...] = (
        ("email", "email"),
        ("phone", "phone"),
        ("ttclid", "click"),
        ("ttp", "browser"),
    )
    data = user(one)
    return outcome.model_copy(update={"matched": tuple(kind for name, kind in kinds if name in data)})


def event(one: Conversion) -> dict[str, Any]:
    """One event."""
    found = {
        "event": NAMES[one.event],
        "event_time": int(one.at.timestamp()),
        "event_id": one.event_id,
        "user": user(one),
        "properties": properties(one),
        "page": {"url": one.source_url} if one.source_url else None,
        "limited_data_use": True if one.consent.opted_out else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def user(one: Conversion) -> dict[str, str]:
    """Who it was: contact data hashed, browser and address as they are; nothing without consent to ads."""
    if not one.consent.ads:
        return {}
    who, browser = one.contact, one.browser
    found = {
        "email": hashed(who.email, email_form),
        "phone": hashed(who.phone, phone_form),
        "external_id": hashed(who.external_id, str.strip),
        "ttclid": browser.ttclid,
        "ttp": browser.ttp,
        "ip": browser.ip.get_secret_value() if browser.ip else None,
        "user_agent": browser.user_agent.get_secret_value() if browser.user_agent else None,
    }
    return {name: value for name, value in found.items() if value}


def phone_form(text: str) -> str:
    """E.164, the plus included: +1 (650) 555-1212 → +16505551212."""
    digits = re.sub(r"[^0-9]", "", text).lstrip("0")
    return f"+{digits}" if digits else ""


def properties(one: Conversion) -> dict[str, Any]:
    """What was bought."""
    found: dict[str, Any] = {
        "value": number(one.money) if one.money else None,
        "currency": one.money.currency if one.money else None,
        "order_id": one.order_id,
        "content_type": "product" if one.items else None,
        "contents": [
            {
                "content_id": item.id,
                "content_name": item.title,
                "quantity": item.quantity,
                "price": number(item.unit_price),
            }
            for item in one.items
        ],
    }
    return {name: value for name, value in found.items() if value not in (None, [])}
