"""What is special about Square: keys in bodies, amounts set before they are taken, and a signed address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.square import CONNECTOR
from connectors.square.api import Config, classify, short
from connectors.square.fake import Fake
from connectors.square.payments import SquarePayments
from connectors.square.results import BUCKETS, MESSAGES, PLAIN, bucket_of, money_of, result_of, square_amount
from connectors.square.webhooks import SquareWebhooks
from connectors.types import Dispute, Money, PaymentRequest, PaymentResult, RefundResult, Webhook
from tests.connectors.conftest import Rig, reaching

SAMPLES = Path(__file__).parents[2] / "connectors" / "square" / "samples"
PRICE = Money(amount=4900, currency="EUR")
VECTOR = "cF1iCD/g8LPizth7fHC5kR4Tq92KVhVBp6AtvscyJvg="
"""HMAC of 'https://hub.example/sq{"a":1}' under sq_key, computed outside this code."""


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


@pytest.fixture
def payments(rig: Rig) -> SquarePayments:
    return SquarePayments(rig.session)


def asking(source: str = "cnon:card-nonce-ok", **more: Any) -> PaymentRequest:
    return PaymentRequest(**{"amount": PRICE, "source": source, "order_id": "o_12", **more})


async def facts(rig: Rig) -> list[Any]:
    """What the events said so far, each verified."""
    hooks = SquareWebhooks(rig.session.config)
    found: list[Any] = []
    for delivery in (await rig.ctl("webhooks"))["deliveries"]:
        body = delivery["body"].encode()
        hooks.verify(Webhook(headers=delivery["headers"], body=body, received_at=datetime.now(UTC)))
        found += hooks.parse(body)
    return found


async def books(rig: Rig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await rig.state())["payments"]
    return found


# --- the verbs ------------------------------------------------------------------------------------


async def test_less_than_was_held_is_taken_and_given_back_in_parts(
    rig: Rig, payments: SquarePayments
) -> None:
    held = await payments.authorise(asking(email="ann@example.com", description="Show 7"), key="a")
    assert (held.state, held.order_id, held.amount) == ("authorised", "o_12", PRICE)
    assert held.expires_at is not None
    assert timedelta(days=6) < held.expires_at - datetime.now(UTC) <= timedelta(days=7)
    part = Money(amount=3000, currency="EUR")
    for _ in "12":
        taken = await payments.capture(held.ref, part, key="c")
        assert (taken.state, taken.amount) == ("captured", part)
    assert (await payments.void(held.ref, key="v")).state == "captured"
    back = await payments.refund(held.ref, Money(amount=1000, currency="EUR"), key="r1")
    assert (back.state, back.payment_ref) == ("pending", held.ref)
    with pytest.raises(Refused) as raised:
        await payments.refund(held.ref, Money(amount=2001, currency="EUR"), key="r2")
    assert raised.value.code == "REFUND_AMOUNT_INVALID"
    await rig.ctl("settle", ref=held.ref, what="refund")
    await rig.ctl("settle", ref=held.ref, what="refund_failed")
    now = await payments.get(held.ref)
    assert (now.amount, now.refunded) == (part, Money(amount=0, currency="EUR"))
    states = [fact.state for fact in await facts(rig) if isinstance(fact, RefundResult)]
    assert states == ["pending", "done", "failed"]
    [row] = await books(rig)
    assert (row["captures"], row["captured"], row["refunded"]) == (1, 3000, 0)


async def test_all_given_back_reads_as_refunded(payments: SquarePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    await payments.capture(held.ref, PRICE, key="c")
    await payments.refund(held.ref, PRICE, key="r")
    now = await payments.get(held.ref)
    assert (now.state, now.amount, now.refunded) == ("refunded", PRICE, PRICE)


async def test_a_hold_that_ran_out_cannot_be_taken(rig: Rig, payments: SquarePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    await rig.ctl("settle", ref=held.ref, what="expire")
    assert (await payments.capture(held.ref, PRICE, key="c")).state == "voided"
    assert (await payments.void(held.ref, key="v")).state == "voided"
    other = await payments.authorise(asking(), key="b")
    with pytest.raises(Refused) as raised:
        await payments.capture(other.ref, Money(amount=4901, currency="EUR"), key="d")
    assert raised.value.code == "AMOUNT_TOO_HIGH"
    with pytest.raises(Refused):
        await payments.refund(other.ref, PRICE, key="r")


async def test_a_lost_answer_is_found_by_its_key_or_let_go_of_by_it(rig: Rig) -> None:
    hasty = SquarePayments(rig.session, answer_seconds=0.3)
    key = "payment-of-a-long-name:authorise:" + "1" * 40
    await rig.ctl("fault", kind="timeout", seconds=5)
    with pytest.raises(RetryLater) as raised:
        await hasty.authorise(asking(), key=key)
    assert raised.value.unknown
    [there] = await books(rig)
    again = await hasty.authorise(asking(), key=key)
    assert (again.ref, again.state) == (there["ref"], "authorised")
    assert (await hasty.void("key:never-sent", key="v")).state == "voided"
    assert (await hasty.void(f"key:{key}", key="v")).state == "voided"
    [row] = await books(rig)
    assert row["state"] == "CANCELED"
    with pytest.raises(Refused) as reused:
        await hasty.authorise(asking(email="other@example.com"), key=key)
    assert reused.value.code == "idempotency_error"


async def test_an_orders_payment_is_found_behind_pages_and_declined_tries(rig: Rig) -> None:
    payments = SquarePayments(rig.session)
    held = await payments.authorise(asking(order_id="o_1"), key="a")
    for number in range(4):
        await payments.authorise(asking("cnon:card-nonce-declined", order_id="o_1"), key=f"d{number}")
    await payments.authorise(asking("cnon:card-nonce-declined", order_id="o_2"), key="e")
    found = await payments.find("o_1")
    assert found is not None
    assert (found.ref, found.state) == (held.ref, "authorised")
    only_declined = await payments.find("o_2")
    assert only_declined is not None
    assert only_declined.state == "declined"
    assert await payments.find("o_3") is None


async def test_a_saved_card_pays_with_and_without_its_owner(rig: Rig, payments: SquarePayments) -> None:
    first = await payments.authorise(asking(save=True), key="a")
    saved = first.saved
    assert saved is not None
    assert (saved.brand, saved.last4, saved.exp_month, saved.exp_year) == ("visa", "1111", 12, 2030)
    ref = saved.ref.get_secret_value()
    assert ref not in repr(first)
    for present in (True, False):
        again = asking(ref, customer=saved.customer, buyer_present=present)
        assert (await payments.authorise(again, key=f"again{present}")).state == "authorised"
    for thief in ("somebody", None):
        with pytest.raises(Refused):
            await payments.authorise(asking(ref, customer=thief), key="thief")
    await payments.forget(ref, saved.customer)
    await payments.forget(ref, saved.customer)
    assert (await rig.state())["cards"] == []


async def test_that_a_card_could_not_be_kept_costs_no_payment(rig: Rig, payments: SquarePayments) -> None:
    result = await payments.authorise(asking(save=True, customer="nobody"), key="a")
    assert (result.state, result.saved) == ("authorised", None)


async def test_without_its_owner_a_card_that_asks_is_declined(rig: Rig, payments: SquarePayments) -> None:
    source = (await rig.ctl("source", kind="off_session_action"))["source"]
    first = await payments.authorise(asking(source, save=True), key="a")
    assert first.saved is not None
    away = asking(first.saved.ref.get_secret_value(), customer=first.saved.customer, buyer_present=False)
    result = await payments.authorise(away, key="b")
    assert (result.state, result.decline) == ("declined", "auth")


# --- declines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "bucket"),
    [
        ("cnon:card-nonce-declined", "opaque"),
        ("cnon:card-nonce-rejected-cvv", "fixable"),
        ("cnon:card-nonce-rejected-expiration", "fixable"),
        ("cnon:card-nonce-already-used", "fixable"),
    ],
)
async def test_a_refused_card_is_an_answer(payments: SquarePayments, source: str, bucket: str) -> None:
    result = await payments.authorise(asking(source), key="p1")
    assert (result.state, result.decline, result.order_id) == ("declined", bucket, "o_12")
    assert await payments.authorise(asking(source), key="p1") == result
    assert (await payments.get(result.ref)).decline == bucket
    assert await payments.confirm(result.ref, {}, key="c") == await payments.get(result.ref)


@given(st.sampled_from([*BUCKETS, "GENERIC_DECLINE", "SOMETHING_NEW", None]))
def test_every_decline_has_a_category_and_a_sentence(code: str | None) -> None:
    bucket = bucket_of(["odd", {"code": "GENERIC_DECLINE"}, {"code": code}])
    assert (bucket == "opaque") == (code not in BUCKETS)
    assert MESSAGES[bucket].endswith(".")
    assert MESSAGES["hard"] == PLAIN


# --- trouble --------------------------------------------------------------------------------------


async def test_a_page_of_html_with_a_200_is_an_unknown_outcome(rig: Rig, payments: SquarePayments) -> None:
    for attempt in (
        lambda: payments.authorise(asking(), key="p1"),
        lambda: payments.refund("p1", PRICE, key="p2"),
        lambda: payments.find("o_12"),
        lambda: payments.void("key:p1", key="v"),
    ):
        await rig.ctl("fault", kind="maintenance")
        with pytest.raises(RetryLater) as raised:
            await attempt()
        assert raised.value.unknown


@pytest.mark.parametrize("body", ["[]", "3", "{}", '{"payment": 3}', '{"payment": {"id": 3}}'])
async def test_a_success_without_a_payment_in_it_is_unknown(body: str) -> None:
    async def portal(_: Request) -> Response:
        return Response(body, media_type="application/json")

    class Portal(Fake):
        def __init__(self) -> None:
            super().__init__()
            self.app = Starlette(routes=[Route("/{path:path}", portal, methods=["GET", "POST"])])

    async with reaching(CONNECTOR, Portal()) as rig:
        with pytest.raises(RetryLater) as raised:
            await SquarePayments(rig.session).authorise(asking(), key="p1")
    assert raised.value.unknown


async def test_square_is_asked_once_whatever_it_answers(rig: Rig, payments: SquarePayments) -> None:
    for number, status in enumerate((500, 503, 429, 409), start=1):
        await rig.ctl("fault", kind="status", status=status)
        with pytest.raises(RetryLater):
            await payments.authorise(asking(), key="p1")
        assert (await rig.state())["calls"] == number


def test_answers_are_sorted_into_the_three_errors() -> None:
    assert isinstance(classify(401, {}, b""), Reconnect)
    assert isinstance(classify(403, {}, b""), Reconnect)
    page = classify(404, {}, b"<html>")
    assert isinstance(page, RetryLater)
    assert page.unknown
    odd = classify(400, {}, b'{"errors": [{"category": "NEW_ERROR"}, 3]}')
    assert isinstance(odd, Refused)
    assert odd.code == "400"
    assert classify(200, {}, b"<html>") is None


def test_a_status_nobody_knows_yet_is_pending() -> None:
    assert result_of({"id": "p1", "status": "THINKING"}).state == "pending"
    failed = result_of({"id": "p1", "status": "FAILED", "card_details": None})
    assert (failed.state, failed.decline) == ("declined", "opaque")


def test_keys_fit_and_stay_apart() -> None:
    assert short("k" * 45) == "k" * 45
    assert len(short("k" * 46)) <= 45
    assert short("k" * 46) != short("k" * 47)


async def test_a_page_that_sends_nonsense_is_refused(payments: SquarePayments) -> None:
    for source in ("{", "{}", '{"token": "cnon:x", "verification": 3'):
        with pytest.raises(Refused):
            await payments.authorise(asking(source), key="p")
    both = json.dumps({"token": "cnon:card-nonce-ok", "verification": "verf:x"})
    assert (await payments.authorise(asking(both), key="q")).state == "authorised"


@given(st.integers(min_value=1, max_value=10**12), st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLP"]))
def test_no_amount_changes_on_its_way_there_and_back(amount: int, currency: str) -> None:
    money = Money(amount=amount, currency=currency)
    assert money_of(square_amount(money)) == money


# --- webhooks -------------------------------------------------------------------------------------


def hooks(url: str = "https://hub.example/sq", location: str = "L1") -> SquareWebhooks:
    more = {"application_id": "sq0idp-x", "location_id": location, "notification_url": url}
    secrets = {"access_token": SecretStr("x"), "signature_key_secret": SecretStr("sq_key")}
    return SquareWebhooks(Config.model_validate(more | secrets))


def delivery(body: bytes, signature: str = VECTOR) -> Webhook:
    headers = {"x-square-hmacsha256-signature": signature}
    return Webhook(headers=headers, body=body, received_at=datetime.now(UTC))


def test_a_known_signature_is_accepted_for_this_address_and_body_alone() -> None:
    with pytest.raises(Refused, match="no id"):
        hooks().verify(delivery(b'{"a":1}'))
    for body, signature in (
        (b'{"a":2}', VECTOR),
        (b"\xff", VECTOR),
        (b"", VECTOR),
        (b'{"a":1}', "é"),
        (b"1", ""),
    ):
        with pytest.raises(Refused, match="not Square's"):
            hooks().verify(delivery(body, signature))
    with pytest.raises(Refused, match="not Square's"):
        hooks("https://hub.example/sq/").verify(delivery(b'{"a":1}'))
    with pytest.raises(Refused, match="address"):
        hooks("").verify(delivery(b'{"a":1}'))


@pytest.mark.parametrize(
    ("sample", "kind", "state"),
    [
        ("payment_updated", PaymentResult, "captured"),
        ("refund_updated", RefundResult, "done"),
        ("dispute_created", Dispute, "open"),
    ],
)
def test_documented_events_are_understood(sample: str, kind: type, state: str) -> None:
    body = (SAMPLES / f"event_{sample}.json").read_bytes()
    [fact] = hooks().parse(body)
    assert (type(fact), getattr(fact, "state", None)) == (kind, state)
    assert hooks(location="L2").parse(body) == ()


def test_other_events_are_nothing_and_broken_ones_refused() -> None:
    assert hooks().parse(b'{"type": "inventory.count.updated", "data": {}}') == ()
    for broken in (
        b'{"type": "payment.updated"}',
        b'{"type": "refund.updated", "data": {"object": {"refund": {}}}}',
    ):
        with pytest.raises(Refused):
            hooks().parse(broken)


async def test_events_come_out_of_order_twice_or_never(rig: Rig, payments: SquarePayments) -> None:
    await rig.ctl("fault", kind="reorder_webhooks", count=1)
    held = await payments.authorise(asking(), key="a")
    await rig.ctl("fault", kind="duplicate_webhook", count=1)
    await payments.capture(held.ref, PRICE, key="c")
    await rig.ctl("fault", kind="lost_webhook", count=2)
    await payments.refund(held.ref, PRICE, key="r")
    assert [fact.state for fact in await facts(rig)] == ["captured", "captured", "authorised"]


async def test_the_form_tells_what_a_page_may_know(rig: Rig, payments: SquarePayments) -> None:
    form = await payments.form(PRICE, customer=None)
    location = rig.session.config.location_id
    assert form.public == {
        "application_id": "sandbox-sq0idb-fake",
        "location_id": location,
        "amount": "49.00",
        "currency": "EUR",
    }
