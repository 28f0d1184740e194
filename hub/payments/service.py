"""Payments: what others ask of this room. Each verb joins its caller's transaction; calls happen in jobs.

begin ─▶ job authorise ─▶ stock is the order's ─▶ job capture ─▶ paid
           │ └─ the bank asks the buyer ─▶ confirm ─▶ job confirm ─▶ …
           └─ declined: another card while the reservation lasts · not in time: void first, then the stock
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Dispute, Money, PaymentResult, RefundResult
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.customers.models import Identity
from hub.db import Database
from hub.errors import BadInput, Conflict, NotFound
from hub.jobs import defer
from hub.orders.models import Order
from hub.payments.book import Book, Outcomes, queue
from hub.payments.desk import Desk
from hub.payments.gateways import TEST_SOURCES, GatewayChoice, Gateways
from hub.payments.heard import Heard
from hub.payments.models import LIVE, OVER, PAY_WITHIN, VOID_TAKES, Payment, Refund, SavedMethod
from hub.payments.out import ActionOut, FormOut, PaymentChoice, SavedOut
from hub.payments.pacing import Pacer
from hub.payments.refunds import Refunds
from hub.payments.silence import Silence
from hub.payments.steps import Steps
from hub.payments.sweep import Sweep
from hub.payments.timing import Timings
from hub.secrets import Vault
from hub.stock.models import Hold
from hub.stock.service import StockRoom

MOST_DECLINES: Final = 3
"""Card networks count attempts; whoever tries more cards than this is hardly their owner."""
LONGEST_ANSWER: Final = 20_000


class Payments:
    """Runs payments through whichever gateway the brand put first.

    `site` is our own address, as gateways reach it; `faster` multiplies the gateways' pace.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        connections: Connections,
        stock: StockRoom,
        *,
        outcomes: Outcomes,
        site: str = "",
        faster: float = 1.0,
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._stock = stock
        self.timings = Timings(db, clock)
        self.gateways = Gateways(connections, Pacer(faster), self.timings)
        self.book = Book(clock, vault, stock, outcomes)
        self.steps = Steps(db, clock, vault, gateways=self.gateways, book=self.book)
        self.refunds = Refunds(db, clock, gateways=self.gateways, book=self.book)
        self.desk = Desk(self.gateways, self.timings)
        silence = Silence(db, clock, connections, site)
        self.sweep = Sweep(db, clock, book=self.book, outcomes=outcomes, silence=silence)
        self._heard = Heard(clock, book=self.book, refunds=self.refunds)

    async def choose(self, session: AsyncSession, brand_id: UUID) -> GatewayChoice:
        """The gateway a new payment goes to; Conflict when none is linked."""
        return await self.gateways.choose(session, brand_id)

    async def form(
        self,
        session: AsyncSession,
        brand_id: UUID,
        amount: Money,
        customer_id: UUID | None,
        order_id: UUID | None = None,
    ) -> FormOut:
        """The card fields of the gateway in turn, and the methods kept for a signed-in buyer.

        For an order whose bank asks, those of the gateway that takes its money: no other's script can answer.
        May ask a gateway, within seconds: hand in a session that has written nothing.
        """
        saved = await self._saved(session, customer_id)
        known = {row.connection_id: row.gateway_customer for row in saved if row.gateway_customer}
        payment = await self._asked(session, order_id) if order_id else None
        only = payment.connection_id if payment else None
        choice, form = await self.gateways.form(session, brand_id, amount, known, only)
        return FormOut(
            gateway=choice.connector,
            connection_id=choice.connection_id,
            title=choice.title,
            script_url=form.script_url,
            public=form.public,
            session=form.session.get_secret_value() if form.session else None,
            test_sources=[*TEST_SOURCES.get(choice.connector, ())] if choice.test else [],
            saved=[SavedOut.of(row) for row in saved],
        )

    async def saved(self, session: AsyncSession, customer_id: UUID) -> list[SavedOut]:
        """The methods kept for a customer, newest first, whose gateway is still linked."""
        return [SavedOut.of(row) for row in await self._saved(session, customer_id)]

    async def forget(self, session: AsyncSession, customer_id: UUID, saved_method_id: UUID) -> None:
        """A customer wants a method kept no longer. Repeatable."""
        row = await session.get(SavedMethod, saved_method_id, with_for_update=True)
        if row is None or row.customer_id != customer_id:
            raise NotFound("method_unknown", "There is no such saved payment method.")
        if row.state == "ok":
            row.state = "gone"
            key = f"payment.forget:{row.id}"
            await defer(session, "payment.forget", key=key, saved_method_id=str(row.id))

    async def begin(self, session: AsyncSession, order: Order, wanted: PaymentChoice) -> Payment:
        """Have an order paid. One that is being paid already keeps its payment.

        Its stock stays reserved until it is certain what became of the money. Conflict `too_many_tries` |
        `no_gateway` | `gateway_gone` | `method_gone`.
        """
        query = select(Payment).where(col(Payment.order_id) == order.id).order_by(col(Payment.id))
        query = query.with_for_update()
        before = (await session.exec(query)).all()
        for row in before:
            if row.state not in OVER:
                return row
        if sum(row.state == "declined" for row in before) >= MOST_DECLINES:
            raise Conflict(
                "too_many_tries", "Several cards were declined for this order. Please order again."
            )
        payment = await self._new(session, order, wanted)
        session.add(payment)
        await session.flush()
        if payment.due_at:
            await self._stock.keep(session, order.id, payment.due_at + VOID_TAKES)
        await queue(session, "payment.authorise", payment.id)
        return payment

    async def action(self, session: AsyncSession, order_id: UUID) -> ActionOut | None:
        """What the buyer must do at the bank; None once they answered, until it asks again.

        A secret: for the page of this order's buyer alone.
        """
        payment = await self._asked(session, order_id)
        if payment is None or payment.answer_sealed is not None:
            return None
        row = await session.get(Connection, payment.connection_id)
        gateway = row.connector if row else ""
        if payment.action_sealed is None:
            # The bank asked when nobody was there: the page confirms with an empty answer to be told.
            return ActionOut(gateway=gateway, kind="return", url=None, data=None)
        return ActionOut(gateway=gateway, **json.loads(self._vault.open(payment.action_sealed)))

    async def confirm(self, session: AsyncSession, order_id: UUID, answer: Mapping[str, str]) -> None:
        """The buyer was at the bank; `answer` is what the page's script or the redirect brought."""
        text = json.dumps(dict(answer), sort_keys=True)
        if len(text) > LONGEST_ANSWER:
            raise BadInput("too_long", "This is no answer of a bank.")
        payment = await self._asked(session, order_id, lock=True)
        if payment:
            payment.answer_sealed = self._vault.seal(text)
            await queue(session, "payment.confirm", payment.id)

    async def refund(
        self,
        session: AsyncSession,
        order_id: UUID,
        amount_minor: int,
        reason: str,
        author: str | None,
        key: str,
    ) -> Refund:
        """Give money back: never more than was captured minus what was given back. One refund per key."""
        return await self.refunds.ask(session, order_id, amount_minor, reason, author, key)

    async def cancel(self, session: AsyncSession, order_id: UUID) -> None:
        """The order came to nothing: let go of what is only held. Money that was taken is for `refund`."""
        query = (
            select(Payment)
            .where(col(Payment.order_id) == order_id, col(Payment.state).in_([*LIVE, "authorised"]))
            .order_by(col(Payment.id))
            .with_for_update()
        )
        for payment in await session.exec(query):
            if payment.state == "queued" and payment.sent_at is None:
                payment.cause = "cancelled"
                await self.book.voided(session, payment)
            else:
                await self.book.let_go(session, payment, "cancelled")

    async def heard(
        self, session: AsyncSession, connection: Connection, fact: PaymentResult | RefundResult | Dispute
    ) -> None:
        """The gateway's webhook. RetryLater when it overtook what it is about."""
        await self._heard.hear(session, connection, fact)

    async def _new(self, session: AsyncSession, order: Order, wanted: PaymentChoice) -> Payment:
        kept = await self._kept(session, order, wanted) if wanted.saved_method_id else None
        if kept:
            connection_id, source = kept.connection_id, kept.ref_sealed
        elif wanted.source:
            choice = await self.gateways.choose(session, order.brand_id, wanted.gateway)
            connection_id, source = choice.connection_id, self._vault.seal(wanted.source)
        else:
            raise BadInput("no_source", "Choose how to pay.")
        query = select(Hold.expires_at).where(col(Hold.order_id) == order.id, col(Hold.state) == "held")
        payment = Payment(
            brand_id=order.brand_id,
            order_id=order.id,
            connection_id=connection_id,
            saved_method_id=kept.id if kept else None,
            amount_minor=order.total_minor,
            currency=order.currency,
            source_sealed=source,
            key="",
            created_at=self._clock(),
            updated_at=self._clock(),
            due_at=self._clock() + PAY_WITHIN,
            held_until=min(await session.exec(query), default=None),
        )
        payment.key = f"{order.id}:{payment.id}"
        request = self._request(order, wanted, kept)
        payment.request_sealed = self._vault.seal(json.dumps(request))
        return payment

    def _request(
        self, order: Order, wanted: PaymentChoice, kept: SavedMethod | None
    ) -> dict[str, str | bool | None]:
        """All the gateway is told beside amount and source, stored before anything is sent."""
        email = self._vault.open(order.buyer_email_sealed) if order.buyer_email_sealed else None
        return {
            "email": email,
            "description": order.number,
            "customer": kept.gateway_customer if kept else None,
            "save": wanted.save and kept is None and wanted.customer_id is not None,
            "buyer_present": wanted.buyer_present,
            "return_url": wanted.return_url,
            "ip": wanted.ip,
            "customer_id": str(wanted.customer_id) if wanted.customer_id else None,
            "consent": wanted.consent,
        }

    async def _kept(self, session: AsyncSession, order: Order, wanted: PaymentChoice) -> SavedMethod:
        query = select(SavedMethod).where(col(SavedMethod.id) == wanted.saved_method_id, proved())
        row = (await session.exec(query)).first()
        mine = row and row.brand_id == order.brand_id and row.customer_id == wanted.customer_id
        if row is None or not mine or row.state != "ok":
            raise Conflict("method_gone", "This saved payment method is no longer there. Choose another.")
        return row

    async def _saved(self, session: AsyncSession, customer_id: UUID | None) -> Sequence[SavedMethod]:
        if customer_id is None:
            return []
        query = (
            select(SavedMethod)
            .join(Connection, col(Connection.id) == col(SavedMethod.connection_id))
            .where(
                col(SavedMethod.customer_id) == customer_id,
                col(SavedMethod.state) == "ok",
                col(Connection.state) == "ok",
                proved(),
            )
            .order_by(col(SavedMethod.id).desc())
        )
        return (await session.exec(query)).all()

    async def _asked(self, session: AsyncSession, order_id: UUID, *, lock: bool = False) -> Payment | None:
        query = select(Payment).where(
            col(Payment.order_id) == order_id, col(Payment.state) == "action_required"
        )
        return (await session.exec(query.with_for_update() if lock else query)).first()


def proved() -> ColumnElement[bool]:
    """A card that a guest had kept is nobody's until somebody signs in with the guest's own address.

    Whoever types another's address into a shop counts as one person with them, as long as its owner has never
    signed in; a share in what that address paid with is not to be had by typing.
    """
    node = select(Identity.id).where(
        col(Identity.id) == col(SavedMethod.identity_id),
        or_(col(Identity.verified_at).is_not(None), col(Identity.kind) == "account"),
    )
    return or_(col(SavedMethod.identity_id).is_(None), node.exists())
