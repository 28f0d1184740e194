"""One evening of selling, all of it: a whole hub, a gateway with books of its own, and what plays with both.

The gateway is the fake behind a real socket. It tells nothing by itself: what it has to tell is delivered by
`deliver`, when, in which order and how often the test says.
"""

from __future__ import annotations

import json
import socket
from asyncio import create_task, sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import stripe
import uvicorn
from starlette.types import Receive, Scope, Send

from connectors.stripe.fake import Fake
from hub.app import services
from hub.carts.addresses import Address
from hub.carts.models import ShippingMethod, ShopTerms, TaxRate
from hub.catalog.models import BundleItem, Product
from hub.catalog.service import NewVariant
from hub.demo.fakes import Standing, environment_for
from hub.demo.http import Outside
from hub.offers.out import OfferIn
from hub.services import Services
from hub.shows.models import ShowProduct
from hub.work import clockwork
from hub.work.jobs import job_app
from tests.hub.conftest import settings_for
from tests.hub.market import Market, MovableClock, fronted
from tests.hub.shop import open_shop
from tests.hub.site import no_authorities

AUTHOR: Final = "ana"
HOME: Final = Address(line1="Straße 1", city="Berlin", postcode="10115", country="DE")
GOOD: Final = "pm_card_visa"
CARDS: Final = (
    *(GOOD, GOOD, "pm_card_pendingRefund", "pm_card_refundFail"),
    *("pm_card_chargeDeclined", "pm_card_threeDSecure2Required", "pm_card_authenticationRequired"),
)
TROUBLES: Final = (
    {"kind": "lose"},
    {"kind": "lose", "count": 2},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "retry_after": 7},
)
TIERS: Final = ({"percent_off": 40, "units": 3}, {"percent_off": 30, "units": 4}, {"percent_off": 20})
BAGS, SCARVES, SCARF_MINOR, BOX_MINOR = 14, 8, 3_333, 7_777
DAY: Final = 86_400
"""After so long the gateway has forgotten its idempotency keys."""
WAITING: Final = """
    SELECT (SELECT count(*) FROM procrastinate_jobs)
        + (SELECT count(*) FROM hold WHERE brand_id = :brand AND state = 'held')
        + (SELECT count(*) FROM orders WHERE brand_id = :brand AND state IN ('authorising', 'review'))
        + (SELECT count(*) FROM payment WHERE brand_id = :brand
           AND state NOT IN ('captured', 'refunded', 'declined', 'voided', 'capture_failed'))
        + (SELECT count(*) FROM refund WHERE brand_id = :brand
           AND (state = 'queued' OR state = 'sent' AND ref IS NULL)) AS waiting
"""

# What each act may be refused for; any other reason is a bug.
HOLD_REFUSALS: Final = {"sold_out", "limit", "tier_split", "offer_over", "hoarding"}
COUPON_REFUSALS: Final = {"coupon_gone", "coupon_not_here"}
BUY_REFUSALS: Final = {
    *COUPON_REFUSALS,
    *("hold_over", "cart_changed", "too_many_tries"),
    *("too_many_buys", "too_many_cards", "too_many_declines"),
}
MONEY_REFUSALS: Final = {
    *("too_much", "pieces_too_many", "shipping_too_much", "nothing_asked", "nothing_left", "nothing_taken"),
    *("not_confirmed",),
}
CANCEL_REFUSALS: Final = {"came_to_nothing", "given_back", "cancel_over", "nothing_to_return"}
RETURN_REFUSALS: Final = {
    *CANCEL_REFUSALS,
    *("pieces_too_many", "return_state", "return_over", "withdrawal_over", "not_paid"),
}


class Bank:
    """One address, behind which every evening has an account of its own, new and empty."""

    def __init__(self) -> None:
        self._opened = 0
        self._fake = Fake(seed=0)

    def anew(self) -> dict[str, Any]:
        """Another account; the keys that a person would copy."""
        self._opened += 1
        self._fake = Fake(seed=self._opened)
        return self._fake.connection()[0]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._fake.app(scope, receive, send)

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[Standing]:
        """On a socket."""
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(self, log_level="warning", lifespan="off", ws="none"))
        task = create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():
            await sleep(0.01)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        async with Outside(url) as http:
            yield Standing("stripe", url, None, {}, None, http)
        server.should_exit = True
        await task


@dataclass
class House:
    """What all evenings share."""

    bank: Bank
    standing: Standing
    hub: Services
    clock: MovableClock
    origin: str
    jobs: Any
    post: httpx.AsyncClient


@asynccontextmanager
async def housed(database_url: str, nats_url: str, data: Path) -> AsyncIterator[House]:
    """The hub, its API and its jobs; the time stands still until told."""
    clock, bank = MovableClock(), Bank()
    clock.stop()
    async with bank.standing() as standing:
        environ = environment_for({"stripe": standing})
        async with services(settings_for(data, database_url, nats_url), environ, clock) as hub:
            jobs = job_app(hub)
            post = httpx.AsyncClient(timeout=60, verify=no_authorities())
            async with fronted(hub) as origin, jobs.open_async(), post:
                yield House(bank, standing, hub, clock, origin, jobs, post)


@dataclass
class Evening:
    """A show that sells bags (in a tiered offer), scarves, and both as a box and in a bundle offer."""

    house: House
    market: Market
    secret: str
    scarf: UUID
    box: UUID
    pair: UUID
    ways: list[UUID]
    told: set[int] = field(default_factory=set)
    """Places in the gateway's list of deliveries; what is not in it has not arrived yet."""

    @property
    def hub(self) -> Services:
        return self.market.hub

    @property
    def brand(self) -> UUID:
        return self.market.shop.brand_id

    async def sql(self, statement: str, **values: object) -> list[Any]:
        """Rows by name; `:brand` is known."""
        return await self.market.sql(
            statement, **values | ({"brand": self.brand} if ":brand" in statement else {})
        )

    async def pass_time(self, seconds: float) -> None:
        """Time passes, and the clockwork ticks. After a day the gateway has forgotten its keys."""
        self.house.clock.tick(seconds)
        if seconds >= DAY:
            await self.trouble(kind="forget_keys")
        hub = self.hub
        for sweep in (
            clockwork.expire_holds,
            clockwork.let_go_of_late,
            clockwork.let_go,
            clockwork.look_after_payments,
            clockwork.end_offers,
        ):
            await sweep(hub)
        await hub.aftersale.invoices.sweep()

    async def trouble(self, **fault: Any) -> None:
        await self.house.standing.control("fault", fault)

    async def news(self) -> list[dict[str, Any]]:
        """All the gateway had to tell so far, oldest first."""
        written = (await self.house.standing.control("webhooks"))["deliveries"]
        return [json.loads(one["body"]) | {"raw": one["body"]} for one in written]

    async def deliver(self, event: dict[str, Any], copies: int = 1) -> None:
        """Signed now, as the gateway does with every attempt."""
        sign, body = stripe.WebhookSignature.generate_signature_header, event["raw"]
        now = int(self.house.clock().timestamp())
        headers = {"stripe-signature": sign(body, self.secret, now), "content-type": "application/json"}
        for _ in range(copies):
            answer = await self.house.post.post(
                self.market.hook("stripe"), content=body.encode(), headers=headers
            )
            assert answer.status_code == 202, answer.text

    async def deliver_all(self) -> bool:
        """Whatever has not arrived yet; False when there was nothing."""
        waiting = [(n, one) for n, one in enumerate(await self.news()) if n not in self.told]
        for n, one in waiting:
            await self.deliver(one)
            self.told.add(n)
        return bool(waiting)

    async def act(self, ref: str, *, ok: bool) -> None:
        """The buyer answers the bank."""
        await self.house.standing.control("act", {"ref": ref, "ok": ok})

    async def decide(self, ref: str, *, failed: bool) -> None:
        """What the bank says of a payment's last refund, if it has not said that it failed already."""
        mine = [one for one in await self.news() if one["data"]["object"].get("payment_intent") == ref]
        made = [one["data"]["object"]["id"] for one in mine if one["type"] == "refund.created"]
        over = {one["data"]["object"]["id"] for one in mine if one["type"] == "refund.failed"}
        if made and made[-1] not in over:
            what = "refund_failed" if failed else "refund"
            await self.house.standing.control("settle", {"ref": ref, "what": what})

    async def quiet(self) -> bool:
        """Whether nothing is on its way any more, and nothing waits for its time to be over."""
        [row] = await self.sql(WAITING)
        return not row["waiting"] and len(self.told) == len(await self.news())

    async def close(self) -> None:
        """Nobody works for this brand any more."""
        await self.sql("UPDATE connection SET state = 'off' WHERE brand_id = :brand")
        await self.sql("UPDATE show SET state = 'ended' WHERE brand_id = :brand")
        await self.pass_time(0)


async def opened(house: House) -> Evening:
    """An evening that has just begun."""
    hub, shop = house.hub, await open_shop(house.hub, BAGS)
    config = house.bank.anew()
    async with hub.db.session() as session:
        account = await hub.connections.add(session, shop.brand_id, "stripe", "stripe", config, None)
    fakes = {"stripe": house.standing}
    market = Market(hub, shop, house.origin, fakes, {"stripe": account.id}, house.jobs, house.clock)
    scarf = await one_more(market, "Scarf", SCARF_MINOR, SCARVES)
    box = await one_more(market, "Box", BOX_MINOR, 0)
    ways = [
        ShippingMethod(title=title, price_minor=minor, currency="EUR", brand_id=shop.brand_id)
        for title, minor in (("Parcel", 495), ("Pickup", 0))
    ]
    async with hub.db.session() as session:
        for part, quantity in ((shop.variant_id, 1), (scarf, 2)):
            item: dict[str, Any] = {"bundle_variant_id": box, "variant_id": part, "quantity": quantity}
            session.add(BundleItem(brand_id=shop.brand_id, **item))
        session.add_all(ways)
        session.add(
            TaxRate(
                brand_id=shop.brand_id, country="DE", tax_class="standard", percent=Decimal(19), title="VAT"
            )
        )
    pair = await offered(market, scarf)
    return Evening(house, market, config["webhook_secret"], scarf, box, pair, [way.id for way in ways])


async def one_more(market: Market, title: str, minor: int, units: int) -> UUID:
    """Another product in the show: its variant."""
    hub, shop = market.hub, market.shop
    async with hub.db.session() as session:
        product = Product(brand_id=shop.brand_id, title=title)
        new = NewVariant(title.upper(), "", minor, "EUR", units)
        shelf = await hub.catalog.add(session, product, [new])
        variant = shelf.variants[0][0]
        await hub.stock.receive(session, variant, units, author=AUTHOR)
        session.add(ShowProduct(show_id=shop.show_id, product_id=product.id, brand_id=shop.brand_id))
    return variant.id


async def offered(market: Market, scarf: UUID) -> UUID:
    """Steps for the bag, a bundle of it and a scarf, and two codes; the bundle offer's id."""
    shop, bag = market.shop, {"variant_id": market.shop.variant_id}
    wishes: list[dict[str, Any]] = [
        {"kind": "coupon", "code": "SEVEN", "percent_off": 7, "units": 3, "stackable": True},
        {"kind": "coupon", "code": "GIFT", "amount_off_minor": 50_000, "currency": "EUR", "units": 1},
        {"kind": "tiers", "items": [bag], "tiers": TIERS, "stackable": True},
        {"kind": "bundle", "items": [bag, {"variant_id": scarf}], "percent_off": 15},
    ]
    async with market.hub.db.session() as session:
        for wish in wishes:
            where = None if wish["kind"] == "coupon" else shop.show_id
            draft = OfferIn.model_validate({"title": wish["kind"], "show_id": where} | wish)
            offer = await market.hub.offers.draft(session, shop.brand_id, draft, AUTHOR)
            await session.flush()
            await market.hub.launches.go_live(session, shop.brand_id, offer.id, AUTHOR)
    return offer.id


async def net_prices(evening: Evening) -> None:
    """Taxes come on top."""
    async with evening.hub.db.session() as session:
        session.add(ShopTerms(brand_id=evening.brand, prices_include_tax=False, country="DE"))


def fresh() -> str:
    """A key nobody had."""
    return uuid4().hex
