"""The payment of an order: authorise, commit the stock, capture; or let go of the money.

Each step is a job that may run twice: the key goes with every call, the state guards every change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import PaymentGateway
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Money, PaymentRequest, PaymentResult
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database
from hub.errors import Conflict, NotFound
from hub.jobs import defer
from hub.payments.models import Payment
from hub.secrets import Vault
from hub.stock.service import StockRoom

log = structlog.get_logger()

Settle = Callable[[AsyncSession, UUID, str, str], Awaitable[None]]
"""(session, order id, state, message): tells the order what became of its payment."""

DECLINED = "The payment was declined{why}. Nothing was charged. Try another card."
NEEDS_PERSON = "Your bank wants to confirm this payment, which this shop cannot do yet. Nothing was charged."
TOO_LATE = "Your reservation ended before the payment was confirmed, and it is sold out. Nothing was charged."
UNDECIDED = ("queued", "authorising")
"""States in which nobody knows yet whether there will be money."""
NO_GATEWAY = "The shop's payment account has a problem. Nothing was charged. Please try again later."


@dataclass(frozen=True)
class GatewayChoice:
    """The account that takes a brand's money."""

    connection_id: UUID
    connector: str
    test: bool


class Payments:
    """Runs payments through whichever gateway the brand linked."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, connections: Connections, stock: StockRoom
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._connections = connections
        self._stock = stock

    async def choose(self, session: AsyncSession, brand_id: UUID) -> GatewayChoice:
        """The brand's gateway; Conflict when none is linked."""
        for row in await self._connections.list(session, brand_id):
            connector = self._connections.connector(row.connector)
            if connector.payments and row.state == "ok":
                test = bool(getattr(self._connections.config_of(row), "test_mode", False))
                return GatewayChoice(row.id, row.connector, test)
        raise Conflict("no_gateway", "This shop has no payment account linked yet.")

    async def authorise(self, payment_id: UUID, settle: Settle) -> None:
        """Hold the money, then commit the stock. RetryLater passes through to the job's retry rule."""
        payment = await self._begin(payment_id)
        if payment is None:
            return
        request = PaymentRequest(
            amount=Money(amount=payment.amount_minor, currency=payment.currency),
            source=self._vault.open(payment.source_sealed),
            order_id=str(payment.order_id),
            hold_id=str(payment.hold_id),
        )
        try:
            async with self._gateway(payment) as gateway:
                result = await gateway.authorise(request, key=f"{payment.key}:authorise")
        except (Refused, Reconnect, NotFound) as error:
            if isinstance(error, Reconnect) and payment.attempts > 1:
                # An earlier attempt may have gone through: "nothing was charged" would be a guess.
                raise
            log.error("payment.not_taken", payment=str(payment.id), reason=str(error))
            await self._fail(payment_id, "declined", NO_GATEWAY, settle)
            return
        await self._authorised(payment_id, result, settle)

    async def capture(self, payment_id: UUID, settle: Settle) -> None:
        """Take the money of a committed order."""
        payment = await self._load(payment_id)
        if payment.state != "authorised" or payment.ref is None:
            return
        amount = Money(amount=payment.amount_minor, currency=payment.currency)
        async with self._gateway(payment) as gateway:
            result = await gateway.capture(payment.ref, amount, key=f"{payment.key}:capture")
        if result.state not in ("captured", "pending"):
            await self._fail(payment_id, "declined", DECLINED.format(why=""), settle, committed=True)
            return
        async with self._db.session() as session:
            if await self._set(session, payment_id, "captured", result, only=("authorised",)):
                await settle(session, payment.order_id, "paid", "Paid. Thank you!")

    async def void(self, payment_id: UUID) -> None:
        """Let go of money held for nothing; money that was taken meanwhile is given back."""
        payment = await self._load(payment_id)
        if payment.ref is None or payment.state in ("voided", "captured", "refunded"):
            return
        async with self._gateway(payment) as gateway:
            result = await gateway.void(payment.ref, key=f"{payment.key}:void")
            if result.state == "captured":
                amount = Money(amount=payment.amount_minor, currency=payment.currency)
                result = await gateway.refund(payment.ref, amount, key=f"{payment.key}:refund")
        async with self._db.session() as session:
            state = "voided" if result.state == "voided" else "refunded"
            await self._set(session, payment_id, state, result)

    async def heard(self, session: AsyncSession, connection: Connection, result: PaymentResult) -> None:
        """The gateway's webhook: a word on a payment whose answer we may have missed."""
        query = select(Payment).where(
            col(Payment.brand_id) == connection.brand_id, col(Payment.ref) == result.ref
        )
        payment = (await session.exec(query)).first()
        if payment is None and result.order_id:
            try:
                order_id = UUID(result.order_id)
            except ValueError:
                return
            by_order = select(Payment).where(
                col(Payment.brand_id) == connection.brand_id, col(Payment.order_id) == order_id
            )
            payment = (await session.exec(by_order)).first()
        if payment and payment.state in UNDECIDED:
            # Ask again with the same key: the answer that got lost comes back.
            key = f"payment.authorise:{payment.id}"
            lock = lock_of(payment.id)
            await defer(session, "payment.authorise", key=key, lock=lock, payment_id=str(payment.id))

    async def _begin(self, payment_id: UUID) -> Payment | None:
        async with self._db.session() as session:
            query = select(Payment).where(col(Payment.id) == payment_id).with_for_update()
            payment = (await session.exec(query)).one()
            if payment.state not in UNDECIDED:
                return None
            payment.state, payment.updated_at = "authorising", self._clock()
            payment.attempts += 1
            return payment

    async def _authorised(self, payment_id: UUID, result: PaymentResult, settle: Settle) -> None:
        if result.state == "pending":
            raise RetryLater("The payment is still being worked on.", 2.0)
        if result.state == "action_required":
            await self._fail(payment_id, "action_required", NEEDS_PERSON, settle, result=result)
            return
        if result.state not in ("authorised", "captured"):
            why = f" ({result.message})" if result.message else ""
            await self._fail(payment_id, "declined", DECLINED.format(why=why), settle)
            return
        async with self._db.session() as session:
            payment = await self._set(session, payment_id, "authorised", result, only=UNDECIDED)
            if payment is None:
                return
            if await self._stock.commit_hold(session, payment.hold_id):
                await self._queue(session, "payment.capture", payment_id)
            else:
                await settle(session, payment.order_id, "expired", TOO_LATE)
                await self._queue(session, "payment.void", payment_id)

    async def _fail(
        self,
        payment_id: UUID,
        state: str,
        message: str,
        settle: Settle,
        *,
        committed: bool = False,
        result: PaymentResult | None = None,
    ) -> None:
        """No money: the payment, the order and what must be let go of, in one transaction."""
        async with self._db.session() as session:
            only = ("authorised",) if committed else UNDECIDED
            payment = await self._set(session, payment_id, state, result, only=only)
            if payment is None:
                return
            payment.message = message
            if committed:
                await self._stock.give_back(session, "hold", payment.hold_id)
            if state == "action_required":
                await self._queue(session, "payment.void", payment_id)
            await settle(session, payment.order_id, "failed", message)

    async def _set(
        self,
        session: AsyncSession,
        payment_id: UUID,
        state: str,
        result: PaymentResult | None,
        only: tuple[str, ...] | None = None,
    ) -> Payment | None:
        """The payment in its new state, locked; None when it is in none of the states of `only`."""
        query = select(Payment).where(col(Payment.id) == payment_id).with_for_update()
        payment = (await session.exec(query)).one()
        if only is not None and payment.state not in only:
            return None
        payment.state, payment.updated_at = state, self._clock()
        if result:
            payment.ref, payment.message = result.ref or payment.ref, result.message
        return payment

    async def _queue(self, session: AsyncSession, task: str, payment_id: UUID) -> None:
        await defer(session, task, lock=lock_of(payment_id), payment_id=str(payment_id))

    async def _load(self, payment_id: UUID) -> Payment:
        async with self._db.session() as session:
            return (await session.exec(select(Payment).where(col(Payment.id) == payment_id))).one()

    @asynccontextmanager
    async def _gateway(self, payment: Payment) -> AsyncIterator[PaymentGateway]:
        async with self._connections.use(payment.connection_id) as opened:
            if opened.connector.payments is None:
                raise Refused(f"{opened.connector.title} takes no payments.")
            yield opened.connector.payments(opened.session)


def lock_of(payment_id: UUID) -> str:
    """Jobs about one payment run one after another: its webhook often overtakes the gateway's answer."""
    return f"payment:{payment_id}"
