"""What is special about Stripe: money is moved once, whatever gets lost on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.base import Addresses
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.stripe import CONNECTOR
from connectors.stripe.api import Config
from connectors.stripe.fake import Fake
from connectors.stripe.payments import StripePayments
from connectors.stripe.results import BUCKETS, PLAIN, bucket_of, stripe_amount
from connectors.types import Money, PaymentRequest, PaymentResult
from tests.connectors.conftest import Rig, reaching, serving

PRICE = Money(amount=4900, currency="EUR")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


@pytest.fixture
def payments(rig: Rig) -> StripePayments:
    return StripePayments(rig.session)


def asking(source: str = "pm_card_visa", **more: Any) -> PaymentRequest:
    return PaymentRequest(amount=PRICE, source=source, order_id="o_12", **more)


async def intents(rig: Rig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await rig.state())["intents"]
    return found


# --- the five verbs -------------------------------------------------------------------------------


async def test_money_is_held_then_taken(rig: Rig, payments: StripePayments) -> None:
    held = await payments.authorise(asking(email="ann@example.com", description="Show 7"), key="p1:authorise")
    assert (held.state, held.order_id) == ("authorised", "o_12")
    [intent] = await intents(rig)
    assert (intent["state"], intent["captures"], intent["captured"]) == ("requires_capture", 0, 0)
    assert intent["metadata"] == {"order_id": "o_12"}
    taken = await payments.capture(held.ref, PRICE, key="p1:capture")
    assert (taken.state, taken.ref) == ("captured", held.ref)
    assert (await payments.get(held.ref)).state == "captured"
    [intent] = await intents(rig)
    assert (intent["captures"], intent["captured"]) == (1, 4900)


async def test_the_same_key_moves_money_once(rig: Rig, payments: StripePayments) -> None:
    first = await payments.authorise(asking(), key="p1:authorise")
    assert await payments.authorise(asking(), key="p1:authorise") == first
    for _ in range(2):
        assert (await payments.capture(first.ref, PRICE, key="p1:capture")).state == "captured"
    for _ in range(2):
        part = Money(amount=900, currency="EUR")
        assert (await payments.refund(first.ref, part, key="p1:refund")).state == "done"
    [intent] = await intents(rig)
    assert (intent["captures"], intent["captured"], intent["refunded"]) == (1, 4900, 900)


async def test_parallel_payments_do_not_mix(rig: Rig) -> None:
    async def buy(number: int) -> PaymentResult:
        request = asking().model_copy(update={"order_id": f"o_{number}"})
        return await StripePayments(rig.session).authorise(request, key=f"p{number}")

    results = await asyncio.gather(*(buy(number) for number in range(12)))
    assert [result.order_id for result in results] == [f"o_{number}" for number in range(12)]
    assert len(await intents(rig)) == 12


async def test_slow_payments_do_not_wait_for_each_other(rig: Rig) -> None:
    crowd = asyncio.Barrier(40)

    async def slow(_: Request) -> Response:
        # Nobody is answered before everybody has asked.
        await crowd.wait()
        return Response('{"id": "pi_1", "status": "requires_capture"}', media_type="application/json")

    app = Starlette(routes=[Route("/v1/payment_intents", slow, methods=["POST"])])
    async with serving(app) as address, asyncio.timeout(15):
        payments = StripePayments(replace(rig.session, addresses=Addresses(base_url=address)))
        results = await asyncio.gather(*(payments.authorise(asking(), key=f"p{n}") for n in range(40)))
    assert {result.state for result in results} == {"authorised"}


async def test_taking_again_under_another_key_says_captured(payments: StripePayments) -> None:
    held = await payments.authorise(asking(), key="p1:authorise")
    await payments.capture(held.ref, PRICE, key="one")
    assert (await payments.capture(held.ref, PRICE, key="two")).state == "captured"


async def test_letting_go_is_repeatable_and_says_when_it_is_too_late(payments: StripePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    assert (await payments.void(held.ref, key="v1")).state == "voided"
    assert (await payments.void(held.ref, key="v2")).state == "voided"
    assert (await payments.capture(held.ref, PRICE, key="c")).state == "voided"
    other = await payments.authorise(asking(), key="b")
    await payments.capture(other.ref, PRICE, key="c2")
    assert (await payments.void(other.ref, key="v3")).state == "captured"


async def test_no_more_is_given_back_than_was_taken(payments: StripePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    with pytest.raises(Refused):
        await payments.refund(held.ref, PRICE, key="r0")
    await payments.capture(held.ref, PRICE, key="c")
    with pytest.raises(Refused):
        await payments.refund(held.ref, Money(amount=4901, currency="EUR"), key="r1")
    assert (await payments.refund(held.ref, PRICE, key="r2")).state == "done"
    assert (await payments.get(held.ref)).state == "refunded"
    with pytest.raises(Refused) as raised:
        await payments.refund(held.ref, PRICE, key="r3")
    assert raised.value.code == "charge_already_refunded"


async def test_more_than_was_held_cannot_be_taken(payments: StripePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    with pytest.raises(Refused) as raised:
        await payments.capture(held.ref, Money(amount=5000, currency="EUR"), key="c")
    assert raised.value.code == "amount_too_large"
    assert (await payments.get(held.ref)).state == "authorised"


# --- declines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "bucket"),
    [
        ("pm_card_chargeDeclined", "opaque"),
        ("pm_card_visa_chargeDeclined", "opaque"),
        ("pm_card_chargeDeclinedInsufficientFunds", "soft"),
        ("pm_card_chargeDeclinedProcessingError", "soft"),
        ("pm_card_chargeDeclinedExpiredCard", "fixable"),
        ("pm_card_chargeDeclinedIncorrectCvc", "fixable"),
        ("pm_card_visa_chargeDeclinedLostCard", "hard"),
        ("pm_card_chargeDeclinedFraudulent", "hard"),
        ("pm_card_chargeCustomerFail", "opaque"),
        ("pm_card_chargeDeclinedVelocityLimitExceeded", "limit"),
    ],
)
async def test_a_refused_card_is_an_answer(payments: StripePayments, source: str, bucket: str) -> None:
    result = await payments.authorise(asking(source), key="p1")
    assert (result.state, result.decline, result.order_id) == ("declined", bucket, "o_12")
    assert result.ref.startswith("pi_")
    assert result.message.endswith(".")
    assert (result.message == PLAIN) or bucket != "hard"
    # A repeat is told the same, and reading agrees.
    assert await payments.authorise(asking(source), key="p1") == result
    assert (await payments.get(result.ref)).decline == bucket


async def test_the_bank_may_ask_the_buyer(rig: Rig, payments: StripePayments) -> None:
    result = await payments.authorise(asking("pm_card_authenticationRequired"), key="p1")
    assert result.state == "action_required"
    assert result.action is not None
    assert result.action.data is not None
    secret = json.loads(result.action.data.get_secret_value())["client_secret"]
    assert secret.startswith(f"{result.ref}_secret_")
    assert secret not in repr(result)
    await rig.ctl("authenticate", id=result.ref, success=True)
    assert (await payments.get(result.ref)).state == "authorised"


async def test_a_buyer_who_fails_at_the_bank_is_declined(rig: Rig, payments: StripePayments) -> None:
    result = await payments.authorise(asking("pm_card_authenticationRequired"), key="p1")
    await rig.ctl("authenticate", id=result.ref, success=False)
    now = await payments.get(result.ref)
    assert (now.state, now.decline) == ("declined", "auth")
    assert (await payments.void(result.ref, key="v")).state == "voided"


def test_the_networks_advice_counts_before_the_code() -> None:
    error = {"code": "card_declined", "decline_code": "insufficient_funds"}
    assert bucket_of({**error, "advice_code": "do_not_try_again"}) == "hard"
    assert bucket_of(error) == "soft"
    assert bucket_of({"code": "something_new"}) == "opaque"


@given(st.sampled_from([*BUCKETS, "card_declined", "whatever", None]))
def test_every_decline_has_a_category(code: str | None) -> None:
    assert bucket_of({"code": "card_declined", "decline_code": code}) in {*BUCKETS.values(), "opaque"}


async def test_a_kept_card_belongs_to_the_buyer_and_says_which_it_is(
    rig: Rig, payments: StripePayments
) -> None:
    held = await payments.authorise(asking("pm_card_mastercard", save=True, email="a@b.de"), key="a")
    saved = held.saved
    assert saved is not None
    assert (saved.brand, saved.last4, saved.exp_month) == ("mastercard", "4444", 12)
    assert str(saved.customer).startswith("cus_")
    assert held.expires_at is not None
    # One tap while the buyer is there: the bank may ask, nothing new is kept.
    again = await payments.authorise(
        asking(saved.ref.get_secret_value(), customer=saved.customer), key="again"
    )
    assert (again.state, again.saved) == ("authorised", None)
    # Without its owner's name it is of no use, and a card that was not kept is good once.
    with pytest.raises(Refused):
        await payments.authorise(asking(saved.ref.get_secret_value()), key="nobody")
    fresh = (await rig.ctl("source", kind="ok"))["source"]
    await payments.authorise(asking(fresh), key="once")
    with pytest.raises(Refused):
        await payments.authorise(asking(fresh), key="twice")


async def test_a_hold_that_ran_out_cannot_be_taken(rig: Rig, payments: StripePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    await rig.ctl("settle", ref=held.ref, what="expire")
    assert (await payments.capture(held.ref, PRICE, key="c")).state == "voided"


async def test_of_several_payments_the_one_with_money_is_found(payments: StripePayments) -> None:
    await payments.authorise(asking("pm_card_chargeDeclined"), key="a")
    second = await payments.authorise(asking(), key="b")
    found = await payments.find("o_12")
    assert found is not None
    assert (found.ref, found.state, found.amount) == (second.ref, "authorised", PRICE)
    assert await payments.find("o_12' OR metadata['order_id']:'o") is None


async def test_without_a_key_for_pages_there_is_nothing_to_draw(rig: Rig) -> None:
    bare = rig.session.config.model_copy(update={"publishable_key": None})
    form = await StripePayments(replace(rig.session, config=bare)).form(PRICE, customer=None)
    assert (form.script_url, form.public) == (None, {})


# --- trouble --------------------------------------------------------------------------------------


async def test_an_answer_that_never_comes_is_unknown_and_the_key_finds_it(rig: Rig) -> None:
    hasty = StripePayments(rig.session, answer_seconds=0.3)
    await rig.ctl("fault", kind="timeout", seconds=20)
    with pytest.raises(RetryLater) as raised:
        await hasty.authorise(asking(), key="p1")
    assert raised.value.unknown
    [intent] = await intents(rig)
    result = await hasty.authorise(asking(), key="p1")
    assert (result.ref, result.state) == (intent["id"], "authorised")
    assert len(await intents(rig)) == 1


async def test_an_answer_that_breaks_off_after_a_capture_is_unknown(
    rig: Rig, payments: StripePayments
) -> None:
    held = await payments.authorise(asking(), key="a")
    await rig.ctl("fault", kind="lose")
    with pytest.raises(RetryLater) as raised:
        await payments.capture(held.ref, PRICE, key="c")
    assert raised.value.unknown
    assert (await payments.capture(held.ref, PRICE, key="c")).state == "captured"
    [intent] = await intents(rig)
    assert intent["captures"] == 1


@pytest.mark.parametrize("status", [409, 500, 502])
async def test_trouble_during_a_write_is_unknown(rig: Rig, payments: StripePayments, status: int) -> None:
    await rig.ctl("fault", kind="status", status=status)
    with pytest.raises(RetryLater) as raised:
        await payments.authorise(asking(), key="p1")
    assert raised.value.unknown


async def test_the_sdk_repeats_nothing_by_itself(rig: Rig, payments: StripePayments) -> None:
    await rig.ctl("fault", kind="status", status=500)
    with pytest.raises(RetryLater):
        await payments.authorise(asking(), key="p1")
    assert (await rig.state())["calls"] == 1


async def test_a_success_without_a_payment_in_it_is_unknown(rig: Rig) -> None:
    async def portal(_: Request) -> Response:
        return Response("{}", media_type="application/json")

    between = Starlette(routes=[Route("/{path:path}", portal, methods=["GET", "POST"])])
    async with serving(between) as address:
        payments = StripePayments(replace(rig.session, addresses=Addresses(base_url=address)))
        for attempt in (payments.authorise(asking(), key="p1"), payments.refund("pi_1", PRICE, key="p2")):
            with pytest.raises(RetryLater, match="unreadable") as raised:
                await attempt
            assert raised.value.unknown


async def test_the_same_key_at_the_same_moment_is_one_payment(rig: Rig) -> None:
    attempts = [StripePayments(rig.session).authorise(asking(), key="p1") for _ in range(4)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(one) for one in answers} <= {PaymentResult, RetryLater}
    assert len(await intents(rig)) == 1


async def test_more_calls_than_stripe_allows_are_throttled(rig: Rig) -> None:
    await rig.ctl("fault", kind="limit", per_second=2)
    attempts = [StripePayments(rig.session).authorise(asking(), key=f"p{n}") for n in range(8)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    throttled = [one for one in answers if isinstance(one, RetryLater) and not one.unknown]
    assert 2 <= len(await intents(rig)) == 8 - len(throttled) < 8


async def test_throttling_is_no_unknown_outcome(rig: Rig, payments: StripePayments) -> None:
    await rig.ctl("fault", kind="status", status=429, retry_after=3)
    with pytest.raises(RetryLater) as raised:
        await payments.authorise(asking(), key="p1")
    assert (raised.value.after, raised.value.unknown) == (3.0, False)


async def test_a_write_that_was_never_sent_is_not_unknown(rig: Rig) -> None:
    closed = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    addresses = type(rig.addresses)(base_url=f"http://127.0.0.1:{port}/")
    nowhere = CONNECTOR.session(rig.session.http, rig.session.config, addresses)
    with pytest.raises(RetryLater) as raised:
        await StripePayments(nowhere).authorise(asking(), key="p1")
    assert not raised.value.unknown


async def test_a_revoked_key_is_reconnect(rig: Rig, payments: StripePayments) -> None:
    await rig.ctl("fault", kind="revoke")
    with pytest.raises(Reconnect):
        await payments.authorise(asking(), key="p1")


async def test_a_key_without_rights_is_reconnect(rig: Rig, payments: StripePayments) -> None:
    await rig.ctl("fault", kind="status", status=403)
    with pytest.raises(Reconnect):
        await payments.get("pi_1")


async def test_a_key_used_for_something_else_is_refused(payments: StripePayments) -> None:
    await payments.authorise(asking(), key="p1")
    with pytest.raises(Refused) as raised:
        await payments.authorise(asking("pm_card_mastercard"), key="p1")
    assert raised.value.code == "idempotency_error"


async def test_an_unknown_card_or_payment_is_refused_with_stripes_code(payments: StripePayments) -> None:
    for attempt in (payments.authorise(asking("pm_card_nobody"), key="p1"), payments.get("pi_unknown")):
        with pytest.raises(Refused) as raised:
            await attempt
        assert raised.value.code == "resource_missing"


# --- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [(4900, "EUR", 4900), (500, "JPY", 500), (40, "ISK", 4000), (300, "MGA", 3), (1230, "KWD", 1230)],
)
def test_amounts_are_counted_as_stripe_counts(amount: int, currency: str, expected: int) -> None:
    assert stripe_amount(Money(amount=amount, currency=currency)) == expected


@pytest.mark.parametrize(("amount", "currency"), [(1234, "KWD"), (150, "MGA"), (5, "UGX")])
def test_amounts_stripe_cannot_express_are_refused(amount: int, currency: str) -> None:
    with pytest.raises(Refused):
        stripe_amount(Money(amount=amount, currency=currency))


@given(st.integers(min_value=0, max_value=10**12), st.sampled_from(["EUR", "USD", "GBP", "JPY", "KRW"]))
def test_usual_currencies_are_sent_as_they_are(amount: int, currency: str) -> None:
    assert stripe_amount(Money(amount=amount, currency=currency)) == amount


# --- config ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "test"), [("sk_test_1", True), ("rk_test_1", True), ("sk_live_1", False), ("rk_live_1", False)]
)
def test_the_key_says_whether_money_is_real(key: str, test: bool) -> None:
    assert Config(secret_key=SecretStr(key), webhook_secret=SecretStr("whsec_1")).test_mode is test
