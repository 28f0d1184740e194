"""What Stripe sends us: signed, repeated, out of order, and a word on a payment all the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.errors import Refused
from connectors.stripe import CONNECTOR
from connectors.stripe.api import Config
from connectors.stripe.fake import Fake
from connectors.stripe.payments import StripePayments
from connectors.stripe.webhooks import StripeWebhooks
from connectors.types import (
    Dispute,
    Fact,
    Money,
    PaymentRequest,
    PaymentResult,
    RefundResult,
    Webhook,
)
from tests.connectors.conftest import Rig, reaching, serving
from tests.connectors.inbox import Inbox

SAMPLES = Path(__file__).parents[2] / "connectors" / "stripe" / "samples"
PRICE = Money(amount=4900, currency="EUR")
BUYING = PaymentRequest(amount=PRICE, source="pm_card_visa", order_id="o_12")
VECTOR = "4c15fb2a43f93ef61eaa3e0893866d57cad9cad4223242cfb96f362480cb4021"
"""HMAC of "1700000000.{body}" under whsec_test, computed outside this code."""


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


def hooks() -> StripeWebhooks:
    config = Config(secret_key=SecretStr("sk_test_x"), webhook_secret=SecretStr("whsec_test"))
    return StripeWebhooks(config)


def delivery(signature: str, at: int, body: bytes = b'{"id":"evt_1","object":"event"}') -> Webhook:
    when = datetime.fromtimestamp(at, UTC)
    return Webhook(headers={"stripe-signature": signature}, body=body, received_at=when)


def test_a_known_signature_is_accepted_also_beside_an_older_secrets() -> None:
    for signature in (f"t=1700000000,v1={VECTOR}", f"t=1700000000,v1={'0' * 64},v1={VECTOR},v0=x"):
        assert hooks().verify(delivery(signature, 1700000010)) == "evt_1"


@pytest.mark.parametrize("at", [1700000301, 1699999939])
def test_a_delivery_from_another_time_is_refused(at: int) -> None:
    with pytest.raises(Refused):
        hooks().verify(delivery(f"t=1700000000,v1={VECTOR}", at))


@pytest.mark.parametrize(
    "signature", [f"t=1700000001,v1={VECTOR}", f"t=1700000000,v0={VECTOR}", f"v1={VECTOR}", "t=1,v1=é", "t=x"]
)
def test_a_signature_that_is_not_theirs_is_refused(signature: str) -> None:
    with pytest.raises(Refused):
        hooks().verify(delivery(signature, 1700000000))


@given(st.binary(max_size=60))
def test_an_altered_body_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        hooks().verify(delivery(f"t=1700000000,v1={VECTOR}", 1700000000, body + b" "))


@pytest.mark.parametrize(
    ("sample", "ref", "state"),
    [
        ("event_amount_capturable_updated", "pi_3Qa", "authorised"),
        ("event_payment_failed", "pi_3Qb", "declined"),
        ("event_charge_refunded", "pi_3Qa", "refunded"),
    ],
)
def test_events_say_where_the_payment_is(sample: str, ref: str, state: str) -> None:
    [fact] = hooks().parse((SAMPLES / f"{sample}.json").read_bytes())
    assert isinstance(fact, PaymentResult)
    assert (fact.ref, fact.state) == (ref, state)


def test_a_void_is_no_refund_and_an_unknown_event_is_nothing() -> None:
    refund = json.loads((SAMPLES / "event_charge_refunded.json").read_bytes())
    refund["data"]["object"].update(captured=False, amount_captured=0)
    assert hooks().parse(json.dumps(refund).encode()) == ()
    assert hooks().parse(b'{"id": "evt_2", "type": "radar.review.opened", "data": {"object": {}}}') == ()
    for broken in (b'{"type": "payment_intent.succeeded"}', b'{"type": 1, "data": {"object": 3}, "x": 1'):
        with pytest.raises(Refused):
            hooks().parse(broken)


def test_refunds_and_disputes_are_told_too() -> None:
    refund = {"id": "re_1", "amount": 1200, "currency": "eur", "payment_intent": "pi_1", "status": "failed"}
    [fact] = parsed("refund.failed", refund)
    assert isinstance(fact, RefundResult)
    assert (fact.ref, fact.payment_ref, fact.state, fact.amount) == (
        "re_1",
        "pi_1",
        "failed",
        Money(amount=1200, currency="EUR"),
    )
    dispute = {**refund, "id": "du_1", "status": "needs_response", "reason": "product_not_received"}
    [complaint] = parsed("charge.dispute.created", dispute)
    assert isinstance(complaint, Dispute)
    assert (complaint.state, complaint.reason) == ("open", "product not received")
    [lost] = parsed("charge.dispute.closed", {**dispute, "status": "lost"})
    assert isinstance(lost, Dispute)
    assert lost.state == "lost"
    [gone] = parsed("charge.expired", {"id": "ch_1", "payment_intent": "pi_1"})
    assert isinstance(gone, PaymentResult)
    assert gone.state == "voided"


def test_play_money_is_not_heard_of_at_a_live_account() -> None:
    with pytest.raises(Refused, match="play money"):
        parsed("charge.expired", {"id": "ch_1", "payment_intent": "pi_1"}, livemode=True)


def parsed(kind: str, thing: dict[str, Any], **more: Any) -> Sequence[Fact]:
    return hooks().parse(json.dumps({"id": "evt", "type": kind, **more, "data": {"object": thing}}).encode())


async def test_signed_events_arrive_although_the_receiver_was_down(rig: Rig) -> None:
    payments = StripePayments(rig.session)
    inbox = Inbox(StripeWebhooks(rig.session.config), down=1)
    async with serving(inbox.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        held = await payments.authorise(BUYING, key="a")
        await payments.capture(held.ref, PRICE, key="c")
        got = await inbox.until(2)
    assert {fact.state for _, fact in got} == {"authorised", "captured"}
    assert {(fact.ref, fact.order_id) for _, fact in got} == {(held.ref, "o_12")}


async def test_a_doubled_event_keeps_its_id_and_a_lost_one_never_comes(rig: Rig) -> None:
    payments = StripePayments(rig.session)
    inbox = Inbox(StripeWebhooks(rig.session.config))
    async with serving(inbox.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        await rig.ctl("fault", kind="lost_webhook")
        await payments.authorise(BUYING, key="lost")
        await rig.ctl("fault", kind="duplicate_webhook")
        kept = await payments.authorise(BUYING, key="doubled")
        got = await inbox.until(2)
    assert {(event, fact.ref) for event, fact in got} == {(got[0][0], kept.ref)}


def test_the_sdk_signs_as_we_verify() -> None:
    body = b'{"id":"evt_9","object":"event"}'
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), "whsec_test", 1700000000)
    assert hooks().verify(delivery(header, 1700000000, body)) == "evt_9"
