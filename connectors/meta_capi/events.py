"""Events for one dataset. Meta refuses a whole batch for one bad event, so batches are split where it does.

Source: developers.facebook.com, Conversions API "Server event parameters", "Custom data", "Deduplicate pixel
and server events", "Data processing options" (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.base import Session
from connectors.conversions import isolated, number, too_old
from connectors.errors import Refused, RetryLater
from connectors.http import decoded
from connectors.meta_capi.api import TOO_OLD, VERSION, Config
from connectors.meta_capi.people import WEAK, matched, user_data
from connectors.types import Conversion, ConversionLimits, ConversionOutcome

LIMITS: Final = ConversionLimits(batch=500, oldest=timedelta(days=7), purpose="ads")
"""Meta takes 1,000 events; half of them is still one request a second in the wildest drop."""
NAMES: Final = {
    "purchase": "Purchase",
    "refund": "Refund",
    "lead": "Lead",
    "add_to_cart": "AddToCart",
    "begin_checkout": "InitiateCheckout",
}
"""`Refund` is a custom event: Meta has none of its own and takes nothing off a purchase."""
NOBODY: Final = "There is nothing by which Meta could recognise the buyer. Not sent."
NO_ADS: Final = "The person did not agree to advertising."
NO_CODE: Final = "Enter a test event code first: Meta counts every event that comes without one."


class MetaEvents:
    """One dataset."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._config = session.config
        root = session.addresses.base_url.rstrip("/")
        self._url = f"{root}/{VERSION}/{session.config.pixel_id}/events"

    async def send(self, batch: Sequence[Conversion], *, now: datetime) -> Sequence[ConversionOutcome]:
        """All that is young enough and names anybody, in one request unless Meta refuses one of them."""
        held = {one.event_id: outcome for one in batch if (outcome := unfit(one, now))}
        fresh = [one for one in batch if one.event_id not in held]
        held |= await isolated(fresh, self._post)
        return [told(one, held[one.event_id]) for one in batch]

    async def check(self, conversion: Conversion, *, now: datetime) -> ConversionOutcome:
        """An event under the test code: it shows in the Events Manager's test view and is not counted."""
        if not self._config.test_event_code:
            raise Refused(NO_CODE)
        [outcome] = await self._tested(conversion, now)
        return told(conversion, outcome)

    async def _tested(self, one: Conversion, now: datetime) -> Sequence[ConversionOutcome]:
        outcome = unfit(one, now)
        if outcome:
            return [outcome]
        return [*(await isolated([one], self._post_test)).values()]

    async def _post(self, batch: Sequence[Conversion]) -> dict[str, str]:
        return await self._call({"data": [self._event(one) for one in batch]}, len(batch))

    async def _post_test(self, batch: Sequence[Conversion]) -> dict[str, str]:
        body = {"data": [self._event(one) for one in batch]}
        return await self._call({**body, "test_event_code": self._config.test_event_code}, len(batch))

    async def _call(self, body: dict[str, Any], count: int) -> dict[str, str]:
        answer = decoded((await self._http.request("POST", self._url, json=body)).content)
        if answer is None or "events_received" not in answer:
            raise RetryLater("Meta answered with something unreadable.", 30.0, unknown=True)
        if answer["events_received"] != count:
            # It says how many, but not which: told again, those it has are known by their id.
            raise RetryLater("Meta took only a part of the events.", 30.0, unknown=True)
        words = [str(one) for one in answer.get("messages") or ()]
        return {"trace": str(answer.get("fbtrace_id", ""))} | ({"says": " ".join(words)} if words else {})

    def _event(self, one: Conversion) -> dict[str, Any]:
        who = user_data(one)
        # A website's event must name page and browser; a refund and an order from a shop have none.
        on_page = one.source_url is not None and "client_user_agent" in who
        event = {
            "event_name": NAMES[one.event],
            "event_time": int(one.at.timestamp()),
            "event_id": one.event_id,
            "action_source": "website" if on_page else "other",
            "event_source_url": one.source_url,
            "user_data": who,
            "custom_data": custom_data(one),
            **self._processing(one),
        }
        return {name: value for name, value in event.items() if value is not None}

    def _processing(self, one: Conversion) -> dict[str, Any]:
        """Limited Data Use, the place left to Meta (0 and 0); an empty list says that it is not asked for."""
        if one.consent.opted_out or self._config.limited_data_use:
            return {
                "data_processing_options": ["LDU"],
                "data_processing_options_country": 0,
                "data_processing_options_state": 0,
            }
        return {"data_processing_options": []}


def unfit(one: Conversion, now: datetime) -> ConversionOutcome | None:
    """What becomes of an event that Meta would not take, or could do nothing with."""
    if too_old(one, LIMITS, now):
        return ConversionOutcome(event_id=one.event_id, state="too_old")
    if not one.consent.ads:
        return ConversionOutcome(event_id=one.event_id, state="unmatched", reason=NO_ADS)
    if not set(user_data(one)) - WEAK:
        return ConversionOutcome(event_id=one.event_id, state="unmatched", reason=NOBODY)
    return None


def told(one: Conversion, outcome: ConversionOutcome) -> ConversionOutcome:
    """With what Meta could recognise the person by; and its own word for too old is ours."""
    if outcome.state == "refused" and outcome.diagnostics.get("code") == str(TOO_OLD):
        return outcome.model_copy(update={"state": "too_old"})
    if outcome.state == "accepted":
        return outcome.model_copy(update={"matched": matched(user_data(one))})
    return outcome


def custom_data(one: Conversion) -> dict[str, Any]:
    """What was bought."""
    found: dict[str, Any] = {
        "value": number(one.money) if one.money else None,
        "currency": one.money.currency if one.money else None,
        "order_id": one.order_id,
        "content_type": "product" if one.items else None,
        "contents": [
            {"id": item.id, "quantity": item.quantity, "item_price": number(item.unit_price)}
            for item in one.items
        ],
        "num_items": sum(item.quantity for item in one.items) or None,
    }
    return {name: value for name, value in found.items() if value not in (None, [])}
