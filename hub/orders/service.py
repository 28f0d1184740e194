"""Orders placed on platforms, applied to the one stock. The platform's own record is the truth.

Every call brings the whole order as of its version; the same or an older version changes nothing.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors import types as platform
from hub.attribution.service import Attribution
from hub.bus import Event
from hub.catalog.models import Listing, Variant
from hub.clock import Clock
from hub.connections.models import Connection
from hub.customers.service import Customers, Person
from hub.db import after_commit, announce, run
from hub.ids import new_id
from hub.jobs import defer
from hub.news import Coalescer
from hub.orders.models import Order, OrderLine
from hub.orders.numbers import newest
from hub.secrets import Vault
from hub.stock.service import StockRoom

RANKS = {"reserved": 0, "paid": 1, "sold_out": 1, "cancelled": 2, "refunded": 2}
"""What can follow what: platforms stamp whole seconds, so two versions of an order may look equally new."""
STATES = {"pending": "reserved", "paid": "paid", "cancelled": "cancelled", "refunded": "refunded"}

SHOW_OF = text(
    """
    SELECT show.id FROM show
    WHERE brand_id = :brand_id AND (slug = :hint OR (
        live_at IS NOT NULL AND live_at <= :placed_at
        AND (ended_at IS NULL OR ended_at + interval '15 minutes' >= :placed_at)
        AND EXISTS (SELECT 1 FROM show_product JOIN variant USING (product_id)
                    WHERE show_product.show_id = show.id AND variant.id = ANY(:variants))))
    ORDER BY slug = :hint DESC, live_at DESC LIMIT 1
    """
)


class Orders:
    """The order table, whatever the channel."""

    def __init__(
        self,
        clock: Clock,
        vault: Vault,
        stock: StockRoom,
        customers: Customers,
        attribution: Attribution,
        *,
        sales_news: Coalescer[UUID],
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._stock = stock
        self._customers = customers
        self._attribution = attribution
        self._sales_news = sales_news

    async def apply(self, session: AsyncSession, connection: Connection, found: platform.Order) -> None:
        """Bring our record and the stock in line with the platform's order. Repeatable, in any order."""
        order, fresh = await self._locked(session, connection, found)
        if not fresh and stale(order, found):
            return
        lines = await self._lines(session, connection, order, found)
        before = order.state
        alive = found.state in ("pending", "paid")
        for line in lines:
            await self._settle(session, line, alive)
        short = any(line.state == "sold_out" for line in lines)
        order.state = "sold_out" if short else STATES[found.state]
        order.source_version, order.updated_at = found.updated_at, self._clock()
        order.total_minor, order.currency = found.total.amount, found.total.currency
        if order.show_id is None:
            variants = [line.variant_id for line in lines if line.variant_id]
            order.show_id = await self._show(session, order, found.show_hint, variants)
        await self._know_buyer(session, order, found.buyer, connection.connector)
        if short and alive:
            order.message = "Sold out before this order arrived; it is being cancelled on the platform."
            await defer(session, "order.cancel", key=f"order.cancel:{order.id}", order_id=str(order.id))
        await session.flush()
        await self.tell(session, order, placed=fresh, changed=before != order.state)

    async def tell(self, session: AsyncSession, order: Order, *, placed: bool, changed: bool) -> None:
        """News of an order: to the studio, and to the viewer who placed it."""
        if order.show_id is None or not (placed or changed):
            return
        show_id = order.show_id
        if placed:
            [row] = await newest(session, show_id, 1, only=order.id)
            data = row.model_dump(mode="json")
            announce(session, Event(show_id=show_id, kind="order.placed", audience="staff", data=data))
        if order.viewer_id:
            announce(session, Event(show_id=show_id, kind="order.changed", data=status_of(order)))
        else:
            event = Event(show_id=show_id, kind="order.changed", audience="staff", data=status_of(order))
            announce(session, event)

        async def count() -> None:
            self._sales_news.touch(show_id)

        after_commit(session, count)

    async def _locked(
        self, session: AsyncSession, connection: Connection, found: platform.Order
    ) -> tuple[Order, bool]:
        """Our row of the order, locked; True when it is new."""
        made = await run(
            session,
            insert(Order)
            .values(
                id=new_id(),
                brand_id=connection.brand_id,
                channel=connection.connector,
                connection_id=connection.id,
                external_id=found.id,
                number=found.number,
                state="reserved",
                message="",
                currency=found.total.currency,
                total_minor=found.total.amount,
                landing_url=found.landing_url,
                test=found.test,
                placed_at=found.placed_at,
                updated_at=self._clock(),
            )
            .on_conflict_do_nothing(index_elements=["connection_id", "external_id"])
            .returning(col(Order.id)),
        )
        fresh = made.first() is not None
        query = (
            select(Order)
            .where(col(Order.connection_id) == connection.id, col(Order.external_id) == found.id)
            .with_for_update()
        )
        return (await session.exec(query)).one(), fresh

    async def _lines(
        self, session: AsyncSession, connection: Connection, order: Order, found: platform.Order
    ) -> list[OrderLine]:
        query = select(OrderLine).where(col(OrderLine.order_id) == order.id).order_by(col(OrderLine.id))
        known = {line.external_line_id: line for line in await session.exec(query)}
        wanted = {line.id for line in found.lines}
        for line_id, before in known.items():
            if before.state != "released" and line_id not in wanted:
                # Taken out of an order that goes on without it.
                await self._settle(session, before, alive=False)
                before.state = "released"
        for line in found.lines:
            had = known.get(line.id)
            if had is None:
                known[line.id] = await self._line(session, connection, order, line)
            elif line.quantity < had.quantity and had.state == "committed":
                known[line.id] = await self._shrunk(session, connection, order, had, line)
        await session.flush()
        # In the order of variant_id, as everybody locks stock.
        return sorted(known.values(), key=lambda line: (str(line.variant_id), line.external_line_id))

    async def _shrunk(
        self,
        session: AsyncSession,
        connection: Connection,
        order: Order,
        before: OrderLine,
        line: platform.OrderLine,
    ) -> OrderLine:
        """Fewer pieces than before: the old line gives back, a new one takes what is left of it.

        Each cause moves stock once, so a smaller number needs a line, and thereby a cause, of its own.
        """
        await self._settle(session, before, alive=False)
        before.external_line_id = f"{line.id}#{before.id}"
        await session.flush()
        return await self._line(session, connection, order, line)

    async def _line(
        self, session: AsyncSession, connection: Connection, order: Order, line: platform.OrderLine
    ) -> OrderLine:
        variant_id = await self._variant(session, connection, line)
        made = OrderLine(
            brand_id=order.brand_id,
            order_id=order.id,
            variant_id=variant_id,
            external_line_id=line.id,
            sku=line.sku,
            title=line.title,
            quantity=line.quantity,
            unit_minor=line.unit_price.amount,
            state="open" if variant_id else "unknown_sku",
        )
        session.add(made)
        return made

    async def _variant(
        self, session: AsyncSession, connection: Connection, line: platform.OrderLine
    ) -> UUID | None:
        if line.listing:
            tied = select(Listing.variant_id).where(
                col(Listing.connection_id) == connection.id,
                col(Listing.variant_ref) == line.listing.variant_id,
            )
            found = (await session.exec(tied)).first()
            if found:
                return found
        by_sku = select(Variant.id).where(
            col(Variant.brand_id) == connection.brand_id, col(Variant.sku) == line.sku
        )
        return (await session.exec(by_sku)).first()

    async def _settle(self, session: AsyncSession, line: OrderLine, alive: bool) -> None:
        if line.state == "open" and line.variant_id and alive:
            enough = await self._stock.sell(session, line.variant_id, line.quantity, line.id)
            line.state = "committed" if enough else "sold_out"
        elif line.state == "committed" and not alive:
            await self._stock.give_back(session, "order_line", line.id)
            line.state = "released"

    async def _show(
        self, session: AsyncSession, order: Order, hint: str | None, variants: list[UUID]
    ) -> UUID | None:
        values = {
            "brand_id": order.brand_id,
            "hint": hint or "",
            "placed_at": order.placed_at,
            "variants": variants,
        }
        found: UUID | None = (await run(session, SHOW_OF, values)).scalar_one_or_none()
        return found

    async def _know_buyer(
        self, session: AsyncSession, order: Order, buyer: platform.Buyer, channel: str
    ) -> None:
        email = None if buyer.proxy_email else buyer.email
        person = Person(name=buyer.name, email=email, platform=channel, platform_user=buyer.external_id)
        if not person.handles() or order.customer_id:
            return
        order.buyer_name = order.buyer_name or buyer.name
        customer = await self._customers.recognise(session, order.brand_id, person)
        order.customer_id = customer.id
        await self._attribution.visit_by_order(session, order, customer)
        await self._attribution.credit(session, order)
        if email:
            order.buyer_email_sealed = self._vault.seal(email)


def stale(order: Order, found: platform.Order) -> bool:
    """Whether we know better already. What is dead stays dead: its stock may be another's by now."""
    rank, known = RANKS[STATES[found.state]], RANKS[order.state]
    if known == 2 and rank < known:
        return True
    version = order.source_version
    return version is not None and (found.updated_at, rank) < (version, known)


def status_of(order: Order) -> dict[str, object]:
    """What the viewer who placed it sees."""
    return {
        "order_id": str(order.id),
        "viewer_id": order.viewer_id,
        "number": order.number,
        "state": order.state,
        "message": order.message,
    }
