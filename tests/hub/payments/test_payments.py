"""A payment's way: reserved, authorised in the background, committed, captured; and every way it fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.hub.market import Buyer, Market, Trade


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=3)


async def bought(market: Market, card: str = "pm_card_visa") -> tuple[Buyer, Any]:
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
    assert status["hold_expires_at"][:19] == hold["expires_at"][:19]
    second = await buyer.order(hold)
    assert second["order_id"] == first["order_id"]
    await market.arrived("stripe")
    assert (await buyer.status(second))["state"] == "paid"
    assert [intent["captured"] for intent in await market.intents()] == [0, 4900]
    await market.shop.check_ledger()


async def test_three_cards_are_tried_and_not_more(market: Market) -> None:
    buyer = await market.viewer()
    hold = await buyer.hold()
    for _ in range(3):
        await buyer.order(hold, "pm_card_visa_chargeDeclined")
        await market.work()
    assert (await buyer.order(hold, ok=409))["code"] == "too_many_tries"
    assert [intent["captured"] for intent in await market.intents()] == [0, 0, 0]


async def answered(market: Market, buyer: Buyer, order: Any, *, ok: bool) -> None:
    """The buyer says yes or no at the bank, and their page brings the answer."""
    [*_, intent] = await market.intents()
    answer = await market.fakes["stripe"].control("act", {"ref": intent["ref"], "ok": ok})
    await buyer.http.call("POST", confirmation(order), answer, ok=202)


def confirmation(order: Any) -> str:
    return f"/api/v1/public/orders/{order['order_id']}/confirmation"


async def test_the_bank_asks_the_buyer_who_has_the_time_and_is_the_only_one_told(market: Market) -> None:
    buyer, order = await bought(market, "pm_card_threeDSecure2Required")
    await market.work()
    status = await buyer.status(order)
    assert (status["state"], status["action"]["gateway"]) == ("authorising", "stripe")
    assert status["action"]["kind"] == "script"
    secret = json.loads(status["action"]["data"])["client_secret"]
    # Sealed at rest, and on nobody else's page.
    [row] = await market.sql("SELECT * FROM payment")
    assert secret not in str(dict(row))
    stranger = await market.viewer()
    await stranger.http.call("GET", f"/api/v1/public/orders/{order['order_id']}", ok=404)
    await stranger.http.call("POST", confirmation(order), {}, ok=404)
    linked = await stranger.http.call("GET", f"/api/v1/public/orders/{status['token']}")
    assert linked["action"] is None
    # The reservation outlives its 90 seconds, once.
    market.clock.tick(250)
    await market.sweep()
    assert await market.shop.stock() == (3, 1, 0)
    await answered(market, buyer, order, ok=True)
    # The answer is on its way: a page that is loaded now has nothing to ask the bank.
    status = await buyer.status(order)
    assert (status["state"], status["action"]) == ("authorising", None)
    await market.arrived("stripe")
    assert (await buyer.status(order))["state"] == "paid"
    assert (await buyer.status(order))["action"] is None
    assert [intent["captures"] for intent in await market.intents()] == [1]
    assert await market.shop.stock() == (3, 0, 1)


async def test_who_fails_at_the_bank_may_try_another_card(market: Market) -> None:
    buyer = await market.viewer()
    hold = await buyer.hold()
    order = await buyer.order(hold, "pm_card_threeDSecure2Required")
    await market.work()
    await answered(market, buyer, order, ok=False)
    await market.arrived("stripe")
    assert (await buyer.status(order))["state"] == "failed"
    # A yes counts although the page was closed: the gateway tells.
    await buyer.order(hold, "pm_card_threeDSecure2Required")
    await market.work()
    [*_, intent] = await market.intents()
    await market.fakes["stripe"].control("act", {"ref": intent["ref"], "ok": True})
    await market.arrived("stripe")
    assert (await buyer.status(order))["state"] == "paid"


async def test_who_never_comes_back_from_the_bank_pays_nothing_and_the_stock_is_free(market: Market) -> None:
    buyer, order = await bought(market, "pm_card_threeDSecure2Required")
    await market.work()
    market.clock.tick(601)
    await market.sweep()
    # First the payment is cancelled; until that is certain the stock stays reserved.
    assert await market.shop.stock() == (3, 1, 0)
    assert "nothing is charged" in (await buyer.status(order))["message"]
    await market.work()
    assert await market.shop.stock() == (3, 0, 0)
    status = await buyer.status(order)
    assert (status["state"], status["action"]) == ("expired", None)
    [intent] = await market.intents()
    assert intent["state"] == "canceled"
    await market.shop.check_ledger()


async def test_an_unknown_outcome_is_asked_for_again_and_charged_once(market: Market) -> None:
    await market.fakes["stripe"].control("fault", {"kind": "status", "status": 500, "count": 2})
    buyer, order = await bought(market)
    await market.work()
    assert (await buyer.status(order))["state"] == "authorising"
    for _ in range(3):
        await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1]
    assert await market.shop.stock() == (3, 0, 1)


async def test_the_same_job_twice_at_once_pays_once(market: Market) -> None:
    buyer, order = await bought(market)
    payment = (await market.sql("SELECT id FROM payment"))[0]["id"]
    steps = market.hub.payments.steps
    await asyncio.gather(*(steps.authorise(payment) for _ in range(4)), return_exceptions=True)
    await asyncio.gather(*(steps.capture(payment) for _ in range(4)), return_exceptions=True)
    await steps.authorise(payment)
    await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1]


async def test_an_order_that_waits_for_its_turn_keeps_its_stock(market: Market) -> None:
    """A drop has more buyers than a gateway takes in 90 seconds."""
    slow, order = await bought(market)
    market.clock.tick(91)
    await market.sweep()
    assert await market.shop.stock() == (3, 1, 0)
    for _ in range(2):
        await (await market.viewer()).hold()
    assert (await (await market.viewer()).hold(ok=409))["code"] == "sold_out"
    await market.arrived("stripe")
    assert (await slow.status(order))["state"] == "paid"
    assert await market.shop.stock() == (3, 2, 1)


async def test_an_order_whose_turn_never_came_is_over_and_nothing_was_sent(market: Market) -> None:
    buyer, order = await bought(market)
    market.clock.tick(301)
    await market.sweep()
    assert (await buyer.status(order))["state"] == "expired"
    assert await market.shop.stock() == (3, 0, 0)
    await market.work()
    assert await market.intents() == []
    assert await market.states("payment") == {"voided": 1}


async def test_a_gateway_that_is_away_for_long_does_not_keep_the_stock(market: Market) -> None:
    """Its answer was lost; when it is back, the money is let go of although the stock went to others."""
    await market.fakes["stripe"].control("fault", {"kind": "lose"})
    buyer, order = await bought(market)
    await market.work()
    await market.fakes["stripe"].control("fault", {"kind": "status", "status": 503, "count": 100})
    market.clock.tick(301)
    await market.sweep()
    await market.later()
    assert await market.shop.stock() == (3, 1, 0)
    market.clock.tick(301)
    await market.sweep()
    assert await market.shop.stock() == (3, 0, 0)
    for _ in range(3):
        await (await market.viewer()).hold()
    await market.fakes["stripe"].control("fault", {"kind": "clear"})
    for _ in range(3):
        await market.later()
    status = await buyer.status(order)
    assert status["state"] == "expired"
    assert "Nothing was charged" in status["message"]
    [intent] = await market.intents()
    assert (intent["state"], intent["captured"]) == ("canceled", 0)
    assert await market.shop.stock() == (3, 3, 0)
    await market.shop.check_ledger()


async def test_a_bank_that_says_yes_at_the_last_moment_still_sells_what_is_reserved(market: Market) -> None:
    await market.fakes["stripe"].control("fault", {"kind": "lose"})
    buyer, order = await bought(market)
    await market.work()
    market.clock.tick(301)
    await market.sweep()
    for _ in range(2):
        await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1]
    assert await market.shop.stock() == (3, 0, 1)


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


async def test_a_hold_is_one_order_its_buyers_alone_and_not_let_go_of_while_it_is_paid(
    market: Market,
) -> None:
    buyer = await market.viewer()
    hold = await buyer.hold()
    orders = await asyncio.gather(*(buyer.order(hold) for _ in range(4)))
    assert len({order["order_id"] for order in orders}) == 1
    path = f"/api/v1/public/holds/{hold['hold_id']}"
    assert (await buyer.http.call("DELETE", path, ok=409))["code"] == "being_paid"
    other = await market.viewer()
    await other.http.call("GET", f"/api/v1/public/orders/{orders[0]['order_id']}", ok=404)
    await other.http.call("DELETE", path, ok=404)
    await other.order(hold, ok=404)
    await market.work()
    assert len(await market.intents()) == 1
