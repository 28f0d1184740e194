"""A payment's way: reserved, authorised in the background, committed, captured; and every way it fails."""

from __future__ import annotations

import asyncio

import pytest

from tests.hub.market import Buyer, Market, Trade


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=3)


async def bought(market: Market, card: str = "pm_card_visa") -> tuple[Buyer, object]:
    buyer = await market.viewer()
    return buyer, await buyer.order(await buyer.hold(), card)


async def test_the_buyer_is_told_the_truth_at_every_step(market: Market) -> None:
    buyer, order = await bought(market)
    status = await buyer.status(order)
    assert status["state"] == "authorising"
    assert status["message"] == "Reserved for you. Confirming the payment …"
    assert status["hold_expires_at"]
    assert await market.shop.stock() == (3, 1, 0)
    assert await market.intents() == []
    await market.work()
    status = await buyer.status(order)
    assert (status["state"], status["hold_expires_at"]) == ("paid", None)
    assert await market.shop.stock() == (3, 0, 1)
    [intent] = await market.intents()
    assert (intent["state"], intent["captures"], intent["captured"]) == ("succeeded", 1, 4900)
    await market.shop.check_ledger()


async def test_a_declined_card_costs_nothing_and_the_hold_waits_for_another(market: Market) -> None:
    buyer = await market.viewer()
    hold = await buyer.hold()
    first = await buyer.order(hold, "pm_card_visa_chargeDeclinedInsufficientFunds")
    await market.arrived("stripe")
    status = await buyer.status(first)
    assert status["state"] == "failed"
    assert "insufficient funds" in status["message"]
    assert await market.shop.stock() == (3, 1, 0)
    second = await buyer.order(hold)
    assert second["order_id"] != first["order_id"]
    await market.arrived("stripe")
    assert (await buyer.status(second))["state"] == "paid"
    assert (await buyer.status(first))["state"] == "failed"
    assert [intent["captured"] for intent in await market.intents()] == [0, 4900]
    await market.shop.check_ledger()


async def test_a_payment_the_bank_wants_to_ask_about_is_let_go_of(market: Market) -> None:
    buyer, order = await bought(market, "pm_card_authenticationRequired")
    await market.arrived("stripe")
    status = await buyer.status(order)
    assert status["state"] == "failed"
    assert "bank" in status["message"]
    [intent] = await market.intents()
    assert intent["state"] == "canceled"
    assert await market.states("payment") == {"voided": 1}


@pytest.mark.parametrize("kind", ["lose", "status"])
async def test_an_unknown_outcome_is_asked_for_again_and_charged_once(market: Market, kind: str) -> None:
    await market.fakes["stripe"].control("fault", {"kind": kind, "status": 500, "count": 2})
    buyer, order = await bought(market)
    await market.work()
    assert (await buyer.status(order))["state"] == "authorising"
    for _ in range(3):
        await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1]
    assert await market.shop.stock() == (3, 0, 1)


async def test_a_capture_whose_answer_is_lost_takes_the_money_once(market: Market) -> None:
    buyer, order = await bought(market)
    payment = (await market.sql("SELECT id FROM payment"))[0]["id"]
    await market.hub.payments.authorise(payment, market.hub.checkout.settle)
    await market.fakes["stripe"].control("fault", {"kind": "lose"})
    await market.work()
    assert (await buyer.status(order))["state"] == "authorising"
    await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1]


async def test_webhooks_lost_doubled_or_early_change_nothing(market: Market) -> None:
    await market.fakes["stripe"].control("fault", {"kind": "lost_webhook"})
    await market.fakes["stripe"].control("fault", {"kind": "duplicate_webhook", "count": 3})
    buyers = [await bought(market) for _ in range(3)]
    # Both at once, and again: answers and webhooks overtake each other.
    await asyncio.gather(market.work(), market.arrived("stripe"))
    await market.arrived("stripe")
    for buyer, order in buyers:
        assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1, 1, 1]
    assert await market.states("payment") == {"captured": 3}
    assert await market.states("webhook_event") == {"done": 5}
    assert await market.shop.stock() == (3, 0, 3)


async def test_the_same_job_twice_at_once_pays_once(market: Market) -> None:
    buyer, order = await bought(market)
    payment = (await market.sql("SELECT id FROM payment"))[0]["id"]
    pay, settle = market.hub.payments, market.hub.checkout.settle
    await asyncio.gather(*(pay.authorise(payment, settle) for _ in range(4)), return_exceptions=True)
    await asyncio.gather(*(pay.capture(payment, settle) for _ in range(4)), return_exceptions=True)
    await pay.authorise(payment, settle)
    await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1]


async def test_money_held_too_late_for_sold_out_stock_is_let_go_of(market: Market) -> None:
    slow, order = await bought(market)
    market.clock.tick(91)
    await market.sweep()
    for _ in range(3):
        await (await market.viewer()).hold()
    await market.arrived("stripe")
    status = await slow.status(order)
    assert status["state"] == "expired"
    assert "Nothing was charged" in status["message"]
    [intent] = await market.intents()
    assert (intent["state"], intent["captured"]) == ("canceled", 0)
    assert await market.shop.stock() == (3, 3, 0)
    await market.shop.check_ledger()


async def test_money_held_a_moment_late_still_buys_what_is_left(market: Market) -> None:
    buyer, order = await bought(market)
    market.clock.tick(91)
    await market.sweep()
    await market.work()
    assert (await buyer.status(order))["state"] == "paid"
    assert await market.shop.stock() == (3, 0, 1)
    await market.shop.check_ledger()


async def test_a_void_that_comes_too_late_gives_the_money_back(market: Market) -> None:
    _, _ = await bought(market)
    await market.work()
    # As after a crash between the capture at the gateway and its note in our books, with the stock gone.
    await market.sql("UPDATE payment SET state = 'authorised'")
    payment = (await market.sql("SELECT id FROM payment"))[0]["id"]
    await market.hub.payments.void(payment)
    [intent] = await market.intents()
    assert (intent["captured"], intent["refunded"]) == (4900, 4900)
    assert await market.states("payment") == {"refunded": 1}


async def test_an_unlinked_gateway_fails_the_order_and_says_so(market: Market) -> None:
    buyer, order = await bought(market)
    row = await market.connection("stripe")
    async with market.hub.db.session() as session:
        row = await market.hub.connections.get(session, market.shop.brand_id, row.id)
        await market.hub.connections.remove(session, row)
    await market.work()
    status = await buyer.status(order)
    assert status["state"] == "failed"
    assert "Nothing was charged" in status["message"]


async def test_a_dead_key_before_anything_was_sent_fails_the_order(market: Market) -> None:
    await market.fakes["stripe"].control("fault", {"kind": "revoke"})
    buyer, order = await bought(market)
    await market.work()
    assert (await buyer.status(order))["state"] == "failed"
    assert (await market.connection("stripe")).state == "reconnect"


async def test_a_dead_key_after_an_unknown_outcome_promises_nothing(market: Market) -> None:
    await market.fakes["stripe"].control("fault", {"kind": "lose"})
    buyer, order = await bought(market)
    await market.work()
    await market.fakes["stripe"].control("fault", {"kind": "revoke"})
    await market.later()
    assert (await buyer.status(order))["state"] == "authorising"


async def test_one_hold_asked_for_twice_is_one_order(market: Market) -> None:
    buyer = await market.viewer()
    hold = await buyer.hold()
    orders = await asyncio.gather(*(buyer.order(hold) for _ in range(4)))
    assert len({order["order_id"] for order in orders}) == 1
    await market.work()
    assert len(await market.intents()) == 1


async def test_a_reservation_being_paid_cannot_be_let_go_of(market: Market) -> None:
    buyer = await market.viewer()
    hold = await buyer.hold()
    await buyer.order(hold)
    path = f"/api/v1/public/holds/{hold['hold_id']}"
    assert (await buyer.http.call("DELETE", path, ok=409))["code"] == "being_paid"


async def test_anothers_order_and_hold_are_not_to_be_found(market: Market) -> None:
    buyer = await market.viewer()
    hold = await buyer.hold()
    order = await buyer.order(hold)
    other = await market.viewer()
    await other.http.call("GET", f"/api/v1/public/orders/{order['order_id']}", ok=404)
    await other.http.call("DELETE", f"/api/v1/public/holds/{hold['hold_id']}", ok=404)
    await other.order(hold, ok=404)
