"""Events for one web stream. Google answers 2xx to everything, so what it would drop is not sent.

Sources: developers.google.com, Measurement Protocol for GA4: reference, sending events, validating events
(read 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.conversions import isolated, number, too_old
from connectors.errors import RetryLater
from connectors.types import Conversion, ConversionLimits, ConversionOutcome

LIMITS: Final = ConversionLimits(batch=25, oldest=timedelta(hours=72), purpose="analytics", says_login=False)
WORLD: Final = "https://www.google-analytics.com/"
EUROPE: Final = "https://region1.google-analytics.com/"
NAMES: Final = {"purchase": "purchase", "refund": "refund", "lead": "generate_lead"}
"""Where Google's name is another than ours; the rest are spelled alike."""
VALUE: Final = 100
"""Characters of a parameter's value; an address may be longer."""
ADDRESS: Final = 1000
ITEMS: Final = 200
BYTES: Final = 120_000
"""Of a request; Google takes less than 130 kB."""
NO_CLIENT: Final = (
    "The buyer's browser has no Google Analytics cookie, so Google would count a new visitor. Not sent."
)


class Config(BaseModel):
    """What a brand enters once."""

    measurement_id: str = Field(
        title="Measurement ID",
        description="From Google Analytics → Admin → Data streams → your stream, for example G-AB12CD34EF.",
        pattern=r"^G-[A-Z0-9]{4,20}$",
    )
    api_secret: SecretStr = Field(
        title="API secret",
        description="On the same page under Measurement Protocol API secrets → Create. Copy its value.",
        min_length=8,
    )
    region: Literal["world", "eu"] = Field(
        default="world",
        title="Where Google collects",
        description="Choose eu to have it collected in the European Union.",
    )


class Ga4Events:
    """One stream. Events of one browser share a request."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._config = session.config
        root = session.addresses.base_url
        self._root = EUROPE if session.config.region == "eu" and root == WORLD else root

    async def send(self, batch: Sequence[Conversion], *, now: datetime) -> Sequence[ConversionOutcome]:
        """One request for each browser; what it would drop without a word is told apart before."""
        held = {one.event_id: outcome for one in batch if (outcome := unfit(one, now))}
        fresh = [one for one in batch if one.event_id not in held]
        await self._send(fresh, held)
        return [
            outcome.model_copy(update={"matched": matched(one)}) if outcome.state == "accepted" else outcome
            for one in batch
            if (outcome := held[one.event_id])
        ]

    async def _send(self, fresh: Sequence[Conversion], held: dict[str, ConversionOutcome]) -> None:
        """Browser by browser: what was told before one fails is not told again.

        Google knows a purchase that is repeated; of a refund it says nothing.
        """
        for part in parts(fresh, self._config.measurement_id):
            try:
                held |= await isolated(part, self._post)
            except RetryLater as error:
                if not any(outcome.state == "accepted" for outcome in held.values()):
                    raise
                held |= {
                    one.event_id: ConversionOutcome(event_id=one.event_id, state="later", reason=error.reason)
                    for one in fresh
                    if one.event_id not in held
                }
                return

    async def check(self, conversion: Conversion, *, now: datetime) -> ConversionOutcome:
        """Google's validation server; what is sent there is not counted. It does not look at the secret."""
        outcome = unfit(conversion, now)
        if outcome:
            return outcome
        body = request([conversion], self._config.measurement_id)
        answer = await self._http.request(
            "POST",
            f"{self._root}debug/mp/collect",
            params={"measurement_id": self._config.measurement_id},
            secret_params={"api_secret": self._config.api_secret.get_secret_value()},
            json={**body, "validation_behavior": "ENFORCE_RECOMMENDATIONS"},
        )
        wrong = messages(answer.content)
        return ConversionOutcome(
            event_id=conversion.event_id,
            state="refused" if wrong else "accepted",
            reason=" ".join(f"Google says: {text}" for text in wrong.values()),
            matched=matched(conversion),
            diagnostics=wrong,
        )

    async def _post(self, part: Sequence[Conversion]) -> dict[str, str]:
        await self._http.request(
            "POST",
            f"{self._root}mp/collect",
            params={"measurement_id": self._config.measurement_id},
            secret_params={"api_secret": self._config.api_secret.get_secret_value()},
            json=request(part, self._config.measurement_id),
        )
        return {}


def unfit(one: Conversion, now: datetime) -> ConversionOutcome | None:
    """What becomes of an event that Google would take and drop; None for one worth sending."""
    if too_old(one, LIMITS, now):
        return ConversionOutcome(event_id=one.event_id, state="too_old")
    if not one.consent.analytics:
        reason = "The person did not agree to analytics."
    elif not one.browser.ga_client:
        reason = NO_CLIENT
    else:
        return None
    return ConversionOutcome(event_id=one.event_id, state="unmatched", reason=reason)


def matched(one: Conversion) -> tuple[Literal["click", "browser"], ...]:
    """Google knows browsers; a click on an ad it finds by itself behind them."""
    return ("click", "browser") if one.browser.gclid else ("browser",)


def parts(events: Sequence[Conversion], measurement_id: str) -> Iterator[list[Conversion]]:
    """What may share a request: the same browser and consent, so many, and no more bytes than allowed."""
    groups: dict[tuple[str | None, bool], list[Conversion]] = {}
    for one in events:
        groups.setdefault((one.browser.ga_client, one.consent.ads), []).append(one)
    for group in groups.values():
        part: list[Conversion] = []
        for one in group:
            longer = json.dumps(request([*part, one], measurement_id))
            if part and (len(part) == LIMITS.batch or len(longer) > BYTES):
                yield part
                part = []
            part.append(one)
        yield part


def request(events: Sequence[Conversion], measurement_id: str) -> dict[str, Any]:
    """The body of a request: all of one browser."""
    first = events[0]
    granted = "GRANTED" if first.consent.ads else "DENIED"
    return {
        "client_id": first.browser.ga_client,
        "consent": {"ad_user_data": granted, "ad_personalization": granted},
        "events": [
            {
                "name": NAMES.get(one.event, one.event),
                "timestamp_micros": int(one.at.timestamp() * 1_000_000),
                "params": params(one, measurement_id),
            }
            for one in events
        ],
    }


def params(one: Conversion, measurement_id: str) -> dict[str, Any]:
    """Of one event; at most 14, where Google takes 25."""
    found: dict[str, Any] = {
        "transaction_id": one.order_id,
        "currency": one.money.currency if one.money else None,
        "value": number(one.money) if one.money else None,
        "tax": number(one.tax) if one.tax else None,
        "shipping": number(one.shipping) if one.shipping else None,
        "coupon": one.coupon[:VALUE] if one.coupon else None,
        "page_location": one.source_url[:ADDRESS] if one.source_url else None,
        "session_id": one.browser.ga_sessions.get(measurement_id),
        "engagement_time_msec": 1,
        "items": [
            {
                "item_id": item.id[:VALUE],
                "item_name": item.title[:VALUE],
                "price": number(item.unit_price),
                "quantity": item.quantity,
            }
            for item in one.items[:ITEMS]
        ],
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


def messages(body: bytes) -> dict[str, str]:
    """What the validation server found wrong, by code. RetryLater when its answer is unreadable."""
    try:
        said = json.loads(body)["validationMessages"]
        return {str(one.get("validationCode", "wrong")): str(one.get("description", "")) for one in said}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RetryLater("Google's checks answered with something unreadable.", 30.0) from None
