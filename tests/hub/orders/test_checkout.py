"""From a cart to a paid order: the sums, one order per key, another card, the bank's question, one tap."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.auth.tokens import Viewer
from hub.catalog.models import Product
from hub.catalog.service import NewVariant
from hub.errors import Conflict
from hub.orders.checkout import Wanted
from hub.payments.out import PaymentChoice
from hub.shows.models import ShowProduct
from tests.hub.market import Buyer, Market, Trade
from tests.hub.shoppers.conftest import sign_in

PUBLIC = "/api/v1/public"
DECLINED = "pm_card_visa_chargeDeclinedInsufficientFunds"
HOME = {"line1": "Hauptstr. 1", "city": "Berlin", "postcode": "10115", "country": "DE"}
SETTINGS: dict[str, Any] = {
    "terms": {"country": "DE", "contact": "help@linnea.example", "return_policy": "Unworn, with its label."},
    "shipping_methods": [
        {
            "title": "Parcel",
            "countries": ["DE"],
            "price_minor": 490,
            "free_from_minor": 20_000,
            "currency": "EUR",
        },
        {"title": "Express", "countries": [], "price_minor": 1290, "currency": "EUR", "days": "1 day"},
    ],
    "tax_rates": [
        {"country": "DE", "percent": "19", "title": "VAT"},
        {"country": "DE", "tax_class": "books", "percent": "7", "title": "VAT reduced"},
    ],
}


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=5)


async def second(market: Market, units: int = 5, price_minor: int = 1000, **about: Any) -> UUID:
    """Another product in the show."""
    hub, shop = market.hub, market.shop
    async with hub.db.session() as session:
        product = Product(brand_id=shop.brand_id, title="Mug", **about)
        new = NewVariant(f"MUG-{uuid4().hex[:4]}", "", price_minor, "EUR", units)
        [(variant, _)] = (await hub.catalog.add(session, product, [new])).variants
        variant.cost_minor = 400
        session.add(variant)
        await hub.stock.receive(session, variant, units, author="test")
        session.add(
            ShowProduct(show_id=shop.show_id, product_id=product.id, brand_id=shop.brand_id, position=9)
        )
    return variant.id


async def put(buyer: Buyer, variant_id: UUID, quantity: int, ok: int = 200) -> Any:
    body = {"quantity": quantity, "key": uuid4().hex}
    return await buyer.http.call("PUT", f"{PUBLIC}/cart/lines/{variant_id}", body, ok=ok)


async def opened(buyer: Buyer, ok: int = 200, **wish: Any) -> Any:
    return await buyer.http.call("POST", f"{PUBLIC}/checkout", {"key": uuid4().hex} | wish, ok=ok)


async def order(buyer: Buyer, step: Any, ok: int = 202, **wish: Any) -> Any:
    body = {
        "hold_ids": step["hold_ids"],
        "email": "ana@example.com",
        "name": "Ana",
        "payment": {"source": "pm_card_visa"},
        "key": uuid4().hex,
    }
    return await buyer.http.call("POST", f"{PUBLIC}/orders", body | wish, ok=ok)


async def configured(market: Market) -> None:
    owner = await market.owner()
    await owner.call("PUT", "/api/v1/checkout/settings", SETTINGS)


async def letters(market: Market, subject: str) -> list[str]:
    """The plain text of letters with this in their subject."""
    await market.work()
    found = []
    for file in sorted((market.hub.settings.data / "mail").glob("*.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        if subject in message["Subject"] and body:
            found.append(body.get_content())
    return found


async def test_a_cart_becomes_one_order_that_sums_to_the_cent(market: Market) -> None:
    await configured(market)
    mug = await second(market, tax_class="books", return_policy="Mugs only unused.")
    buyer = await market.viewer()
    await put(buyer, market.shop.variant_id, 2)
    cart = await put(buyer, mug, 1)
    assert [(one["quantity"], one["state"], bool(one["expires_at"])) for one in cart["lines"]] == [
        (2, "held", True),
        (1, "held", True),
    ]
    assert [one["code"] for one in cart["delivery"]["countries"][:2]] == ["AD", "AE"]
    assert (await opened(buyer, ok=422))["code"] == "address_missing"
    assert (await opened(buyer, ok=422, address=HOME))["code"] == "shipping_missing"
    wrong = await opened(buyer, ok=422, address=HOME | {"postcode": "1"})
    assert wrong["fields"][0]["field"] == "address.postcode"
    parcel = cart["delivery"]["methods"][0]["id"]
    where = {"address": HOME, "shipping_method_id": parcel}
    step = await opened(buyer, **where)
    # 98.00 of bags and 4.90 of delivery at 19 %, 10.00 of mugs at 7 %, all included.
    assert step["sums"] == {
        "currency": "EUR",
        "subtotal_minor": 10_800,
        "discount_minor": 0,
        "shipping_minor": 490,
        "tax_minor": 1643 + 65,
        "total_minor": 11_290,
        "prices_include_tax": True,
    }
    assert step["form"]["gateway"] == "stripe"
    placed = await order(buyer, step, **where)
    await market.arrived("stripe")
    status = await buyer.status(placed)
    assert (status["state"], status["total_minor"], len(status["lines"])) == ("paid", 11_290, 2)
    assert (await buyer.http.call("GET", f"{PUBLIC}/cart"))["lines"] == []
    lines = await market.sql("SELECT * FROM order_line ORDER BY tax_minor DESC")
    assert [(one["tax_minor"], one["tax_percent"], one["cost_minor"]) for one in lines] == [
        (1565, 19, None),
        (65, 7, 400),
    ]
    [row] = await market.sql("SELECT * FROM orders")
    assert row["captured_minor"] == row["total_minor"] == 11_290
    assert "Hauptstr" not in str(dict(row))
    [letter] = await letters(market, "Your order")
    for said in ("112.90 EUR", "Parcel", "within 14 days", "Mugs only unused.", "Unworn, with its label."):
        assert said in letter
    await seen_by_link(market, letter, placed)


async def seen_by_link(market: Market, letter: str, placed: Any) -> None:
    """Whoever has the link sees the order, and nothing about the person."""
    found = re.search(r"/orders/(\S+)", letter)
    assert found
    anybody = await market.viewer()
    del anybody.http.http.headers["Authorization"]
    answer = await anybody.http.http.get(f"{PUBLIC}/orders/{found[1]}")
    assert answer.json()["number"] == placed["number"]
    assert answer.json()["action"] is None
    for private in ("Ana", "ana@", "Hauptstr", "10115", 'token":"ey'):
        assert private not in answer.text
    for wrong in (found[1][:-2] + "xx", market.hub.tokens.viewer(market.shop.viewer())):
        assert (await anybody.http.http.get(f"{PUBLIC}/orders/{wrong}")).status_code == 401


async def test_one_key_is_one_order_however_often_and_fast_it_comes(market: Market) -> None:
    buyer = await market.viewer()
    holds = [await buyer.hold() for _ in range(2)]
    key = uuid4().hex
    asked = [order(buyer, {"hold_ids": [holds[0]["hold_id"]]}, key=key) for _ in range(4)]
    # The same key with other goods is the same order, too.
    asked.append(order(buyer, {"hold_ids": [holds[1]["hold_id"]]}, key=key))
    answers = await asyncio.gather(*asked[:4])
    answers.append(await asked[4])
    assert len({one["order_id"] for one in answers}) == 1
    other = await market.viewer()
    theirs = await other.hold()
    assert (await order(other, {"hold_ids": [theirs["hold_id"]]}, key=key, ok=409))["code"] == "key_taken"
    await market.arrived("stripe")
    assert await market.states("orders") == {"paid": 1}
    assert len(await market.intents()) == 1


async def test_a_declined_card_leaves_the_order_open_for_another(market: Market) -> None:
    buyer = await market.viewer()
    await put(buyer, market.shop.variant_id, 1)
    placed = await order(buyer, await opened(buyer), payment={"source": DECLINED})
    await market.arrived("stripe")
    failed = await buyer.status(placed)
    assert (failed["state"], failed["can_pay"]) == ("failed", True)
    form = await buyer.http.call("GET", f"{PUBLIC}/orders/{placed['order_id']}/form")
    assert form["gateway"] == "stripe"
    again = f"{PUBLIC}/orders/{placed['order_id']}/payment"
    card = {"payment": {"source": "pm_card_visa"}}
    stranger = await market.viewer()
    await stranger.http.call("POST", again, card, ok=404)
    for _ in range(2):
        retried = await buyer.http.call("POST", again, card, ok=202)
        assert (retried["order_id"], retried["state"]) == (placed["order_id"], "authorising")
    await market.arrived("stripe")
    assert (await buyer.status(placed))["state"] == "paid"
    assert await market.states("orders") == {"paid": 1}
    assert await market.shop.stock() == (5, 0, 1)
    kinds = [row["kind"] for row in await market.sql("SELECT kind FROM order_event ORDER BY at, id")]
    told = ["placed", "payment.failed", "payment.again", "payment.paid"]
    assert [kind for kind in kinds if kind in told] == told


async def test_an_unpaid_order_lets_go_when_its_reservation_ends(market: Market) -> None:
    buyer = await market.viewer()
    await put(buyer, market.shop.variant_id, 1)
    placed = await order(buyer, await opened(buyer), payment={"source": DECLINED})
    await market.arrived("stripe")
    market.clock.tick(91)
    await market.sweep()
    async with market.hub.db.session() as session:
        assert await market.hub.outcomes.let_go(session) == 1
        assert await market.hub.outcomes.let_go(session) == 0
    status = await buyer.status(placed)
    assert (status["state"], status["can_pay"], status["hold_expires_at"]) == ("failed", False, None)
    assert await market.states("order_line") == {"released": 1}
    again = f"{PUBLIC}/orders/{placed['order_id']}/payment"
    refused = await buyer.http.call("POST", again, {"payment": {"source": "pm_card_visa"}}, ok=409)
    assert refused["code"] == "hold_over"
    assert await market.shop.stock() == (5, 0, 0)


async def test_where_the_first_to_pay_gets_it_no_card_is_asked_for_what_is_gone(market: Market) -> None:
    """Six buyers, five units. Only the payment step reserves; whoever it opens for gets the goods."""
    await market.sql("UPDATE show SET hold_policy = 'first_paid'")
    buyers = [await market.viewer() for _ in range(6)]
    for buyer in buyers:
        assert (await put(buyer, market.shop.variant_id, 1))["lines"][0]["state"] == "waiting"
    # A price that was promised is no reservation: a card sent for it is refused before it is looked at.
    soft = await buyers[0].hold()
    refused = await order(buyers[0], {"hold_ids": [soft["hold_id"]]}, ok=409)
    assert refused["code"] == "not_reserved"
    assert await market.shop.stock() == (5, 0, 0)
    steps = await asyncio.gather(*(opened_or_gone(buyer) for buyer in buyers))
    gone = [step for step in steps if "code" in step]
    assert [(one["code"], one["lines"][0]["code"], "form" in one) for one in gone] == [
        ("some_gone", "sold_out", False)
    ]
    for buyer, step in zip(buyers, steps, strict=True):
        if "form" in step:
            await order(buyer, step, email=f"{uuid4().hex}@example.com")
    await market.arrived("stripe")
    assert await market.states("orders") == {"paid": 5}
    assert await market.shop.stock() == (5, 0, 5)


async def opened_or_gone(buyer: Buyer) -> Any:
    answer = await buyer.http.http.post(f"{PUBLIC}/checkout", json={"key": uuid4().hex})
    assert answer.status_code in (200, 409)
    return answer.json()


async def test_the_cart_changes_without_losing_what_is_reserved(market: Market) -> None:
    buyer, other = await market.viewer(), await market.viewer()
    bag = market.shop.variant_id
    await put(buyer, bag, 3)
    await put(other, bag, 2)
    assert (await put(buyer, bag, 4, ok=409))["code"] == "sold_out"
    assert [one["quantity"] for one in (await buyer.http.call("GET", f"{PUBLIC}/cart"))["lines"]] == [3]
    await put(buyer, bag, 2)
    assert await market.shop.stock() == (5, 4, 0)
    assert (await put(buyer, bag, 0))["lines"] == []
    assert await market.shop.stock() == (5, 2, 0)
    await put(buyer, uuid4(), 1, ok=404)
    await put(other, bag, 1)
    step = await opened(other)
    placed = await order(other, step)
    assert (await put(other, bag, 0, ok=409))["code"] == "being_paid"
    # Nobody lets go of what is being paid, and an order there is does not stand for a larger one.
    with pytest.raises(Conflict, match="being paid"):
        async with market.hub.db.session() as session:
            await market.hub.stock.release_hold(session, UUID(step["hold_ids"][0]))
    more = await other.hold()
    mixed = {"hold_ids": [*step["hold_ids"], more["hold_id"]]}
    assert (await order(other, mixed, ok=409))["code"] == "cart_changed"
    await other.http.call("DELETE", f"{PUBLIC}/holds/{more['hold_id']}", ok=204)
    assert (await opened(other, ok=409))["code"] == "cart_empty"
    await market.arrived("stripe")
    assert (await other.status(placed))["state"] == "paid"


async def test_the_banks_question_reaches_the_buyer_and_keeps_the_goods(market: Market) -> None:
    buyer = await market.viewer()
    await put(buyer, market.shop.variant_id, 1)
    placed = await order(buyer, await opened(buyer), payment={"source": "pm_card_threeDSecure2Required"})
    await market.work()
    status = await buyer.status(placed)
    assert (status["state"], status["action"]["gateway"]) == ("authorising", "stripe")
    market.clock.tick(120)
    await market.sweep()
    assert await market.shop.stock() == (5, 1, 0)
    anybody = await buyer.http.http.get(f"{PUBLIC}/orders/{status['token']}")
    assert anybody.json()["action"] is None


async def test_a_returning_buyer_pays_in_one_call_with_a_card_that_was_kept(market: Market) -> None:
    mug = await second(market, price_minor=30_000)
    buyer = await market.viewer()
    await put(buyer, market.shop.variant_id, 1)
    await order(buyer, await opened(buyer), payment={"source": "pm_card_visa", "save": True})
    await market.arrived("stripe")
    # Anybody can type this address: only who has read its mail gets at the card.
    stranger = await market.viewer()
    await sign_in(buyer)
    me = (await buyer.http.call("GET", f"{PUBLIC}/me"))["shopper"]
    [saved] = me["saved"]
    assert saved["last4"] == "4242"
    card = {"saved_method_id": saved["id"]}
    theirs = {"hold_ids": [(await stranger.hold())["hold_id"]]}
    assert (await order(stranger, theirs, payment=card, ok=401))["code"] == "sign_in_first"
    await sign_in(stranger, "bo@example.com")
    assert (await order(stranger, theirs, payment=card, ok=409))["code"] == "method_gone"
    # Nor does the address do, behind any door.
    guest = Wanted(
        hold_ids=[UUID(theirs["hold_ids"][0])],
        name="Eve",
        email="ana@example.com",
        payment=PaymentChoice(saved_method_id=UUID(saved["id"])),
    )
    [hold] = await market.sql("SELECT viewer_id FROM hold WHERE id = :id", id=guest.hold_ids[0])
    viewer = replace(market.shop.viewer(), id=hold["viewer_id"])
    with pytest.raises(Conflict, match="no longer there"):
        async with market.hub.db.session() as session:
            await market.hub.checkout.place(session, viewer, guest)
    # One call after the press of Buy.
    held = await buyer.hold()
    placed = await order(buyer, {"hold_ids": [held["hold_id"]]}, payment=card)
    await market.arrived("stripe")
    assert (await buyer.status(placed))["state"] == "paid"
    # A large sum, a while later: the buyer shows that it is they, or no order is made.
    market.clock.tick(601)
    await put(buyer, mug, 1)
    step = await opened(buyer)
    assert step["proof"] is True
    assert (await order(buyer, step, payment=card, ok=409))["code"] == "proof_needed"
    assert len(await market.sql("SELECT 1 FROM orders")) == 2
    await sign_in(buyer)
    assert (await opened(buyer))["proof"] is False
    await order(buyer, step, payment=card)
    await buyer.http.call("DELETE", f"{PUBLIC}/me/methods/{saved['id']}", ok=204)
    assert (await buyer.http.call("GET", f"{PUBLIC}/me"))["shopper"]["saved"] == []


async def test_an_address_of_somebody_else_never_comes_up(market: Market) -> None:
    await configured(market)
    thief = await market.viewer()
    await put(thief, market.shop.variant_id, 1)
    method = (await thief.http.call("GET", f"{PUBLIC}/cart"))["delivery"]["methods"][1]["id"]
    where = {"address": HOME, "shipping_method_id": method}
    await order(thief, await opened(thief, **where), **where)
    await market.arrived("stripe")
    buyer = await market.viewer()
    await sign_in(buyer)
    assert (await buyer.http.call("GET", f"{PUBLIC}/me"))["shopper"]["address"] is None
    # In the browser it was ordered from it does, once the address of the mail is proved.
    await sign_in(thief)
    assert (await thief.http.call("GET", f"{PUBLIC}/me"))["shopper"]["address"]["city"] == "Berlin"


async def test_a_brand_reads_and_writes_its_own_settings_alone(market: Market) -> None:
    owner, stranger = await market.owner(), await market.owner("Other")
    written = await owner.call("PUT", "/api/v1/checkout/settings", SETTINGS)
    ids = [method["id"] for method in written["shipping_methods"]]
    again = await owner.call("PUT", "/api/v1/checkout/settings", written)
    assert [method["id"] for method in again["shipping_methods"]] == ids
    assert (await stranger.call("GET", "/api/v1/checkout/settings"))["shipping_methods"] == []
    # An id of another brand makes a method of one's own.
    taken = await stranger.call("PUT", "/api/v1/checkout/settings", written)
    assert {method["id"] for method in taken["shipping_methods"]}.isdisjoint(ids)
    assert (await owner.call("GET", "/api/v1/checkout/settings")) == again
    twice = written | {"tax_rates": [SETTINGS["tax_rates"][0]] * 2}
    assert (await owner.call("PUT", "/api/v1/checkout/settings", twice, ok=422))["code"] == "rate_twice"


async def test_a_link_to_an_order_is_no_token_of_a_viewer(market: Market) -> None:
    link = market.hub.tokens.order(uuid4())
    viewer: Viewer = market.shop.viewer("ana")
    buyer = await market.viewer()
    buyer.http.http.headers["Authorization"] = f"Bearer {link}"
    await buyer.http.call("GET", f"{PUBLIC}/cart", ok=401)
    assert market.hub.tokens.read_viewer(market.hub.tokens.viewer(viewer)) == viewer
