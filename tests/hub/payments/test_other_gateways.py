"""A sale through each gateway beside Stripe: what it answers, what it tells later, and what its books say.

No address is set at these fakes: a test hands over what they had to tell when it wants to.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.hub.market import Buyer, Market, Trade
from tests.hub.payments.till import refund, row
from tests.hub.platforms import link
from tests.hub.site import no_authorities


async def linked(trade: Trade, name: str) -> Market:
    """A shop whose owner takes the account off that came with it, and links it by the API."""
    market = await trade(name, units=3)
    owner = await market.owner()
    await owner.call("DELETE", f"/api/v1/connections/{market.connections[name]}", ok=204)
    market.connections[name] = UUID(await link(owner, market.fakes[name]))
    return market


async def ordered(market: Market, name: str, kind: str = "ok") -> tuple[Buyer, Any]:
    """A fresh buyer's order, paid with a test card of this kind."""
    card = (await market.fakes[name].control("source", {"kind": kind}))["source"]
    buyer = await market.viewer()
    return buyer, await buyer.order(await buyer.hold(), card)


async def books(market: Market, name: str) -> list[Any]:
    """The gateway's own."""
    payments: list[Any] = (await market.fakes[name].state())["payments"]
    return payments


async def told(market: Market, name: str) -> None:
    """All the gateway had to tell so far arrives, and then once more, the latest first."""
    sent = (await market.fakes[name].control("webhooks"))["deliveries"]
    async with httpx.AsyncClient(timeout=20, verify=no_authorities()) as http:
        for one in (*sent, *reversed(sent)):
            answer = await http.post(market.hook(name), content=one["body"].encode(), headers=one["headers"])
            assert answer.status_code == 202


async def heard_again(market: Market) -> None:
    """Every word is worked on a second time, the latest first: a job may run twice."""
    await market.sql("UPDATE webhook_event SET state = 'stored'")
    for word in await market.sql("SELECT id FROM webhook_event ORDER BY id DESC"):
        await market.hub.inbox.process(word["id"])
    await market.later()


@pytest.mark.parametrize(
    ("name", "taken", "given"),
    [
        pytest.param("adyen", "capturing", "sent", id="adyen: promises all, and tells later"),
        pytest.param("braintree", "capturing", "done", id="braintree: no keys, settles later"),
        pytest.param("square", "captured", "sent", id="square: takes at once, gives back later"),
    ],
)
async def test_a_sale_whose_answer_was_lost_is_paid_once_and_agrees_with_the_gateways_books(
    trade: Trade, name: str, taken: str, given: str
) -> None:
    market = await linked(trade, name)
    await market.fakes[name].control("fault", {"kind": "lose"})
    buyer, order = await ordered(market, name)
    await market.work()
    assert (await buyer.status(order))["state"] == "authorising"
    assert [(one["order_id"], one["captures"]) for one in await books(market, name)] == [
        (order["order_id"], 0)
    ]
    await told(market, name)
    await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    assert await market.states("payment") == {taken: 1}
    ref = (await row(market))["ref"]
    await settled(market, name, ref, "capture")
    assert await market.states("payment") == {"captured": 1}
    await given_back(market, order, 900)
    assert await market.states("refund") == {given: 1}
    await settled(market, name, ref, "refund")
    await heard_again(market)
    await agree(market, name, order)


async def settled(market: Market, name: str, ref: str, what: str) -> None:
    """What the gateway decides later is decided, and told."""
    await market.fakes[name].control("settle", {"ref": ref, "what": what})
    await told(market, name)
    await market.work()


async def given_back(market: Market, order: Any, amount: int) -> None:
    """Staff give a part back."""
    body = {"key": uuid4().hex, "reason": "Scratched", "amount_minor": amount}
    owner = await market.owner()
    await owner.call("POST", f"/api/v1/orders/{order['order_id']}/refunds", body, ok=202)
    await market.work()


async def agree(market: Market, name: str, order: Any) -> None:
    """One payment, 49.00 taken and 9.00 of it given back: there, and here."""
    [book] = await books(market, name)
    assert (book["captures"], book["captured"], book["refunded"]) == (1, 4900, 900)
    payment = await row(market)
    assert (payment["state"], payment["problem"]) == ("captured", None)
    assert (payment["ref"], order["order_id"]) == (book["ref"], book["order_id"])
    for mine in (payment, await row(market, "orders")):
        assert (mine["captured_minor"], mine["refunded_minor"], mine["currency"]) == (4900, 900, "EUR")
    assert await market.states("orders") == {"paid": 1}
    assert await market.states("refund") == {"done": 1}
    assert [*await market.states("webhook_event")] == ["done"]
    happened = await market.sql(
        "SELECT kind FROM order_event WHERE kind IN ('payment.paid', 'refund.done') ORDER BY kind"
    )
    assert [one["kind"] for one in happened] == ["payment.paid", "refund.done"]
    assert await market.shop.stock() == (3, 0, 1)
    await market.shop.check_ledger()


async def test_a_gateway_without_keys_that_tells_nothing_is_asked_what_it_did(trade: Trade) -> None:
    """Braintree: before a sale is sent again, and until it is settled. It tells of cards only in disputes."""
    market = await linked(trade, "braintree")
    await market.fakes["braintree"].control("fault", {"kind": "status", "status": 500})
    buyer, order = await ordered(market, "braintree")
    for _ in range(2):
        # The search finds nothing, and says nothing: what is new is in it a minute later.
        await market.later()
        assert (await buyer.status(order))["state"] == "authorising"
        assert await books(market, "braintree") == []
    market.clock.tick(91)
    await market.later()
    assert (await buyer.status(order))["state"] == "paid"
    [book] = await books(market, "braintree")
    assert book["captures"] == 1
    _, other = await ordered(market, "braintree")
    await market.work()
    # What is not settled yet is given back by voiding it, and that is not told either.
    await refund(market, other, 4900)
    await market.work()
    assert await market.states("orders") == {"paid": 1, "refunded": 1}
    assert await market.states("payment") == {"capturing": 2}
    for hours, state in ((7, "capturing"), (5, "capturing"), (2, "captured")):
        market.clock.tick(hours * 3600)
        await market.hub.payments.sweep.look_after()
        await market.work()
        assert await market.states("payment") == {state: 1, "refunded": 1}
        await market.fakes["braintree"].control("settle", {"ref": book["ref"], "what": "capture"})


async def test_what_adyen_never_tells_keeps_no_buyer_waiting_and_is_not_sent_twice(trade: Trade) -> None:
    """It has no call that looks for a payment, and no webhook about a buyer who never came back."""
    market = await linked(trade, "adyen")
    buyer, order = await ordered(market, "adyen", "action")
    await market.work()
    assert (await buyer.status(order))["action"]["kind"] == "script"
    market.clock.tick(601)
    await market.sweep()
    await market.work()
    status = await buyer.status(order)
    assert (status["state"], status["action"]) == ("expired", None)
    assert "Nothing was charged" in status["message"]
    assert await market.shop.stock() == (3, 0, 0)
    assert await books(market, "adyen") == []
    # An answer got lost, and by now Adyen has forgotten the key: to repeat it would be a second charge.
    await market.fakes["adyen"].control("fault", {"kind": "lose"})
    await ordered(market, "adyen")
    await market.work()
    await market.sql("UPDATE payment SET due_at = NULL")
    market.clock.tick(8 * 24 * 3600)
    before, calls = await row(market), (await market.fakes["adyen"].state())["calls"]
    await market.later()
    after = await row(market)
    # It was tried, nothing was sent, and nobody was told that it failed.
    assert (after["state"], after["attempts"]) == ("authorising", before["attempts"] + 1)
    assert (await market.fakes["adyen"].state())["calls"] == calls
    assert [one["captured"] for one in await books(market, "adyen")] == [0]
