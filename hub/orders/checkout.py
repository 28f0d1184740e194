"""Our own checkout: a hold becomes an order at once; the payment follows in the background.

reserved ─▶ authorising ─▶ paid | failed | expired, and the buyer is told the truth at each step.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution.service import Attribution
from hub.auth.tokens import Viewer
from hub.catalog.models import Product, Variant
from hub.clock import Clock
from hub.customers.service import Customers, Person
from hub.errors import Conflict, NotFound
from hub.jobs import defer
from hub.orders.models import Order, OrderLine
from hub.orders.service import Orders
from hub.payments.models import Payment
from hub.payments.service import GatewayChoice, lock_of
from hub.secrets import Vault
from hub.stock.models import Hold
from hub.stock.service import StockRoom

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, O, 1 and I: buyers read order numbers aloud."""


class Checkout:
    """From a hold to an order."""

    def __init__(
        self,
        clock: Clock,
        vault: Vault,
        orders: Orders,
        stock: StockRoom,
        *,
        customers: Customers,
        attribution: Attribution,
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._orders = orders
        self._stock = stock
        self._customers = customers
        self._attribution = attribution

    async def place(
        self,
        session: AsyncSession,
        viewer: Viewer,
        hold_id: UUID,
        buyer: tuple[str, str],
        payment: tuple[GatewayChoice, str],
    ) -> Order:
        """Order what is held; `buyer` is (name, e-mail), `payment` the gateway and its token.

        Asked twice for one hold, answers the same order; after a declined payment, a new one.
        """
        hold = await self._hold(session, viewer, hold_id)
        if hold.order_id:
            before = await session.get(Order, hold.order_id)
            if before and before.state != "failed":
                return before
        if hold.state != "held" or hold.expires_at <= self._clock():
            raise Conflict("hold_over", "Your reservation has ended. Nothing was charged. Buy again.")
        order = await self._make(session, hold, viewer, buyer)
        gateway, source = payment
        row = Payment(
            brand_id=hold.brand_id,
            order_id=order.id,
            hold_id=hold.id,
            connection_id=gateway.connection_id,
            amount_minor=order.total_minor,
            currency=order.currency,
            source_sealed=self._vault.seal(source),
            key=f"{hold.id}:{order.id}",
        )
        session.add(row)
        await session.flush()
        key = f"payment.authorise:{row.id}"
        await defer(session, "payment.authorise", key=key, lock=lock_of(row.id), payment_id=str(row.id))
        await self._orders.tell(session, order, placed=True, changed=True)
        return order

    async def get(
        self, session: AsyncSession, viewer: Viewer, order_id: UUID
    ) -> tuple[Order, datetime | None]:
        """A viewer's own order, and until when its stock is reserved."""
        order = await session.get(Order, order_id)
        if order is None or (order.brand_id, order.viewer_id) != (viewer.brand_id, viewer.id):
            raise NotFound("order_unknown", "There is no such order.")
        query = select(Hold.expires_at).where(col(Hold.order_id) == order.id, col(Hold.state) == "held")
        return order, (await session.exec(query)).first()

    async def release(self, session: AsyncSession, viewer: Viewer, hold_id: UUID) -> None:
        """The buyer changed their mind before ordering."""
        hold = await self._hold(session, viewer, hold_id)
        if hold.order_id:
            before = await session.get(Order, hold.order_id)
            if before and before.state == "authorising":
                raise Conflict("being_paid", "This reservation is being paid for.")
        await self._stock.release_hold(session, hold.id)

    async def settle(self, session: AsyncSession, order_id: UUID, state: str, message: str) -> None:
        """The payment's outcome."""
        order = (await session.exec(select(Order).where(col(Order.id) == order_id).with_for_update())).one()
        if order.state == state:
            return
        order.state, order.message, order.updated_at = state, message, self._clock()
        line_state = "committed" if state == "paid" else "released"
        for line in await session.exec(select(OrderLine).where(col(OrderLine.order_id) == order_id)):
            line.state = line_state
        await session.flush()
        await self._orders.tell(session, order, placed=False, changed=True)

    async def _hold(self, session: AsyncSession, viewer: Viewer, hold_id: UUID) -> Hold:
        query = select(Hold).where(col(Hold.id) == hold_id, col(Hold.viewer_id) == viewer.id)
        hold = (await session.exec(query.with_for_update())).first()
        if hold is None or hold.brand_id != viewer.brand_id:
            raise NotFound("hold_unknown", "There is no such reservation.")
        return hold

    async def _make(self, session: AsyncSession, hold: Hold, viewer: Viewer, buyer: tuple[str, str]) -> Order:
        name, email = buyer
        query = (
            select(Variant, Product.title)
            .join(Product, col(Product.id) == col(Variant.product_id))
            .where(col(Variant.id) == hold.variant_id)
        )
        variant, title = (await session.exec(query)).one()
        customer = await self._customers.recognise(session, hold.brand_id, Person(name=name, email=email))
        await self._customers.claim_visits(session, customer, viewer.id)
        order = Order(
            brand_id=hold.brand_id,
            show_id=hold.show_id,
            channel="own",
            number="SH-" + "".join(secrets.choice(ALPHABET) for _ in range(7)),
            state="authorising",
            message="Reserved for you. Confirming the payment …",
            currency=hold.currency,
            total_minor=hold.unit_minor * hold.quantity,
            customer_id=customer.id,
            viewer_id=viewer.id,
            buyer_name=name,
            buyer_email_sealed=self._vault.seal(email),
            placed_at=self._clock(),
        )
        session.add(order)
        await session.flush()
        session.add(
            OrderLine(
                brand_id=hold.brand_id,
                order_id=order.id,
                variant_id=hold.variant_id,
                external_line_id=str(hold.id),
                sku=variant.sku,
                title=f"{title} {variant.title}".strip(),
                quantity=hold.quantity,
                unit_minor=hold.unit_minor,
            )
        )
        hold.order_id = order.id
        await self._attribution.credit(session, order)
        await session.flush()
        return order
