"""What is special about Braintree: no keys, so what there is is looked for; amounts without a currency."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from braintree import (  # type: ignore[import-untyped]  # it ships no types
    BraintreeGateway,
    Configuration,
    Environment,
)
from braintree.util.xml_util import XmlUtil  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from connectors.braintree import CONNECTOR
from connectors.braintree.api import REAL, Config, environment_of
from connectors.braintree.fake import Fake
from connectors.braintree.payments import BraintreePayments
from connectors.braintree.results import BUCKETS, MESSAGES, PLAIN, bucket_of, money_of, result_of
from connectors.braintree.webhooks import BraintreeWebhooks
from connectors.errors import Refused, RetryLater
from connectors.types import Dispute, Money, PaymentRequest, PaymentResult, RefundResult, Webhook
from tests.connectors.conftest import Rig, reaching

SAMPLES = Path(__file__).parents[2] / "connectors" / "braintree" / "samples"
PRICE = Money(amount=4900, currency="EUR")
PART = Money(amount=1900, currency="EUR")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


@pytest.fixture
def payments(rig: Rig) -> BraintreePayments:
    return BraintreePayments(rig.session)


def asking(source: str = "fake-valid-nonce", **more: Any) -> PaymentRequest:
    return PaymentRequest(**{"amount": PRICE, "source": source, "order_id": "o_12", **more})


async def facts(rig: Rig) -> list[Any]:
    """What the notifications said so far, each verified."""
    hooks = BraintreeWebhooks(rig.session.config)
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


async def test_money_is_taken_now_and_settled_later(rig: Rig, payments: BraintreePayments) -> None:
    held = await payments.authorise(asking(email="ann@example.com", ip="10.0.0.1"), key="a")
    assert (held.state, held.order_id, held.amount) == ("authorised", "o_12", PRICE)
    assert held.expires_at is not None
    assert timedelta(days=6) < held.expires_at - datetime.now(UTC) <= timedelta(days=7)
    for _ in "12":
        taken = await payments.capture(held.ref, PART, key="c")
        assert (taken.state, taken.amount) == ("capture_pending", PART)
    assert (await payments.void(held.ref, key="v")).state == "capture_pending"
    await rig.ctl("settle", ref=held.ref, what="capture")
    assert (await payments.get(held.ref)).state == "captured"
    [told] = await facts(rig)
    assert (told.ref, told.state, told.amount, told.order_id) == (held.ref, "captured", PART, "o_12")


async def test_settling_can_fail_and_a_hold_runs_out(rig: Rig, payments: BraintreePayments) -> None:
    first = await payments.authorise(asking(order_id="o_1"), key="a")
    second = await payments.authorise(asking(order_id="o_2"), key="b")
    await payments.capture(first.ref, PRICE, key="c")
    await rig.ctl("settle", ref=first.ref, what="capture_failed")
    await rig.ctl("settle", ref=second.ref, what="expire")
    assert [fact.state for fact in await facts(rig)] == ["capture_failed"]
    assert (await payments.get(first.ref)).state == "capture_failed"
    assert (await payments.capture(second.ref, PRICE, key="d")).state == "voided"
    assert (await payments.void(second.ref, key="v")).state == "voided"


async def test_before_settling_all_is_voided_and_a_part_waits(rig: Rig, payments: BraintreePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    await payments.capture(held.ref, PRICE, key="c")
    with pytest.raises(RetryLater) as raised:
        await payments.refund(held.ref, PART, key="r1")
    assert (raised.value.after, raised.value.unknown) == (3600, False)
    for _ in "12":
        back = await payments.refund(held.ref, PRICE, key="r2")
        assert (back.state, back.payment_ref, back.amount) == ("done", held.ref, PRICE)
    now = await payments.get(held.ref)
    assert (now.state, now.refunded) == ("refunded", PRICE)


async def test_a_refund_is_found_by_its_key_when_its_answer_was_lost(
    rig: Rig, payments: BraintreePayments
) -> None:
    held = await payments.authorise(asking(), key="a")
    await payments.capture(held.ref, PRICE, key="c")
    await rig.ctl("settle", ref=held.ref, what="capture")
    # The first call only looks; the second is the refund.
    lost = await payments.refund(held.ref, PART, key="r0")
    again = await payments.refund(held.ref, PART, key="r0")
    assert (again.ref, again.amount, again.order_id) == (lost.ref, PART, "o_12")
    second = await payments.refund(held.ref, PART, key="r1")
    assert second.ref != lost.ref
    now = await payments.get(held.ref)
    assert (now.state, now.amount, now.refunded) == ("captured", PRICE, Money(amount=3800, currency="EUR"))
    with pytest.raises(Refused) as raised:
        await payments.refund(held.ref, PART, key="r2")
    assert raised.value.code == "91521"
    await rig.ctl("settle", ref=held.ref, what="refund_failed")
    told = [fact for fact in await facts(rig) if isinstance(fact, RefundResult)]
    assert [(one.ref, one.payment_ref, one.state) for one in told] == [(second.ref, held.ref, "failed")]
    assert (await payments.get(held.ref)).refunded == PART
    await payments.refund(held.ref, Money(amount=3000, currency="EUR"), key="r3")
    assert (await payments.get(held.ref)).state == "refunded"
    [row] = await books(rig)
    assert (row["captures"], row["captured"], row["refunded"]) == (1, 4900, 4900)


async def test_a_lost_sale_is_found_and_a_blind_repeat_is_caught(rig: Rig) -> None:
    hasty = BraintreePayments(rig.session, answer_seconds=0.5)
    source = (await rig.ctl("source", kind="save"))["source"]
    saved = (await hasty.authorise(asking(source, order_id="o_0", save=True), key="s")).saved
    assert saved is not None
    request = asking(saved.ref.get_secret_value(), customer=saved.customer)
    await rig.ctl("fault", kind="timeout", seconds=5)
    with pytest.raises(RetryLater) as raised:
        await hasty.authorise(request, key="p")
    assert raised.value.unknown
    found = await hasty.find("o_12")
    assert found is not None
    assert found.state == "authorised"
    # Somebody repeats it all the same: Braintree's own check answers, and no second sum is held.
    assert (await hasty.authorise(request, key="p")).ref == found.ref
    held = [row for row in await books(rig) if row["state"] == "authorized" and row["order_id"] == "o_12"]
    assert len(held) == 1


async def test_of_several_tries_the_one_that_holds_money_is_found(payments: BraintreePayments) -> None:
    declined = await payments.authorise(asking("fake-processor-declined-visa-nonce"), key="a")
    assert (await payments.find("o_12")) == declined
    held = await payments.authorise(asking(), key="b")
    found = await payments.find("o_12")
    assert found is not None
    assert found.ref == held.ref
    assert await payments.find("o_13") is None


async def test_a_saved_card_pays_with_and_without_its_owner(rig: Rig, payments: BraintreePayments) -> None:
    source = (await rig.ctl("source", kind="save"))["source"]
    saved = (await payments.authorise(asking(source, save=True), key="a")).saved
    assert saved is not None
    assert (saved.brand, saved.last4, saved.exp_month, saved.exp_year) == ("visa", "1111", 12, 2030)
    ref = saved.ref.get_secret_value()
    for number, present in enumerate((True, False)):
        again = asking(ref, customer=saved.customer, buyer_present=present, order_id=f"o_{number}")
        assert (await payments.authorise(again, key="b")).state == "authorised"
    for thief in ("somebody", None):
        with pytest.raises(Refused):
            await payments.authorise(asking(ref, customer=thief, order_id="o_9"), key="thief")
    await payments.forget(ref, saved.customer)
    await payments.forget(ref, saved.customer)
    assert (await rig.state())["vault"] == []


# --- currencies -----------------------------------------------------------------------------------


async def test_each_currency_goes_to_its_own_account(rig: Rig, payments: BraintreePayments) -> None:
    for currency, amount in (("USD", 1999), ("JPY", 500), ("KWD", 1234)):
        money = Money(amount=amount, currency=currency)
        held = await payments.authorise(asking(amount=money, order_id=currency), key=currency)
        assert held.amount == money
    with pytest.raises(Refused, match="CHF"):
        await payments.authorise(asking(amount=Money(amount=100, currency="CHF")), key="x")
    assert {row["currency"]: row["amount"] for row in await books(rig)} == {
        "USD": 1999,
        "JPY": 500,
        "KWD": 1234,
    }


async def test_money_held_in_another_currency_is_let_go_of(rig: Rig) -> None:
    accounts = rig.session.config.merchant_accounts.replace("USD=", "GBP=")
    config = rig.session.config.model_copy(update={"merchant_accounts": accounts})
    session = CONNECTOR.session(rig.session.http, config, rig.session.addresses)
    with pytest.raises(Refused, match="another currency"):
        await BraintreePayments(session).authorise(asking(amount=Money(amount=100, currency="GBP")), key="x")
    assert [row["state"] for row in await books(rig)] == ["voided"]


@given(st.integers(min_value=1, max_value=10**12), st.sampled_from(["EUR", "JPY", "KRW", "KWD", "CLF"]))
def test_no_amount_changes_on_its_way_there_and_back(amount: int, currency: str) -> None:
    money = Money(amount=amount, currency=currency)
    assert money_of({"amount": money.decimal(), "currency_iso_code": currency}) == money


# --- declines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "bucket"),
    [
        ({"code": "2000"}, "opaque"),
        ({"code": "2001"}, "soft"),
        ({"code": "2003"}, "limit"),
        ({"code": "2010"}, "fixable"),
        ({"code": "2013"}, "hard"),
        ({"code": "3000"}, "soft"),
        ({"code": "fraud"}, "hard"),
        ({"code": "cvv"}, "fixable"),
        ({"number": "4000000000001091"}, "auth"),
    ],
)
async def test_a_refused_card_is_an_answer(rig: Rig, card: dict[str, Any], bucket: str) -> None:
    fake = rig.fake
    assert isinstance(fake, Fake)
    payments = BraintreePayments(rig.session)
    result = await payments.authorise(asking(fake._books.nonce(**card)), key="p1")
    assert (result.state, result.decline, result.order_id) == ("declined", bucket, "o_12")
    assert await payments.confirm(result.ref, {}, key="c") == result


async def test_a_stale_card_token_is_an_answer_and_another_no_is_not(payments: BraintreePayments) -> None:
    for nonce in ("fake-consumed-nonce", "no-such-nonce"):
        result = await payments.authorise(asking(nonce), key="p1")
        assert (result.state, result.decline, result.ref) == ("declined", "fixable", "")
    with pytest.raises(Refused) as raised:
        await payments.authorise(asking("vault:nothing", customer="c1"), key="p2")
    assert raised.value.code == "91518"


@given(st.sampled_from([*BUCKETS, "2000", "2999", "", None]))
def test_every_decline_has_a_category_and_a_sentence(code: str | None) -> None:
    bucket = bucket_of({"status": "processor_declined", "processor_response_code": code})
    assert MESSAGES[bucket].endswith(".")
    assert MESSAGES["hard"] == PLAIN


def test_a_status_nobody_knows_yet_is_pending() -> None:
    assert result_of({"id": "t1", "status": "pondering", "amount": "1.00"}).state == "pending"
    for nothing in ({}, {"id": 3, "status": "settled"}):
        with pytest.raises(RetryLater):
            result_of(nothing)


@pytest.mark.parametrize("sample", ["authorized", "declined", "rejected"])
def test_documented_transactions_are_understood(sample: str) -> None:
    given_ = json.loads((SAMPLES / f"transaction_{sample}.json").read_text())
    transaction = XmlUtil.dict_from_xml(given_["xml"])["transaction"]
    assert result_of(transaction).state == given_["status"]


# --- trouble --------------------------------------------------------------------------------------


async def test_a_page_of_html_with_a_200_is_an_unknown_outcome(rig: Rig, payments: BraintreePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    await rig.ctl("fault", kind="maintenance")
    with pytest.raises(RetryLater) as raised:
        await payments.authorise(asking(order_id="o_2"), key="p1")
    assert raised.value.unknown
    await rig.ctl("fault", kind="maintenance")
    with pytest.raises(RetryLater) as raised:
        await payments.capture(held.ref, PRICE, key="p2")
    assert raised.value.unknown
    await rig.ctl("fault", kind="maintenance")
    with pytest.raises(RetryLater):
        await payments.get(held.ref)
    await rig.ctl("fault", kind="maintenance")
    with pytest.raises(RetryLater):
        await payments.form(PRICE, customer=None)


def test_the_real_environments_are_the_vendors() -> None:
    assert environment_of(REAL, True).server == "api.sandbox.braintreegateway.com"
    assert environment_of(REAL, False).base_url == "https://api.braintreegateway.com:443"


async def test_the_form_has_a_token_for_this_amount(payments: BraintreePayments) -> None:
    form = await payments.form(PRICE, customer=None)
    assert form.public == {"amount": "49.00", "currency": "EUR", "three_d_secure": "yes"}
    assert form.session is not None
    assert json.loads(base64.b64decode(form.session.get_secret_value()))["version"] == 2
    assert form.session.get_secret_value() not in repr(form)


@pytest.mark.parametrize("accounts", ["", "shop", "eur=shop", "EUR=shop;USD=x", "EUR=", "EUR=a b"])
def test_accounts_are_entered_by_currency(accounts: str) -> None:
    keys: dict[str, Any] = {"merchant_id": "m", "public_key": "p", "private_key_secret": SecretStr("s")}
    with pytest.raises(ValidationError):
        Config(merchant_accounts=accounts, **keys)
    assert Config(merchant_accounts=" EUR=shop_e , USD=shop-u ", **keys).account_for("USD") == "shop-u"


# --- webhooks -------------------------------------------------------------------------------------

CONFIG = Config(
    merchant_id="m1", public_key="pub", private_key_secret=SecretStr("priv"), merchant_accounts="EUR=a"
)


def delivery(kind: str, **changed: str) -> Webhook:
    """As the vendor's own test helper makes them."""
    keys = (CONFIG.merchant_id, CONFIG.public_key, CONFIG.private_key_secret.get_secret_value())
    sample = BraintreeGateway(Configuration(Environment.Sandbox, *keys)).webhook_testing
    form = sample.sample_notification(kind, "t1")
    form = {name: value if isinstance(value, str) else value.decode() for name, value in form.items()}
    return Webhook(headers={}, body=urlencode({**form, **changed}).encode(), received_at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("kind", "type_", "state"),
    [
        ("transaction_settled", PaymentResult, "captured"),
        ("transaction_settlement_declined", PaymentResult, "capture_failed"),
        ("dispute_opened", Dispute, "open"),
        ("dispute_won", Dispute, "won"),
        ("dispute_lost", Dispute, "lost"),
    ],
)
def test_the_vendors_samples_are_genuine_and_understood(kind: str, type_: type, state: str) -> None:
    hooks, hook = BraintreeWebhooks(CONFIG), delivery(kind)
    assert hooks.verify(hook) == hooks.verify(hook)
    [fact] = hooks.parse(hook.body)
    assert (type(fact), getattr(fact, "state", None)) == (type_, state)


def test_kinds_that_are_no_news_of_money_are_nothing() -> None:
    for kind in ("check", "subscription_canceled", "transaction_reviewed"):
        hook = delivery(kind)
        assert BraintreeWebhooks(CONFIG).verify(hook)
        assert BraintreeWebhooks(CONFIG).parse(hook.body) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"bt_signature": "pub|" + "0" * 40},
        {"bt_signature": "other|" + "0" * 40},
        {"bt_signature": "pub|a|b"},
        {"bt_signature": "pub|é"},
        {"bt_signature": ""},
        {"bt_payload": base64.encodebytes(b"<notification/>").decode()},
        {"bt_payload": "é"},
        {"bt_payload": "<>"},
    ],
)
def test_a_notification_that_is_not_theirs_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(Refused):
        BraintreeWebhooks(CONFIG).verify(delivery("transaction_settled", **changed))


async def test_notifications_come_out_of_order_and_twice(rig: Rig, payments: BraintreePayments) -> None:
    held = await payments.authorise(asking(), key="a")
    await payments.capture(held.ref, PRICE, key="c")
    await rig.ctl("fault", kind="reorder_webhooks", count=1)
    await rig.ctl("settle", ref=held.ref, what="capture")
    await rig.ctl("fault", kind="duplicate_webhook", count=1)
    await rig.ctl("settle", ref=held.ref, what="dispute")
    kinds = [type(fact) for fact in await facts(rig)]
    assert kinds == [Dispute, Dispute, PaymentResult]
