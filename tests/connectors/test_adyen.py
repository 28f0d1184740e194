"""What is special about Adyen: it answers "received", and tells what became of it by webhook alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.adyen import CONNECTOR
from connectors.adyen.api import short
from connectors.adyen.fake import Fake
from connectors.adyen.payments import AdyenPayments
from connectors.adyen.results import BUCKETS, MESSAGES, PLAIN, adyen_amount, bucket_of, money_of, result_of
from connectors.adyen.webhooks import AdyenWebhooks
from connectors.base import Addresses
from connectors.errors import Refused, RetryLater
from connectors.types import Money, PaymentRequest, PaymentResult, RefundResult, Webhook, exponent
from tests.connectors.conftest import Rig, reaching, serving

SAMPLES = Path(__file__).parents[2] / "connectors" / "adyen" / "samples"
PRICE = Money(amount=4900, currency="EUR")
CARD = {"ExpiryMonth": "test_03", "ExpiryYear": "test_2030", "SecurityCode": "test_737"}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


@pytest.fixture
def payments(rig: Rig) -> AdyenPayments:
    return AdyenPayments(rig.session)


def card(number: str = "4111111111111111", holder: str = "Ann", **parts: str) -> str:
    """A card as the page would hand it over."""
    encrypted = {f"encrypted{name}": part for name, part in {**CARD, **parts}.items()}
    method = {"type": "scheme", "holderName": holder, "encryptedCardNumber": f"test_{number}", **encrypted}
    return json.dumps({"paymentMethod": method, "browserInfo": {"userAgent": "x"}, "origin": "https://shop"})


def asking(source: str = "", **more: Any) -> PaymentRequest:
    return PaymentRequest(amount=PRICE, source=source or card(), order_id="o_12", **more)


async def facts(rig: Rig) -> list[Any]:
    """What the webhooks said so far, each verified."""
    hooks = AdyenWebhooks(rig.session.config)
    found: list[Any] = []
    for delivery in (await rig.ctl("webhooks"))["deliveries"]:
        body = delivery["body"].encode()
        hooks.verify(Webhook(headers={}, body=body, received_at=datetime.now(UTC)))
        found += hooks.parse(body)
    return found


async def books(rig: Rig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await rig.state())["payments"]
    return found


# --- the verbs ------------------------------------------------------------------------------------


async def test_what_became_of_a_payment_is_told_by_webhook(rig: Rig, payments: AdyenPayments) -> None:
    held = await payments.authorise(asking(email="ann@example.com", ip="10.0.0.1"), key="a")
    assert (held.state, held.order_id, held.amount) == ("authorised", "o_12", PRICE)
    part = Money(amount=3000, currency="EUR")
    assert (await payments.capture(held.ref, part, key="c")).state == "capture_pending"
    back = await payments.refund(held.ref, Money(amount=1000, currency="EUR"), key="r1")
    too_much = await payments.refund(held.ref, Money(amount=2001, currency="EUR"), key="r2")
    assert (back.state, too_much.state) == ("pending", "pending")
    assert (await payments.void(held.ref, key="v")).state == "pending"
    await rig.ctl("settle", ref=held.ref, what="refund_failed")
    told = await facts(rig)
    assert all(fact.order_id == "o_12" for fact in told)
    assert [(type(fact), fact.state, fact.amount and fact.amount.amount) for fact in told] == [
        (PaymentResult, "authorised", 4900),
        (PaymentResult, "captured", 3000),
        (RefundResult, "done", 1000),
        (RefundResult, "failed", 2001),
        # The cancellation came too late, which is no news; the refund failed after it was done.
        (RefundResult, "failed", 1000),
    ]
    assert told[2].ref == told[4].ref == back.ref
    assert told[2].payment_ref == held.ref


async def test_a_capture_can_fail_after_it_was_taken_and_a_hold_runs_out(
    rig: Rig, payments: AdyenPayments
) -> None:
    first, second = [await payments.authorise(asking(), key=key) for key in "ab"]
    await payments.capture(first.ref, PRICE, key="c1")
    await rig.ctl("settle", ref=first.ref, what="capture_failed")
    await rig.ctl("settle", ref=second.ref, what="expire")
    await payments.capture(second.ref, PRICE, key="c2")
    states = [(fact.ref, fact.state) for fact in await facts(rig)]
    assert states[2:] == [
        (first.ref, "captured"),
        (first.ref, "capture_failed"),
        (second.ref, "voided"),
        (second.ref, "capture_failed"),
    ]


async def test_a_lost_answer_is_unknown_and_the_same_key_finds_the_payment(rig: Rig) -> None:
    hasty = AdyenPayments(rig.session, answer_seconds=0.3)
    await rig.ctl("fault", kind="timeout", seconds=5)
    with pytest.raises(RetryLater) as raised:
        await hasty.authorise(asking(), key="k" * 80)
    assert raised.value.unknown
    [there] = await books(rig)
    again = await hasty.authorise(asking(), key="k" * 80)
    assert (again.ref, again.state) == (there["ref"], "authorised")
    assert len(await books(rig)) == 1
    with pytest.raises(Refused) as reused:
        await hasty.authorise(asking(email="other@example.com"), key="k" * 80)
    assert reused.value.code == "idempotency_error"


async def test_adyen_is_never_believed_to_know_nothing_of_an_order(payments: AdyenPayments) -> None:
    held = await payments.authorise(asking(), key="a")
    assert (await payments.get(held.ref)).state == "pending"
    with pytest.raises(RetryLater) as raised:
        await payments.find("o_12")
    assert raised.value.unknown


# --- the bank asks the buyer ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "kind"), [("5201281505129736", "script"), ("5212345678901234", "redirect")]
)
async def test_the_bank_may_ask_the_buyer(rig: Rig, payments: AdyenPayments, number: str, kind: str) -> None:
    asked = await payments.authorise(asking(card(number), return_url="https://shop/back?x=1"), key="a")
    assert (asked.state, asked.ref) == ("action_required", "order:o_12")
    assert asked.action is not None
    assert asked.action.kind == kind
    if asked.action.data:
        assert json.loads(asked.action.data.get_secret_value())["subtype"] == "challenge"
        assert asked.action.data.get_secret_value() not in repr(asked)
        answer = await rig.ctl("act", ref=asked.ref, ok=True)
    else:
        gone = await rig.control.post(asked.action.url or "", content=b"success=true")
        back = gone.headers["location"]
        assert back.startswith("https://shop/back?x=1&redirectResult=")
        answer = {"redirectResult": back.partition("redirectResult=")[2]}
    done = await payments.confirm(asked.ref, answer, key="d")
    assert (done.state, done.order_id) == ("authorised", "o_12")
    assert await payments.confirm(asked.ref, answer, key="d") == done
    assert (await payments.capture(done.ref, PRICE, key="c")).state == "capture_pending"


async def test_a_buyer_who_fails_or_leaves_is_not_charged(rig: Rig, payments: AdyenPayments) -> None:
    asked = await payments.authorise(asking(card("5201281505129736")), key="a")
    refused = await payments.confirm(asked.ref, await rig.ctl("act", ref=asked.ref, ok=False), key="d")
    assert (refused.state, refused.decline) == ("declined", "auth")
    left = await payments.authorise(asking(card("5201281505129736")), key="b")
    # Nobody would tell of a payment that never was: this answer is the last word.
    assert (await payments.void(left.ref, key="v")).state == "voided"
    assert (await rig.control.post("/_ctl/act", json={"ref": left.ref, "ok": True})).status_code == 404
    for nonsense in ({}, {"details": "[1]"}, {"details": '{"threeDSResult": 7}'}):
        with pytest.raises(Refused):
            await payments.confirm(left.ref, nonsense, key="n")


async def test_a_saved_card_pays_with_and_without_its_owner(rig: Rig, payments: AdyenPayments) -> None:
    first = await payments.authorise(asking(save=True, customer="shopper-7"), key="a")
    saved = first.saved
    assert saved is not None
    assert (saved.customer, saved.brand, saved.last4) == ("shopper-7", "visa", "1111")
    assert (saved.exp_month, saved.exp_year) == (3, 2030)
    ref = saved.ref.get_secret_value()
    for present in (True, False):
        again = asking(ref, customer="shopper-7", buyer_present=present)
        assert (await payments.authorise(again, key=f"again{present}")).state == "authorised"
    for thief in ("shopper-8", None):
        with pytest.raises(Refused):
            await payments.authorise(asking(ref, customer=thief), key="thief")
    await payments.forget(ref, "shopper-7")
    await payments.forget(ref, "shopper-7")
    assert (await rig.state())["stored"] == []


async def test_without_its_owner_a_card_that_asks_is_declined(rig: Rig, payments: AdyenPayments) -> None:
    asked = await payments.authorise(asking(card("5201281505129736"), save=True), key="a")
    first = await payments.confirm(asked.ref, await rig.ctl("act", ref=asked.ref, ok=True), key="d")
    assert first.saved is not None
    away = asking(first.saved.ref.get_secret_value(), customer=first.saved.customer, buyer_present=False)
    result = await payments.authorise(away, key="b")
    assert (result.state, result.decline) == ("declined", "auth")


# --- declines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "bucket"),
    [
        (card(holder="BLOCK_CARD"), "hard"),
        (card(holder="FRAUD"), "hard"),
        (card(SecurityCode="test_111"), "fixable"),
        (card(ExpiryYear="test_2020"), "fixable"),
        (card("4000000000000002"), "fixable"),
        (card(holder="NOT_ENOUGH_BALANCE"), "soft"),
        (card(holder="ERROR"), "soft"),
        (card(holder="NOT_3D_AUTHENTICATED"), "auth"),
        (card(holder="CANCELLED"), "auth"),
        (card(holder="WITHDRAWAL_COUNT_EXCEEDED"), "limit"),
        (card(holder="DECLINED"), "opaque"),
    ],
)
async def test_a_refusal_comes_with_a_200_and_is_an_answer(
    payments: AdyenPayments, source: str, bucket: str
) -> None:
    result = await payments.authorise(asking(source), key="p1")
    assert (result.state, result.decline, result.order_id) == ("declined", bucket, "o_12")
    assert (result.message == PLAIN) or bucket not in ("hard", "opaque")


@given(st.sampled_from([*BUCKETS, "0", "2", "99", "new", None]))
def test_every_refusal_has_a_category_and_a_sentence(code: str | None) -> None:
    assert MESSAGES[bucket_of({"resultCode": "Refused", "refusalReasonCode": code})].endswith(".")


async def test_a_card_number_in_the_clear_is_never_passed_on(rig: Rig, payments: AdyenPayments) -> None:
    bare = {"type": "scheme", "number": "4111111111111111", "cvc": "737"}
    for source in (json.dumps({"paymentMethod": bare}), "{}", "{", '{"paymentMethod": 3}'):
        with pytest.raises(Refused):
            await payments.authorise(asking(source), key="p1")
    assert (await rig.state())["calls"] == 0


# --- trouble --------------------------------------------------------------------------------------


async def test_a_page_of_html_with_a_200_is_an_unknown_outcome(rig: Rig, payments: AdyenPayments) -> None:
    for attempt in (
        lambda: payments.authorise(asking(), key="p1"),
        lambda: payments.refund("PSP", PRICE, key="p2"),
        lambda: payments.confirm("PSP", {"redirectResult": "x"}, key="p3"),
    ):
        await rig.ctl("fault", kind="maintenance")
        with pytest.raises(RetryLater) as raised:
            await attempt()
        assert raised.value.unknown


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "[]"), (200, "3"), (502, "<html>"), (400, "<html>"), (422, '{"errorCode": "704"}')],
)
async def test_answers_that_are_not_adyens_are_an_unknown_outcome(rig: Rig, status: int, body: str) -> None:
    async def portal(_: Request) -> Response:
        return Response(body, status, media_type="application/json")

    async with serving(Starlette(routes=[Route("/{path:path}", portal, methods=["POST"])])) as address:
        payments = AdyenPayments(replace(rig.session, addresses=Addresses(base_url=address)))
        with pytest.raises(RetryLater) as raised:
            await payments.authorise(asking(), key="p1")
    assert raised.value.unknown


def test_a_result_code_nobody_knows_yet_waits_for_the_webhook() -> None:
    assert result_of({"resultCode": "Maybe", "pspReference": "P"}, "o_12").state == "pending"
    assert result_of({"resultCode": "RedirectShopper"}, "o_12").state == "pending"
    assert result_of({"resultCode": "Authorised", "amount": None, "additionalData": 3}, "o_1").amount is None


@pytest.mark.parametrize("sample", ["authorised", "refused", "redirect", "challenge"])
def test_documented_answers_are_understood(sample: str) -> None:
    answer = json.loads((SAMPLES / f"payment_{sample}.json").read_text())
    expected = {"authorised": "authorised", "refused": "declined"}.get(sample, "action_required")
    assert result_of(answer, "o_12").state == expected


def test_keys_fit_and_stay_apart() -> None:
    assert short("k" * 64) == "k" * 64
    assert len(short("k" * 65)) == 64
    assert short("k" * 65) != short("k" * 66)


# --- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "value"),
    [
        (4900, "EUR", 4900),
        (500, "JPY", 500),
        (1230, "KWD", 1230),
        (40, "ISK", 4000),
        (40, "CLP", 4000),
        (700, "IDR", 7),
    ],
)
def test_amounts_are_counted_as_adyen_counts(amount: int, currency: str, value: int) -> None:
    assert adyen_amount(Money(amount=amount, currency=currency)) == {"value": value, "currency": currency}
    assert money_of({"value": value, "currency": currency}) == Money(amount=amount, currency=currency)


@given(
    st.integers(min_value=0, max_value=10**12),
    st.sampled_from(["EUR", "USD", "JPY", "KRW", "KWD", "BHD", "ISK", "CLP", "IDR", "CVE"]),
)
def test_no_amount_changes_on_its_way_there_and_back(amount: int, currency: str) -> None:
    money = Money(amount=amount, currency=currency)
    try:
        sent = adyen_amount(money)
    except Refused:
        assert currency in ("IDR", "CVE")
        assert amount % 10 ** exponent(currency)
    else:
        assert money_of(sent) == money


# --- what a page and a webhook tell --------------------------------------------------------------


async def test_webhooks_come_twice_late_and_out_of_order(rig: Rig, payments: AdyenPayments) -> None:
    await rig.ctl("fault", kind="reorder_webhooks", count=1)
    held = await payments.authorise(asking(), key="a")
    await rig.ctl("fault", kind="duplicate_webhook", count=1)
    await payments.capture(held.ref, PRICE, key="c")
    assert [fact.state for fact in await facts(rig)] == ["captured", "captured", "authorised"]


async def test_the_form_tells_what_a_page_may_know(rig: Rig, payments: AdyenPayments) -> None:
    form = await payments.form(PRICE, customer=None)
    assert form.public == {
        "client_key": "test_CLIENTKEY",
        "environment": "test",
        "country": "NL",
        "value": "4900",
        "currency": "EUR",
    }
    real = replace(rig.session, addresses=CONNECTOR.addresses)
    live = replace(real, config=rig.session.config.model_copy(update={"live_prefix": "abc-Shop"}))
    assert (await AdyenPayments(real).form(PRICE, customer=None)).script_url == CONNECTOR.addresses.script_url
    script = (await AdyenPayments(live).form(PRICE, customer=None)).script_url or ""
    assert script.startswith("https://checkoutshopper-live.cdn.adyen.com/")
