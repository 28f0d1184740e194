"""A show with everything that can happen to money: many orders, made up from one number."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hub.aftersale.models import RefundPart
from hub.auth.models import Brand
from hub.catalog.models import Product, Variant
from hub.chat.models import Message
from hub.customers.models import Customer, Identity
from hub.db import Database
from hub.ids import new_id
from hub.offers.models import Offer
from hub.orders.models import Order, OrderLine
from hub.orders.timeline import OrderEvent
from hub.payments.models import Refund
from hub.shows.models import Show
from hub.stock.models import Hold, Waitlist
from hub.visits.models import Touch

CHANNELS = ("own", "own", "shopify", "tiktok_shop")
STATES = ("paid", "paid", "paid", "refunded", "cancelled", "cancelled", "failed", "sold_out", "authorising")
SOURCES = (
    ("youtube", "social", "Organic Video"),
    ("tiktok", "paid_social", "Paid Social"),
    (None, None, "Direct"),
)


@dataclass(frozen=True)
class House:
    """A brand with a show of yesterday, another one, and something to sell in each currency."""

    brand_id: UUID
    show_id: UUID
    slug: str
    other_show: UUID
    product_id: UUID
    variants: list[UUID]
    live_at: datetime


@dataclass
class Books:
    """`rows` are put in at once; `people` may buy again in any show."""

    shop: House
    now: datetime
    dice: random.Random
    rows: list[Any] = field(default_factory=list)
    people: list[UUID] = field(default_factory=list)
    offers: list[UUID] = field(default_factory=list)

    def orders(self) -> list[Order]:
        """Those of the show that were paid."""
        return [
            row
            for row in self.rows
            if isinstance(row, Order)
            and row.show_id == self.shop.show_id
            and row.state in ("paid", "refunded", "cancelled")
        ]

    def person(self) -> None:
        """Somebody known, who came by some way."""
        customer = Customer(id=new_id(), brand_id=self.shop.brand_id, name="Ana")
        source, medium, group = self.dice.choice(SOURCES)
        at = self.now - timedelta(days=self.dice.choice([5, 40, 100, 200]))
        touch = Touch(
            brand_id=self.shop.brand_id,
            show_id=self.shop.show_id,
            visitor_id=uuid4().hex,
            customer_id=customer.id,
            utm_source=source,
            utm_medium=medium,
            channel_group=group,
            at=at,
        )
        self.rows += [customer, touch]
        self.people.append(customer.id)

    def amounts(self, included: bool, lines: list[OrderLine]) -> dict[str, Any]:
        """Sums of an order that are true to its lines."""
        subtotal = sum(line.unit_minor * line.quantity for line in lines)
        discount = sum(line.discount_minor for line in lines)
        shipping = self.dice.choice([0, 490, 1299])
        tax = sum(line.tax_minor for line in lines) + self.dice.choice([0, shipping // 6])
        return {
            "subtotal_minor": subtotal,
            "discount_minor": discount,
            "shipping_minor": shipping,
            "tax_minor": tax,
            "total_minor": subtotal - discount + shipping + (0 if included else tax),
            "prices_include_tax": included,
        }

    def line(self) -> OrderLine:
        """Some pieces of something, perhaps in an offer, perhaps without a known cost."""
        dice = self.dice
        quantity, listed = dice.randint(1, 3), dice.randint(500, 9999)
        offer = dice.choice([None, *self.offers])
        unit = listed * 9 // 10 if offer else listed
        return OrderLine(
            id=new_id(),
            brand_id=self.shop.brand_id,
            order_id=new_id(),
            variant_id=dice.choice([*self.shop.variants, None]),
            external_line_id=uuid4().hex,
            title="Bag",
            quantity=quantity,
            unit_minor=unit,
            list_minor=listed,
            discount_minor=dice.choice([0, unit // 10]),
            tax_minor=unit * quantity * 19 // 119,
            cost_minor=dice.choice([None, listed // 3]),
            offer_id=offer,
            returned=dice.choice([0, 0, 1]),
            state="committed",
        )

    def order(self, show_id: UUID | None) -> Order:
        """One order with whatever became of it."""
        dice = self.dice
        channel, state, included = dice.choice(CHANNELS), dice.choice(STATES), dice.random() < 0.7
        lines = [self.line() for _ in range(dice.randint(1, 3))]
        sums = self.amounts(included, lines)
        total = sums["total_minor"]
        back = {"refunded": total, "paid": dice.choice([0, 0, total // 3])}.get(state, 0)
        order = Order(
            id=new_id(),
            brand_id=self.shop.brand_id,
            show_id=show_id,
            channel=channel,
            number=f"SH-{uuid4().hex[:7]}",
            state=state,
            currency=dice.choice(["EUR", "EUR", "USD"]),
            **sums,
            captured_minor=total if state in ("paid", "refunded") else dice.choice([0, total]),
            refunded_minor=back,
            customer_id=dice.choice([*self.people, None]),
            viewer_id=uuid4().hex if channel == "own" and dice.random() < 0.8 else None,
            test=dice.random() < 0.05,
            placed_at=self.now - timedelta(days=dice.randint(0, 120), minutes=dice.randint(0, 999)),
            updated_at=self.now - timedelta(hours=1),
        )
        for line in lines:
            line.order_id = order.id
        self.rows += [order, *lines]
        if back and dice.random() < 0.6:
            self.refund(order, lines[0], back)
        return order

    def refund(self, order: Order, line: OrderLine, back: int) -> None:
        """What went back, with or without saying what for."""
        refund = Refund(
            id=new_id(),
            brand_id=order.brand_id,
            order_id=order.id,
            amount_minor=back,
            currency=order.currency,
            state=self.dice.choice(["done", "done", "failed"]),
            key=uuid4().hex,
            created_at=self.now,
        )
        goods, delivery = back * 2 // 3, back // 4
        parts = [
            RefundPart(
                brand_id=order.brand_id,
                order_id=order.id,
                refund_id=refund.id,
                order_line_id=which,
                quantity=1 if which else 0,
                amount_minor=amount,
                tax_minor=amount * 19 // 119,
            )
            for which, amount in ((line.id, goods), (None, delivery))
        ]
        self.rows += [refund, *parts]

    def hold(self, order: Order | None) -> None:
        """A reservation, sometimes of two parts, and what came of it."""
        state = "committed" if order else self.dice.choice(["expired", "released", "held"])
        group, at = new_id(), self.now - timedelta(days=1)
        for _ in range(self.dice.randint(1, 2)):
            self.rows.append(
                Hold(
                    brand_id=self.shop.brand_id,
                    variant_id=self.shop.variants[0],
                    show_id=self.shop.show_id,
                    viewer_id=uuid4().hex,
                    state=state,
                    soft=state == "held",
                    key=uuid4().hex,
                    group_id=group,
                    order_id=order.id if order else None,
                    created_at=at,
                    expires_at=at,
                )
            )
        if order:
            paid = at + timedelta(milliseconds=self.dice.randint(900, 90_000))
            self.rows.append(
                OrderEvent(brand_id=order.brand_id, order_id=order.id, at=paid, kind="payment.paid", text="x")
            )

    def waits(self) -> None:
        """Somebody in the queue."""
        self.rows.append(
            Waitlist(
                brand_id=self.shop.brand_id,
                show_id=self.shop.show_id,
                variant_id=self.shop.variants[0],
                viewer_id=uuid4().hex,
                state=self.dice.choice(["waiting", "taken", "lapsed"]),
            )
        )


async def house(db: Database, now: datetime) -> House:
    """Make it."""
    brand = Brand(id=new_id(), name="Linnea", slug=uuid4().hex)
    live = now - timedelta(days=1)
    show, other = (
        Show(
            id=new_id(),
            brand_id=brand.id,
            slug=f"evening-{uuid4().hex[:6]}",
            title=title,
            stream_key_sealed=b"",
            stream_key_hash=uuid4().hex,
            live_at=live,
            ended_at=live + timedelta(hours=1),
            state="ended",
        )
        for title in ("Evening", "Other")
    )
    product = Product(id=new_id(), brand_id=brand.id, title="Scarf")
    variants = [
        Variant(
            id=new_id(),
            brand_id=brand.id,
            product_id=product.id,
            sku=uuid4().hex[:8],
            title=title,
            price_minor=1000,
            currency=currency,
            cost_minor=cost,
        )
        for title, currency, cost in (("red", "EUR", 333), ("blue", "USD", None), ("green", "USD", 450))
    ]
    await put(db, [brand, show, other, product, *variants])
    ids = [variant.id for variant in variants]
    return House(brand.id, show.id, show.slug, other.id, product.id, ids, live)


async def filled(db: Database, shop: House, now: datetime, seed: int, orders: int) -> Books:
    """Make it all up, and put it in."""
    books = Books(shop, now, random.Random(seed))
    for kind in ("flash", "bundle"):
        books.offers.append(new_id())
        books.rows.append(
            Offer(
                id=books.offers[-1],
                brand_id=shop.brand_id,
                show_id=shop.show_id,
                kind=kind,
                title=kind,
                state="ended",
                percent_off=10,
                live_at=shop.live_at + timedelta(minutes=5),
                ended_at=shop.live_at + timedelta(minutes=15),
            )
        )
    for _ in range(6):
        books.person()
    shows = [shop.show_id] * 4 + [shop.other_show, None]
    made = [books.order(books.dice.choice(shows)) for _ in range(orders)]
    mine = [order for order in made if order.show_id == shop.show_id and order.channel == "own"]
    for order in [*mine[: orders // 4], *[None] * 4]:
        books.hold(order)
    for _ in range(3):
        books.waits()
    await put(db, books.rows)
    return books


PARENTS_FIRST = (
    *(Brand, Show, Product, Variant, Customer, Identity, Touch, Offer, Order, OrderLine, Refund, RefundPart),
    *(Hold, OrderEvent, Waitlist, Message),
)


async def put(db: Database, rows: list[Any]) -> None:
    """In an order that foreign keys like."""
    async with db.session() as session:
        for kind in PARENTS_FIRST:
            session.add_all(row for row in rows if type(row) is kind)
            await session.flush()
