"""Our own checkout: what is held becomes an order at once; the payment follows in the background.

reserved ─▶ authorising ─▶ paid | failed | expired, and the buyer is told the truth at each step
(`hub/orders/outcomes.py`). No order is made, and so no card is asked, of stock that is not reserved.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution.service import Attribution
from hub.auth.tokens import Viewer
from hub.carts.addresses import Address
from hub.carts.quote import Quotes
from hub.clock import Clock
from hub.customers.service import Customers, Evidence, Known, Person
from hub.db import run
from hub.errors import BadInput, Conflict, NotFound
from hub.offers.coupons import CouponTerms
from hub.offers.service import Offers
from hub.orders.making import Goods, Making, line_of
from hub.orders.models import Order
from hub.orders.outcomes import Outcomes
from hub.orders.service import Orders
from hub.orders.timeline import note
from hub.orders.turnstile import Turnstile
from hub.payments.out import PaymentChoice, keeping
from hub.payments.service import Payments
from hub.risk.identity import Visit
from hub.risk.service import Risk
from hub.secrets import Vault
from hub.stock.models import Hold
from hub.stock.service import StockRoom

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, O, 1 and I: buyers read order numbers aloud."""
CONFIRMING: Final = "Reserved for you. Confirming the payment …"
OVER: Final = "Your reservation has ended. Nothing was charged. Buy again."

ONE_TAP_LASTS: Final = 60
"""Seconds; the payment room keeps it longer once it has begun."""
PAYMENTS_OF: Final = text("SELECT 1 FROM payment WHERE order_id = :order_id ORDER BY id FOR UPDATE")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a buyer sends. `hold_ids` are the reservations as they know them (a bundle's is its group's).

    `key`: their own; the same key gives the same order. `customer_id`: who they are, when signed in.
    """

    hold_ids: Sequence[UUID]
    name: str = field(repr=False)
    email: str = field(repr=False)
    payment: PaymentChoice
    address: Address | None = field(default=None, repr=False)
    shipping_method_id: UUID | None = None
    code: str | None = None
    key: str | None = None
    customer_id: UUID | None = None
    visit: Visit = field(default_factory=Visit)


class Checkout:
    """From holds to an order."""

    def __init__(
        self,
        clock: Clock,
        vault: Vault,
        orders: Orders,
        stock: StockRoom,
        *,
        customers: Customers,
        attribution: Attribution,
        quotes: Quotes,
        offers: Offers,
        payments: Payments,
        outcomes: Outcomes,
        risk: Risk,
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._orders = orders
        self._stock = stock
        self._customers = customers
        self._attribution = attribution
        self._making = Making(quotes, offers)
        self._offers = offers
        self._payments = payments
        self._outcomes = outcomes
        self._risk = risk
        self.turnstile = Turnstile()

    async def place(self, session: AsyncSession, viewer: Viewer, wanted: Wanted) -> Order:
        """Order what is held.

        Asked again with the same key, or for the same holds, it answers the same order; after a declined
        payment it tries to pay that order once more. Conflict `hold_over` | `key_taken` | `cart_changed`.
        """
        before = await self._by_key(session, viewer, wanted.key)
        if before:
            return before
        ordered = order_of(await self._holds(session, viewer, wanted.hold_ids, lock=False))
        if ordered:
            return await self._again(session, ordered, wanted.payment)
        about = (viewer.brand_id, viewer.id, wanted.email)
        who = self._risk.who(about, wanted.visit, wanted.payment, wanted.address)
        await self._risk.admit(who, wanted.key, wanted.hold_ids)
        # Before anything is locked: who two people turn out to be one of locks the orders of both.
        buyer = await self._buyer(session, viewer, wanted)
        holds = await self._holds(session, viewer, wanted.hold_ids)
        if ordered := order_of(holds):
            # Another request of this moment, which we waited for, has just placed it.
            return await self._order(session, ordered)
        self._still(holds)
        if any(hold.soft for hold in holds):
            await self._firm(session, holds, wanted.payment)
        goods = await self._making.goods(session, holds)
        order, coupon = await self._make(session, viewer, goods, wanted, buyer)
        held = await self._risk.held(session, order, who, wanted.payment)
        if order.total_minor == 0:
            await self._free(session, order)
        elif not held:
            await self._pay(session, order, wanted.payment)
        if coupon:
            # Last: whoever gives one back has locked the stock before it.
            await self._offers.redeem(session, order, coupon)
        await self._orders.tell(session, order, placed=True, changed=True)
        return order

    async def get(
        self, session: AsyncSession, viewer: Viewer, order_id: UUID
    ) -> tuple[Order, datetime | None]:
        """A viewer's own order, and until when its stock is reserved."""
        order = await session.get(Order, order_id)
        if order is None or (order.brand_id, order.viewer_id) != (viewer.brand_id, viewer.id):
            raise NotFound("order_unknown", "There is no such order.")
        return order, await self.held_until(session, order)

    async def held_until(self, session: AsyncSession, order: Order) -> datetime | None:
        """Until when an order's stock is reserved; None when it is not."""
        query = (
            select(Hold.expires_at)
            .where(col(Hold.order_id) == order.id, col(Hold.state) == "held")
            .order_by(col(Hold.expires_at))
        )
        return (await session.exec(query)).first()

    async def pay_again(
        self, session: AsyncSession, viewer: Viewer, order_id: UUID, payment: PaymentChoice
    ) -> Order:
        """Another card for an order whose payment failed, while its stock is reserved."""
        await self.get(session, viewer, order_id)
        return await self._again(session, order_id, payment)

    async def release(self, session: AsyncSession, viewer: Viewer, hold_id: UUID) -> None:
        """The buyer changed their mind before ordering."""
        holds = await self._holds(session, viewer, [hold_id])
        for hold in {hold.group_id: hold for hold in holds}.values():
            await self._stock.release_hold(session, hold.id)

    def opened(self, address_sealed: bytes) -> str:
        """An order's address, as JSON."""
        return self._vault.open(address_sealed)

    async def _by_key(self, session: AsyncSession, viewer: Viewer, key: str | None) -> Order | None:
        if key is None:
            return None
        # Two requests with one key at the same instant: the second waits here, and then finds the order.
        mark = f"order:{viewer.brand_id}:{key}"
        await run(session, text("SELECT pg_advisory_xact_lock(hashtextextended(:mark, 0))"), {"mark": mark})
        query = select(Order).where(col(Order.brand_id) == viewer.brand_id, col(Order.key) == key)
        found = (await session.exec(query)).first()
        if found and found.viewer_id != viewer.id:
            raise Conflict("key_taken", "Use a fresh random key for each order.")
        return found

    async def _order(self, session: AsyncSession, order_id: UUID) -> Order:
        return (await session.exec(select(Order).where(col(Order.id) == order_id))).one()

    async def _holds(
        self, session: AsyncSession, viewer: Viewer, ids: Sequence[UUID], *, lock: bool = True
    ) -> list[Hold]:
        """The viewer's own holds behind these ids, whole groups."""
        query = (
            select(Hold)
            .where(
                col(Hold.viewer_id) == viewer.id,
                col(Hold.show_id) == viewer.show_id,
                col(Hold.brand_id) == viewer.brand_id,
                or_(col(Hold.id).in_(ids), col(Hold.group_id).in_(ids)),
            )
            .order_by(col(Hold.id))
        )
        if lock:
            query = query.with_for_update()
        holds = list(await session.exec(query.execution_options(populate_existing=True)))
        known = {hold.id for hold in holds} | {hold.group_id for hold in holds}
        if not holds or not known.issuperset(ids):
            raise NotFound("hold_unknown", "There is no such reservation.")
        return holds

    def _still(self, holds: Sequence[Hold]) -> None:
        now = self._clock()
        over = [hold for hold in holds if hold.state != "held" or hold.expires_at <= now]
        if over:
            raise Conflict("hold_over", OVER, hold_ids=[str(hold.group_id) for hold in over])
        if len({hold.currency for hold in holds}) > 1:
            raise BadInput(
                "two_currencies", "These products have prices in different currencies. Buy them apart."
            )

    async def _firm(self, session: AsyncSession, holds: Sequence[Hold], payment: PaymentChoice) -> None:
        """Where a show sells to who pays first: one tap with a saved card reserves and pays.

        A new card is asked for only after the payment step has reserved the goods; so it is refused here,
        and never met by "sold out".
        """
        if payment.saved_method_id is None:
            raise Conflict("not_reserved", "This is not reserved for you yet. Open the payment step first.")
        soft = [hold.id for hold in holds if hold.soft]
        if not await self._stock.firm(session, soft, ONE_TAP_LASTS):
            raise Conflict("sold_out", "Sold out. Nothing was charged.", available=0)

    async def _again(self, session: AsyncSession, order_id: UUID, payment: PaymentChoice) -> Order:
        """An order that was placed before; paid once more where its payment failed."""
        # Locked as the payment room locks them: payments, order, holds.
        await run(session, PAYMENTS_OF, {"order_id": order_id})
        query = select(Order).where(col(Order.id) == order_id).with_for_update()
        order = (await session.exec(query.execution_options(populate_existing=True))).one()
        if order.state != "failed":
            return order
        await self._risk.admit_again(order, payment)
        held = select(Hold).where(col(Hold.order_id) == order_id).order_by(col(Hold.id)).with_for_update()
        self._still((await session.exec(held.execution_options(populate_existing=True))).all())
        order.state, order.message, order.updated_at = "authorising", CONFIRMING, self._clock()
        await self._pay(session, order, payment)
        await note(session, order, "payment.again", "The buyer tries another way to pay.")
        await self._orders.tell(session, order, placed=False, changed=True)
        return order

    async def _pay(self, session: AsyncSession, order: Order, payment: PaymentChoice) -> None:
        await session.flush()
        await self._payments.begin(session, order, keeping(payment, order))

    async def _free(self, session: AsyncSession, order: Order) -> None:
        """A coupon took everything off: there is nothing to pay."""
        await session.flush()
        if not await self._stock.commit_order(session, order.id):
            raise Conflict("hold_over", OVER)
        await self._outcomes.settled(session, order.id, "paid", "Yours, free of charge. Thank you!")

    async def _make(
        self, session: AsyncSession, viewer: Viewer, goods: Sequence[Goods], wanted: Wanted, buyer: Known
    ) -> tuple[Order, CouponTerms | None]:
        where = (wanted.address, wanted.shipping_method_id)
        reckoned = await self._making.reckon(session, viewer, goods, where, wanted.code)
        address, shares = reckoned.address, reckoned.quote.shares
        order = Order(
            brand_id=viewer.brand_id,
            show_id=viewer.show_id,
            channel="own",
            number="SH-" + "".join(secrets.choice(ALPHABET) for _ in range(7)),
            state="authorising",
            message=CONFIRMING,
            **reckoned.columns(),
            address_sealed=self._vault.seal(address.model_dump_json()) if address else None,
            key=wanted.key,
            customer_id=buyer.customer_id,
            identity_id=buyer.node_id,
            viewer_id=viewer.id,
            signed_in=wanted.customer_id is not None,
            buyer_name=wanted.name,
            buyer_email_sealed=self._vault.seal(wanted.email),
            placed_at=self._clock(),
        )
        session.add(order)
        await session.flush()
        session.add_all(line_of(order, one, share) for one, share in zip(goods, shares, strict=True))
        for hold, _, _ in goods:
            # What is being paid is no hoarding: it counts for its network no longer.
            hold.order_id, hold.network_hash = order.id, None
        await self._attribution.credit(session, order)
        await session.flush()
        await note(session, order, "placed", "Ordered on the show's page.")
        return order, reckoned.coupon

    async def _buyer(self, session: AsyncSession, viewer: Viewer, wanted: Wanted) -> Known:
        """Who buys: the one who is signed in, or whom the address leads to."""
        place = wanted.address
        person = Person(
            name=wanted.name,
            email=wanted.email,
            visitor_id=viewer.id,
            phone=place.phone if place else None,
            country=place.country if place else None,
            postcode=place.postcode if place else None,
        )
        # One order of these goods, whichever of its requests gets through.
        source = ",".join(sorted(str(one) for one in wanted.hold_ids))
        evidence = Evidence("order", "order", f"own:{source}", self._clock())
        known = await self._customers.meet(
            session, viewer.brand_id, person, evidence, customer_id=wanted.customer_id
        )
        await self._customers.claim_visits(session, viewer.brand_id, known, viewer.id)
        return known


def order_of(holds: Sequence[Hold]) -> UUID | None:
    """The order that these holds are in already. Conflict `cart_changed` when it is not all of them."""
    found = {hold.order_id for hold in holds}
    if len(found) > 1:
        raise Conflict(
            "cart_changed",
            "A part of this is in an order already. Pay that one first, or wait until its time is over.",
        )
    return next(iter(found), None)
