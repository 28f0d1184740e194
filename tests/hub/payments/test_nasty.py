"""The ten nastiest behaviours of shops and gateways (commerce.md, H5), as far as they are about money."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from connectors.errors import RetryLater
from connectors.types import PaymentResult
from hub.errors import Conflict
from hub.payments.models import Refund
from tests.hub.market import Market, Trade, post
from tests.hub.payments.till import bought, paid, refund, row, stripe


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=6)


# 1 · Lost response after commit


async def test_answers_lost_after_the_money_moved_move_it_once(market: Market) -> None:
    """Authorisation, capture, refund: each answer is lost twice, each happened once."""
    await stripe(market, "fault", kind="lose", count=2)
    buyer, order = await bought(market)
    await market.work()
    await market.later()
    await stripe(market, "fault", kind="lose", count=2)
    for _ in range(4):
        await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    # Webhooks may have made a repeat of the capture needless: what was to be lost of it is not.
    await stripe(market, "fault", kind="clear")
    await stripe(market, "fault", kind="lose", count=2)
    await refund(market, order, 900)
    for _ in range(4):
        await market.later()
    [intent] = await market.intents()
    assert (intent["captures"], intent["captured"], intent["refunded"]) == (1, 4900, 900)
    assert (await row(market, "refund"))["state"] == "done"
    assert (await row(market))["refunded_minor"] == 900


async def test_a_key_the_gateway_has_forgotten_is_never_repeated_blindly(market: Market) -> None:
    """After 20 hours the order is looked up first; a repeat would be a second charge."""
    await stripe(market, "fault", kind="lose")
    await bought(market)
    await market.work()
    await stripe(market, "fault", kind="forget_keys")
    await market.sql("UPDATE payment SET due_at = NULL")
    market.clock.tick(21 * 3600)
    await market.later()
    assert [intent["captured"] for intent in await market.intents()] == [4900]
    assert (await row(market))["round"] == 1
    # One that certainly never arrived is sent again, under a new key that was stored first.
    await stripe(market, "fault", kind="status", status=500)
    await bought(market)
    await market.work()
    await market.sql("UPDATE payment SET due_at = NULL")
    market.clock.tick(21 * 3600)
    await market.later()
    assert [intent["captured"] for intent in await market.intents()] == [4900, 4900]
    assert (await row(market))["round"] == 2


# 2 · Success before create, and everything else in the wrong order


async def test_success_that_is_told_before_our_own_answer_came_pays_once(market: Market) -> None:
    await stripe(market, "webhook_url", url=market.hook("stripe"), events="all")
    await stripe(market, "fault", kind="lose")
    await stripe(market, "fault", kind="reorder_webhooks", count=2)
    buyer, order = await bought(market)
    await market.work()
    await market.arrived("stripe")
    for _ in range(2):
        await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    # A refund is told before we know its number: the word waits for the answer, and counts once.
    await stripe(market, "fault", kind="lose")
    await refund(market, order, 900)
    await market.work()
    await market.arrived("stripe")
    for _ in range(3):
        await market.later()
    assert await market.states("refund") == {"done": 1}
    assert (await row(market))["refunded_minor"] == 900
    assert await market.states("webhook_event") == {
        "done": sum((await market.states("webhook_event")).values())
    }


# 3 · The same fact under different ids


async def test_one_sale_told_in_many_ways_is_one_sale(market: Market) -> None:
    await stripe(market, "webhook_url", url=market.hook("stripe"), events="all")
    await stripe(market, "fault", kind="duplicate_webhook", count=6)
    buyers = [await bought(market) for _ in range(2)]
    await asyncio.gather(market.work(), market.arrived("stripe"))
    await market.arrived("stripe")
    for buyer, order in buyers:
        assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1, 1]
    assert await market.shop.stock() == (6, 0, 2)
    told = await market.sql("SELECT kind, count(*) AS n FROM order_event GROUP BY kind")
    assert {one["n"] for one in told if one["kind"] == "payment.paid"} == {2}


# 4 · A stale word


async def test_a_word_from_yesterday_changes_nothing(market: Market) -> None:
    await stripe(market, "fault", kind="stale_webhook", count=20)
    _, order = await paid(market)
    await refund(market, order, 4900)
    await market.work()
    before = [await row(market), await row(market, "orders"), await market.shop.stock()]
    assert await market.states("payment") == {"refunded": 1}
    assert (await stripe(market, "release"))["released"] >= 4
    await market.arrived("stripe")
    assert [await row(market), await row(market, "orders"), await market.shop.stock()] == before


# 5 · Pay versus expire


async def test_when_the_time_is_up_at_the_moment_of_paying_one_of_both_wins(market: Market) -> None:
    """Sweeper, webhook, page and job at once; whoever wins, money and stock agree."""
    orders = []
    for _ in range(4):
        buyer, order = await bought(market, "pm_card_threeDSecure2Required")
        orders.append((buyer, order))
    await market.work()
    waiting = await market.intents()

    async def say_yes(number: int) -> None:
        buyer, order = orders[number]
        answer = await stripe(market, "act", ref=waiting[number]["ref"], ok=True)
        path = f"/api/v1/public/orders/{order['order_id']}/confirmation"
        await buyer.http.call("POST", path, answer, ok=202)

    async def time_is_up() -> None:
        await market.sql("UPDATE payment SET due_at = :now", now=market.clock())
        await market.sweep()

    await asyncio.gather(say_yes(0), say_yes(1), time_is_up(), say_yes(2), market.work())
    await market.arrived("stripe")
    for _ in range(3):
        await market.later()
    states = [(await buyer.status(order))["state"] for buyer, order in orders]
    assert set(states) <= {"paid", "expired"}
    assert states[3] == "expired"
    taken = sum(intent["captured"] - intent["refunded"] for intent in await market.intents())
    assert taken == 4900 * states.count("paid")
    assert {intent["state"] for intent in await market.intents()} <= {"succeeded", "canceled"}
    assert await market.shop.stock() == (6, 0, states.count("paid"))
    await market.shop.check_ledger()


async def test_money_taken_for_an_order_that_was_cancelled_goes_back_at_once(market: Market) -> None:
    _, order = await bought(market)
    payment = (await row(market))["id"]
    await market.hub.payments.steps.authorise(payment)
    # The capture's answer is lost, and the order is cancelled before it is asked for again.
    await stripe(market, "fault", kind="lose")
    with pytest.raises(RetryLater):
        await market.hub.payments.steps.capture(payment)
    async with market.hub.db.session() as session:
        await market.hub.payments.cancel(session, UUID(order["order_id"]))
    for _ in range(2):
        await market.later()
    [intent] = await market.intents()
    assert (intent["captured"], intent["refunded"]) == (4900, 4900)
    assert (await row(market))["state"] == "refunded"


# 7 · Double count, the money's part


async def test_a_refund_made_at_the_gateway_and_one_of_ours_are_two_and_each_counts_once(
    market: Market,
) -> None:
    _, order = await paid(market)
    [intent] = await market.intents()
    await refund(market, order, 1000, key="mine")
    await market.arrived("stripe")
    # Somebody gives back the rest on Stripe's own page; its events come twice.
    await stripe(market, "fault", kind="duplicate_webhook", count=4)
    keys = market.fakes["stripe"].config["secret_key"]
    body = {"payment_intent": intent["ref"], "amount": "3900"}
    form = "&".join(f"{name}={value}" for name, value in body.items()).encode()
    answer = await post(
        f"{market.fakes['stripe'].base_url}v1/refunds", form, {"Authorization": f"Bearer {keys}"}
    )
    assert answer.status_code == 200
    await market.arrived("stripe")
    await refund_again(market, order)
    assert await market.states("refund") == {"done": 2}
    assert (await row(market))["refunded_minor"] == 4900
    found = await row(market, "orders")
    assert (found["state"], found["refunded_minor"]) == ("refunded", 4900)


async def refund_again(market: Market, order: Any) -> None:
    """The same request once more is the same refund."""
    await refund(market, order, 1000, key="mine")
    await market.work()


# 8 · Captures and refunds that fail later


async def test_a_hold_that_ran_out_before_the_capture_takes_the_order_back(market: Market) -> None:
    buyer, order = await bought(market)
    payment = (await row(market))["id"]
    await market.hub.payments.steps.authorise(payment)
    [intent] = await market.intents()
    await stripe(market, "settle", ref=intent["ref"], what="expire")
    await market.work()
    await market.arrived("stripe")
    status = await buyer.status(order)
    assert status["state"] == "failed"
    assert "not paid" in status["message"]
    assert await market.shop.stock() == (6, 0, 0)
    found = await row(market)
    assert (found["state"], found["captured_minor"]) == ("capture_failed", 0)
    assert "do not ship" in found["problem"]
    await market.shop.check_ledger()


async def test_money_that_comes_after_a_capture_failed_goes_back(market: Market) -> None:
    """Its stock is free again and its buyer was told to order anew: it is not sold a second time."""
    buyer, order = await paid(market)
    ref = (await row(market))["ref"]
    for state in ("capture_failed", "captured"):
        await told(market, PaymentResult(ref=ref, state=state))
    await market.arrived("stripe")
    assert (await buyer.status(order))["state"] == "failed"
    assert await market.shop.stock() == (6, 0, 0)
    assert [(one["captured"], one["refunded"]) for one in await market.intents()] == [(4900, 4900)]
    await market.shop.check_ledger()


async def test_money_of_a_card_that_was_declined_goes_back_though_another_paid(market: Market) -> None:
    buyer, order = await bought(market, "pm_card_visa_chargeDeclinedInsufficientFunds")
    await market.work()
    payment, book = await row(market), market.hub.payments.book
    again = f"/api/v1/public/orders/{order['order_id']}/payment"
    await buyer.http.call("POST", again, {"payment": {"source": "pm_card_visa"}}, ok=202)
    await market.arrived("stripe")
    for _ in range(2):
        async with market.hub.db.session() as session:
            first = await book.locked(session, payment["id"])
            first.cause = "late_success"
            await book.taken_too_late(session, first, PaymentResult(ref="pi_late", state="captured"))
    async with market.hub.db.session() as session:
        [refund] = await session.exec(select(Refund))
        await book.refund_over(session, refund, "done", "")
    assert await market.states("payment") == {"declined": 1, "captured": 1}
    found = await row(market, "orders")
    assert (found["state"], found["captured_minor"], found["refunded_minor"]) == ("paid", 9800, 4900)


async def told(market: Market, word: PaymentResult) -> None:
    """A webhook's word."""
    connection = await market.connection("stripe")
    async with market.hub.db.session() as session:
        await market.hub.payments.heard(session, connection, word)
    await market.work()


async def test_a_refund_that_fails_days_later_is_owed_again_and_somebody_is_told(market: Market) -> None:
    _, order = await paid(market, "pm_card_pendingRefund")
    await refund(market, order, 4900)
    await market.arrived("stripe")
    assert await market.states("refund") == {"sent": 1}
    [intent] = await market.intents()
    await stripe(market, "settle", ref=intent["ref"], what="refund")
    await market.arrived("stripe")
    assert (await row(market, "orders"))["state"] == "refunded"
    await stripe(market, "settle", ref=intent["ref"], what="refund_failed")
    await market.arrived("stripe")
    found = await row(market)
    assert (found["state"], found["refunded_minor"]) == ("captured", 0)
    assert "did not go through" in found["problem"]
    assert (await row(market, "orders"))["state"] == "paid"
    # It can be given back another time.
    await refund(market, order, 4900)


# 9 · Partial everything


async def test_money_given_back_in_parts_never_exceeds_what_was_taken_however_many_ask_at_once(
    market: Market,
) -> None:
    _, order = await paid(market)
    asked = [refund(market, order, amount) for amount in (1500, 1500, 1500, 1500, 700)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Conflict)]
    assert [one for one in answers if isinstance(one, BaseException)] == refused
    given = sum(one.amount_minor for one in answers if isinstance(one, Refund))
    assert given <= 4900
    assert refused
    assert {one.code for one in refused} == {"too_much"}
    await market.work()
    [intent] = await market.intents()
    assert intent["refunded"] == given == (await row(market))["refunded_minor"]
    assert (await row(market, "orders"))["refunded_minor"] == given


async def test_an_order_that_became_smaller_is_not_paid_more_than_it_costs(market: Market) -> None:
    _, order = await bought(market)
    payment = (await row(market))["id"]
    await market.hub.payments.steps.authorise(payment)
    await market.sql("UPDATE orders SET total_minor = 3000")
    await market.work()
    [intent] = await market.intents()
    assert intent["captured"] == 3000
    assert (await row(market))["captured_minor"] == 3000
    with pytest.raises(Conflict) as raised:
        await refund(market, order, 3001)
    assert raised.value.extra["left_minor"] == 3000


# 10 · A success that means failure


async def test_a_decline_is_no_error_and_an_odd_success_no_payment(market: Market) -> None:
    await bought(market, "pm_card_chargeDeclined")
    await market.work()
    assert await market.states("payment") == {"declined": 1}
    # Play money's events at a live account, and events nobody can read, are put aside for a person.
    [event] = (await stripe(market, "webhooks"))["deliveries"][:1]
    hooks = market.hub.connections.connector("stripe").webhooks
    assert hooks is not None
    body = json.loads(event["body"])
    assert "livemode" in body
    for broken in ({**body, "livemode": True}, {**body, "data": {"object": None}}):
        await market.sql(
            "INSERT INTO webhook_event (id, brand_id, connection_id, delivery_id, headers, body, state,"
            " received_at) VALUES (:id, :brand, :connection, :name, '{}', :body, 'stored', now())",
            id=(event_id := uuid4()),
            brand=market.shop.brand_id,
            connection=market.connections["stripe"],
            name=uuid4().hex,
            body=json.dumps(broken).encode(),
        )
        await market.hub.inbox.process(event_id)
    assert (await market.states("webhook_event"))["parked"] == 2


async def test_a_dispute_is_noted_on_the_order_once(market: Market) -> None:
    _, order = await paid(market)
    [intent] = await market.intents()
    await stripe(market, "fault", kind="duplicate_webhook", count=3)
    await stripe(market, "settle", ref=intent["ref"], what="dispute")
    await market.arrived("stripe")
    assert await market.states("dispute") == {"open": 1}
    notes = await market.sql("SELECT text FROM order_event WHERE kind = 'dispute.open'")
    assert [one["text"].startswith("The buyer's bank disputes") for one in notes] == [True]
    owner = await market.owner()
    [trouble] = await owner.call("GET", "/api/v1/payments/troubles")
    assert trouble["order_id"] == order["order_id"]
    assert "deadline" in trouble["problem"]
