"""Orders placed on platforms, applied to the one stock. The platform's own record is the truth.

Every call brings the whole order as of its version; the same or an older version changes nothing. Two
versions that look equally new are told apart by what they say (`source_digest`), and by reading the order.
"""

from __future__ import annotations

import hashlib
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors import types as platform
from hub.attribution.service import Attribution
from hub.bus import Event
from hub.clock import Clock
from hub.connections.models import Connection
from hub.customers.service import Customers, Evidence, Known, Person
from hub.db import after_commit, announce, run
from hub.ids import new_id
from hub.jobs import defer
from hub.news import Coalescer
from hub.orders.lines import Lines, Settled, shortage
from hub.orders.models import Order, OrderLine
from hub.orders.numbers import newest
from hub.orders.outside import OutsideRefund
from hub.orders.timeline import note
from hub.privacy.masks import mask_name
from hub.privacy.tombstones import Marks
from hub.secrets import Vault
from hub.stock.service import StockRoom
from hub.visits.service import Visits

RANKS = {"reserved": 0, "failed": 0, "paid": 1, "sold_out": 1, "cancelled": 2, "refunded": 2}
"""What can follow what: platforms stamp whole seconds, so two versions of an order may look equally new."""
STATES = {"pending": "reserved"} | {one: one for one in ("paid", "failed", "cancelled", "refunded")}
ALIVE = ("pending", "paid")

Verdict = Literal["new", "known", "stale", "unsure"]

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
        visits: Visits,
        *,
        sales_news: Coalescer[UUID],
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._marks = Marks(vault)
        self._lines = Lines(stock)
        self._customers = customers
        self._attribution = attribution
        self._visits = visits
        self._sales_news = sales_news

    async def apply(
        self, session: AsyncSession, connection: Connection, found: platform.Order, *, read: bool = False
    ) -> Verdict:
        """Bring our record and the stock in line with the platform's order. Repeatable, in any order.

        `read`: it was read from the platform just now, so it is right where two versions look equally new.
        `unsure`: they do, and nothing was changed; the order has to be read.
        """
        buyer = await self._buyer(session, connection, found)
        order, fresh = await self._locked(session, connection, found)
        verdict = "new" if fresh else judged(order, found, read=read)
        if verdict in ("stale", "unsure") or (verdict == "known" and not await self._odd(session, order)):
            return verdict
        before, given = order.state, order.refunded_minor
        record(order, found)
        order.updated_at = self._clock()
        # One that comes back to life has nothing of the stock, as if it were new.
        risen = fresh or before in ("cancelled", "failed")
        settled = await self._lines.bring(session, connection, order, found, fresh=risen)
        order.state = state_after(found, settled)
        if order.show_id is None:
            variants = [line.variant_id for line in settled.lines if line.variant_id]
            order.show_id = await self._show(session, order, found.show_hint, variants)
        if buyer and order.customer_id is None:
            await self._know_buyer(session, order, found.buyer, buyer)
        if settled.sold_out and found.state in ALIVE:
            order.message = "Sold out before this order arrived; it is being cancelled on the platform."
            await defer(session, "order.cancel", key=f"order.cancel:{order.id}", order_id=str(order.id))
        elif settled.short:
            order.message = shortage(settled.short)
        await session.flush()
        await self._write_down(session, order, found, settled, was=None if fresh else before)
        changed = (before, given) != (order.state, order.refunded_minor)
        await self.tell(session, order, placed=fresh, changed=changed)
        return verdict

    async def tell(self, session: AsyncSession, order: Order, *, placed: bool, changed: bool) -> None:
        """News of an order: to the studio, and to the viewer who placed it."""
        if order.show_id is None or not (placed or changed):
            return
        show_id = order.show_id
        if placed:
            [row] = await newest(session, show_id, 1, only=order.id)
            # Everybody who watches the studio hears it, whatever their role.
            data = row.model_copy(update={"buyer_name": mask_name(row.buyer_name)}).model_dump(mode="json")
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

    async def _odd(self, session: AsyncSession, order: Order) -> bool:
        """A line of it is tied to none of our SKUs: somebody may have put that right since."""
        query = select(OrderLine.id).where(
            col(OrderLine.order_id) == order.id, col(OrderLine.state) == "unknown_sku"
        )
        return (await session.exec(query.limit(1))).first() is not None

    async def _write_down(
        self,
        session: AsyncSession,
        order: Order,
        found: platform.Order,
        settled: Settled,
        *,
        was: str | None,
    ) -> None:
        """What a person may want to know of it later. `was`: its state before; None for a new one."""
        if was is None:
            total = f"{found.total.decimal()} {found.total.currency}"
            older = " It is older than the link to the shop, and takes no stock." if settled.older else ""
            await note(session, order, "placed", f"Placed in the shop: {found.number}, {total}.{older}")
        if settled.changes:
            await note(session, order, "edited", f"Changed in the shop: {'; '.join(settled.changes)}.")
        for refund in found.refunds:
            if await self._new_refund(session, order, refund):
                await note(session, order, "refunded", refund_words(refund))
        if order.state != was and order.state in ("cancelled", "refunded", "sold_out"):
            await note(session, order, order.state, ENDED[order.state])
        if settled.short:
            await note(session, order, "short", shortage(settled.short))

    async def _new_refund(self, session: AsyncSession, order: Order, refund: platform.OrderRefund) -> bool:
        """Keep it; True when it is new, or another amount than before."""
        values = {
            "amount_minor": refund.amount.amount,
            "pieces": sum(line.quantity for line in refund.lines),
            "restocked": sum(line.quantity for line in refund.lines if line.restocked),
        }
        statement = insert(OutsideRefund).values(
            id=new_id(),
            brand_id=order.brand_id,
            order_id=order.id,
            external_id=refund.id,
            currency=refund.amount.currency,
            at=refund.at,
            **values,
        )
        made = await run(
            session,
            statement.on_conflict_do_update(
                index_elements=["order_id", "external_id"],
                set_=values,
                where=col(OutsideRefund.amount_minor) != refund.amount.amount,
            ).returning(col(OutsideRefund.id)),
        )
        return made.first() is not None

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

    async def _buyer(
        self, session: AsyncSession, connection: Connection, found: platform.Order
    ) -> Known | None:
        """Who ordered; None where that is not told, is known already, or was forgotten since.

        Before anything is locked: who two people turn out to be one of locks the orders of both.
        """
        query = select(Order.customer_id, Order.erased_at).where(
            col(Order.connection_id) == connection.id, col(Order.external_id) == found.id
        )
        before, buyer = (await session.exec(query)).first(), found.buyer
        person = Person(
            name=buyer.name,
            email=None if buyer.proxy_email else buyer.email,
            platform=connection.connector,
            platform_user=buyer.external_id,
            phone=buyer.phone,
        )
        if not person.handles() or (before and any(before)):
            return None
        handles = [handle.value for handle in person.handles()]
        forgotten = await self._marks.forgotten(session, connection.brand_id, handles)
        if forgotten and found.placed_at <= forgotten:
            return None
        if forgotten:
            # They asked to be forgotten, and did not come back by themselves: somebody new, without a name.
            person = Person()
        evidence = Evidence("order", "order", f"{connection.id}:{found.id}", found.placed_at)
        return await self._customers.meet(session, connection.brand_id, person, evidence)

    async def _know_buyer(
        self, session: AsyncSession, order: Order, buyer: platform.Buyer, known: Known
    ) -> None:
        order.buyer_name = order.buyer_name or buyer.name
        order.customer_id, order.identity_id = known.customer_id, known.node_id
        await self._visits.visit_by_order(session, order)
        await self._attribution.credit(session, order)
        if buyer.email and not buyer.proxy_email:
            order.buyer_email_sealed = self._vault.seal(buyer.email)


ENDED = {
    "cancelled": "Cancelled in the shop.",
    "refunded": "All the money was given back in the shop.",
    "sold_out": "There was nothing left when this order arrived; the shop is asked to cancel it.",
}


def judged(order: Order, found: platform.Order, *, read: bool) -> Verdict:
    """Whether we know better already. Only news that is certainly newer brings a dead order back."""
    if order.source_version is None or found.updated_at > order.source_version:
        return "new"
    rank, known = RANKS[STATES[found.state]], RANKS[order.state]
    if (found.updated_at, rank) < (order.source_version, known):
        return "stale"
    if rank > known:
        return "new"
    if digest_of(found) == order.source_digest:
        return "known"
    return "new" if read else "unsure"


def digest_of(found: platform.Order) -> str:
    """What an order says of money and goods, and nothing that two spellings of it could differ in."""
    lines = sorted((line.id, line.quantity, line.restocked) for line in found.lines)
    refunds = sorted((one.id, one.amount.amount) for one in found.refunds)
    said = (found.state, found.total.amount, given_back(found), lines, refunds)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def given_back(found: platform.Order) -> int:
    """In minor units of the order's currency."""
    return found.refunded.amount if found.refunded else sum(one.amount.amount for one in found.refunds)


def record(order: Order, found: platform.Order) -> None:
    """The platform's version and its money. The subtotal is what makes the sum right to the last cent."""
    order.source_version, order.source_digest = found.updated_at, digest_of(found)
    order.total_minor, order.currency = found.total.amount, found.total.currency
    order.refunded_minor = given_back(found)
    order.captured_minor = order.total_minor if found.state in ("paid", "refunded") else order.refunded_minor
    order.shipping_minor = found.shipping.amount if found.shipping else 0
    order.tax_minor = found.tax.amount if found.tax else 0
    order.discount_minor = found.discount.amount if found.discount else 0
    order.prices_include_tax = found.taxes_included
    on_top = 0 if found.taxes_included else order.tax_minor
    order.subtotal_minor = order.total_minor + order.discount_minor - order.shipping_minor - on_top
    if found.paid and found.paid.currency != found.total.currency:
        order.paid_minor, order.paid_currency = found.paid.amount, found.paid.currency


def state_after(found: platform.Order, settled: Settled) -> str:
    """Our word for where the order stands now."""
    if settled.sold_out:
        return "sold_out"
    return STATES[found.state]


def refund_words(refund: platform.OrderRefund) -> str:
    """A refund in a sentence, and what became of the goods."""
    money = f"{refund.amount.decimal()} {refund.amount.currency} given back in the shop"
    pieces = sum(line.quantity for line in refund.lines)
    if not pieces:
        return f"{money}."
    words = money if refund.amount.amount else "Taken out of the order in the shop:"
    back = sum(line.quantity for line in refund.lines if line.restocked)
    unsaid = sum(line.quantity for line in refund.lines if line.restocked is None)
    words += f"{' for' if refund.amount.amount else ''} {pieces} piece{'s' if pieces > 1 else ''}; "
    words += f"{back} back on the shelf."
    if unsaid:
        words += (
            f" The shop does not say where {unsaid} of them went: if you have them back, add them to stock."
        )
    return words


def status_of(order: Order) -> dict[str, object]:
    """What the viewer who placed it sees."""
    return {
        "order_id": str(order.id),
        "viewer_id": order.viewer_id,
        "number": order.number,
        "state": order.state,
        "message": order.message,
    }
