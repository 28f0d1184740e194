"""Which gateway a payment goes to, what is kept of a buyer's card, and what staff see."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors.types import Money
from hub.errors import Conflict
from hub.orders.models import Order
from hub.payments.models import Payment
from hub.payments.out import FormOut, PaymentChoice
from tests.hub.market import Buyer, Market, Trade

PRICE = Money(amount=4900, currency="EUR")


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=6)


async def second_gateway(market: Market) -> UUID:
    """Another account at the same gateway."""
    async with market.hub.db.session() as session:
        config = market.fakes["stripe"].config
        row = await market.hub.connections.add(
            session, market.shop.brand_id, "second", "stripe", config, None
        )
        return row.id


async def form(market: Market, customer: UUID | None = None, amount: Money = PRICE) -> FormOut:
    async with market.hub.db.session() as session:
        return await market.hub.payments.form(session, market.shop.brand_id, amount, customer)


async def begun(market: Market, choice: PaymentChoice, email: str = "") -> tuple[Buyer, Any, Payment]:
    """An order of a fresh buyer that is paid as chosen, past the page."""
    buyer = await market.viewer()
    order = await buyer.order(await buyer.hold(), "pm_card_chargeDeclined", email=email)
    await market.work()
    async with market.hub.db.session() as session:
        row = await session.get(Order, UUID(order["order_id"]))
        assert row is not None
        return buyer, order, await market.hub.payments.begin(session, row, choice)


async def sources(market: Market) -> list[UUID]:
    rows = await market.sql("SELECT connection_id FROM payment ORDER BY id")
    return [row["connection_id"] for row in rows]


async def test_new_payments_go_to_the_next_gateway_when_the_first_is_slow_and_old_ones_stay(
    market: Market,
) -> None:
    first, second = market.connections["stripe"], await second_gateway(market)
    assert (await form(market)).connection_id == first
    owner = await market.owner()
    # One payment's outcome is unknown, and the first gateway is slow with the others.
    await market.fakes["stripe"].control("fault", {"kind": "lose"})
    buyer = await market.viewer()
    stuck = await buyer.order(await buyer.hold())
    await market.work()
    for _ in range(4):
        market.hub.payments.timings.count(first, "authorise", "ok", 2.5)
    await market.hub.payments.timings.write()
    assert (await form(market)).connection_id == second
    another = await market.viewer()
    fresh = await another.order(await another.hold())
    for _ in range(2):
        await market.later()
    assert await sources(market) == [first, second]
    for person, order in ((buyer, stuck), (another, fresh)):
        assert (await person.status(order))["state"] == "paid"
    assert [intent["captures"] for intent in await market.intents()] == [1, 1]
    # A longer time is allowed: it is well again.
    path = f"/api/v1/payments/gateways/{first}"
    await owner.call("PATCH", path, {"budget_ms": 100}, ok=422)
    rows = await owner.call("PATCH", path, {"budget_ms": 4000})
    assert [(row["name"], row["well"], row["budget_ms"]) for row in rows] == [
        ("stripe", True, 4000),
        ("second", True, 2000),
    ]
    assert (await form(market)).connection_id == first


async def payment_step(buyer: Buyer) -> Any:
    """What the watch page draws when a buyer wants to pay."""
    line = f"/api/v1/public/cart/lines/{buyer.market.shop.variant_id}"
    await buyer.http.call("PUT", line, {"quantity": 1, "key": uuid4().hex})
    return await buyer.http.call("POST", "/api/v1/public/checkout", {"key": uuid4().hex})


async def test_when_gateways_fail_the_page_draws_the_fields_of_another_kind_and_the_sale_goes_there(
    trade: Trade,
) -> None:
    """Stripe fails to take money, Braintree to say what its fields need: the third is Square."""
    market = await trade("stripe", "braintree", "square", units=6)
    down = {"kind": "status", "status": 503}
    await market.fakes["stripe"].control("fault", {**down, "count": 100})
    assert (await form(market)).gateway == "stripe"
    loyal, late = await market.viewer(), await market.viewer()
    stuck = await loyal.order(await loyal.hold())
    for _ in range(4):
        await market.later()
    await market.hub.payments.timings.write()
    await market.fakes["braintree"].control("fault", down)
    step = await payment_step(late)
    square, drawn = market.fakes["square"], step["form"]
    assert (drawn["gateway"], drawn["connection_id"]) == ("square", str(market.connections["square"]))
    assert drawn["script_url"] == f"{square.base_url}script.js"
    assert drawn["public"]["application_id"] == square.config["application_id"]
    assert (drawn["session"], drawn["test_sources"]) == (None, [])
    # The page says whose fields made the token; by now Braintree would be next.
    assert (await form(market)).gateway == "braintree"
    source = (await square.control("source", {"kind": "ok"}))["source"]
    body = {
        "hold_ids": step["hold_ids"],
        "email": "ana@example.com",
        "name": "Ana",
        "payment": {"source": source, "gateway": drawn["connection_id"]},
    }
    fresh = await late.http.call("POST", "/api/v1/public/orders", body, ok=202)
    await market.work()
    assert (await late.status(fresh))["state"] == "paid"
    assert (await loyal.status(stuck))["state"] == "authorising"
    await market.fakes["stripe"].control("fault", {"kind": "clear"})
    await market.later()
    assert (await loyal.status(stuck))["state"] == "paid"
    for name, taken in (("stripe", [1]), ("braintree", []), ("square", [1])):
        books = (await market.fakes[name].state())["payments"]
        assert [one["captures"] for one in books] == taken


async def test_a_bank_that_asks_gets_the_script_of_the_account_that_takes_the_money(market: Market) -> None:
    first, second = market.connections["stripe"], await second_gateway(market)
    buyer = await market.viewer()
    order = await buyer.order(await buyer.hold(), "pm_card_threeDSecure2Required")
    await market.work()
    assert (await buyer.status(order))["action"]
    owner = await market.owner()
    ranks = {"connection_ids": [str(second), str(first)]}
    await owner.call("PUT", "/api/v1/payments/gateways", ranks)
    path = f"/api/v1/public/orders/{order['order_id']}/form"
    assert (await form(market)).connection_id == second, "new payments go there"
    assert (await buyer.http.call("GET", path))["connection_id"] == str(first)
    # No other account's form is given out instead, when this one can't be had.
    async with market.hub.db.session() as session:
        row = await market.hub.connections.get(session, market.shop.brand_id, first)
        row.state = "reconnect"
    assert (await buyer.http.call("GET", path, ok=409))["code"] == "no_form"
    async with market.hub.db.session() as session:
        row = await market.hub.connections.get(session, market.shop.brand_id, first)
        row.state = "ok"
    [waiting] = [one for one in await market.intents() if one["state"] == "requires_action"]
    answer = await market.fakes["stripe"].control("act", {"ref": waiting["ref"], "ok": False})
    await buyer.http.call("POST", f"/api/v1/public/orders/{order['order_id']}/confirmation", answer, ok=202)
    await market.arrived("stripe")
    # Declined: another card may go to the gateway in turn.
    assert (await buyer.http.call("GET", path))["connection_id"] == str(second)


async def test_staff_put_gateways_in_order_and_see_how_fast_they_are(market: Market) -> None:
    first, second = market.connections["stripe"], await second_gateway(market)
    owner, stranger = await market.owner(), await market.owner("Other")
    order = {"connection_ids": [str(second), str(first)]}
    await stranger.call("PUT", "/api/v1/payments/gateways", order, ok=404)
    await owner.call("PUT", "/api/v1/payments/gateways", {"connection_ids": [str(first)]}, ok=409)
    rows = await owner.call("PUT", "/api/v1/payments/gateways", order)
    assert [row["name"] for row in rows] == ["second", "stripe"]
    buyer = await market.viewer()
    await buyer.order(await buyer.hold())
    await market.work()
    await market.hub.payments.timings.write()
    [row, _] = await owner.call("GET", "/api/v1/payments/gateways")
    assert (row["calls"], sum(step["calls"] for step in row["authorise"]), row["test"]) == (1, 1, True)
    assert await stranger.call("GET", "/api/v1/payments/gateways") == []
    told = (await owner.http.get("/metrics")).text
    assert 'simulcast_payment_seconds_count{gateway="stripe",operation="capture",outcome="ok"} 1.0' in told
    # An unlinked one is asked no more; without any there is nothing to pay with.
    for connection in (second, first):
        async with market.hub.db.session() as session:
            found = await market.hub.connections.get(session, market.shop.brand_id, connection)
            await market.hub.connections.remove(session, found)
    with pytest.raises(Conflict, match="no payment account"):
        await form(market)


async def test_a_currency_no_gateway_takes_is_said_before_anybody_types_a_card(market: Market) -> None:
    with pytest.raises(Conflict, match="UGX"):
        await form(market, amount=Money(amount=900_000, currency="UGX"))


async def test_a_kept_card_is_its_owners_and_a_bank_that_misses_them_waits(market: Market) -> None:
    buyer, order, _ = await begun(market, PaymentChoice(source="pm_card_visa"), "ana@example.com")
    [row] = await market.sql("SELECT customer_id FROM orders")
    owner, words = row["customer_id"], "Keep this card for next time."
    await market.arrived("stripe")
    keep = {"save": True, "consent": words, "customer_id": owner}
    source = (await market.fakes["stripe"].control("source", {"kind": "off_session_action"}))["source"]
    buyer, order, payment = await begun(market, PaymentChoice(source=source, **keep), "ana@example.com")
    await market.work()
    await confirmed(market, buyer, order)
    # A guest's address is proved by signing in with it: until then the card is offered to nobody.
    assert (await form(market, owner)).saved == []
    await market.sql("UPDATE identity SET verified_at = now() WHERE kind = 'email'")
    saved = (await form(market, owner)).saved
    assert [(one.card_brand, one.last4) for one in saved] == [("visa", "3184")]
    [kept] = await market.sql("SELECT * FROM saved_method")
    assert (kept["consent"], kept["gateway_customer"][:4]) == (words, "cus_")
    assert b"pm_" not in kept["ref_sealed"]
    # Charged while its owner is away: the bank wants them, and the same payment waits.
    using = PaymentChoice(saved_method_id=saved[0].id, customer_id=owner, buyer_present=False)
    buyer, order, payment = await begun(market, using)
    await market.work()
    status = await buyer.status(order)
    assert (status["state"], status["action"]["kind"]) == ("authorising", "return")
    path = f"/api/v1/public/orders/{order['order_id']}/confirmation"
    await buyer.http.call("POST", path, {}, ok=202)
    await market.work()
    assert (await buyer.status(order))["action"]["kind"] == "script"
    await confirmed(market, buyer, order)
    [paid] = await market.sql("SELECT ref FROM payment WHERE id = :id", id=payment.id)
    assert [one["captures"] for one in await market.intents() if one["ref"] == paid["ref"]] == [1]
    # Nobody else may use it, and after it is forgotten its owner can't either.
    for choice in (PaymentChoice(saved_method_id=saved[0].id, customer_id=uuid4()), using):
        with pytest.raises(Conflict, match="no longer there"):
            await begun(market, choice)
        async with market.hub.db.session() as session:
            await market.hub.payments.forget(session, owner, saved[0].id)
    await market.work()
    assert (await form(market, owner)).saved == []


async def confirmed(market: Market, buyer: Buyer, order: Any) -> None:
    """The buyer says yes at the bank, and the order is paid."""
    [waiting] = [one for one in await market.intents() if one["state"] == "requires_action"]
    answer = await market.fakes["stripe"].control("act", {"ref": waiting["ref"], "ok": True})
    path = f"/api/v1/public/orders/{order['order_id']}/confirmation"
    await buyer.http.call("POST", path, answer, ok=202)
    await market.arrived("stripe")
    assert (await buyer.status(order))["state"] == "paid"


async def test_payments_nobody_works_on_any_more_are_taken_up_again_and_shown(market: Market) -> None:
    await market.fakes["stripe"].control("fault", {"kind": "lose"})
    buyer = await market.viewer()
    order = await buyer.order(await buyer.hold())
    await market.work()
    await market.sql("DELETE FROM procrastinate_jobs")
    await market.sql("UPDATE payment SET due_at = NULL")
    assert await market.hub.payments.sweep.look_after() == 0
    market.clock.tick(601)
    assert await market.hub.payments.sweep.look_after() == 1
    owner, stranger = await market.owner(), await market.owner("Other")
    [trouble] = await owner.call("GET", "/api/v1/payments/troubles")
    assert (trouble["order_id"], trouble["can_retry"]) == (order["order_id"], True)
    assert "asked again" in trouble["problem"]
    assert await stranger.call("GET", "/api/v1/payments/troubles") == []
    for verb in ("again", "seen"):
        await stranger.call("POST", f"/api/v1/payments/{trouble['id']}/{verb}", ok=404)
    await owner.call("POST", f"/api/v1/payments/{trouble['id']}/again", ok=202)
    await market.work()
    assert (await buyer.status(order))["state"] == "paid"
    assert await owner.call("GET", "/api/v1/payments/troubles") == []
    await owner.call("POST", f"/api/v1/payments/{trouble['id']}/again", ok=409)
