"""What became of an order's money: the payment room reports here, and the buyer is told the truth.

    authorising ─▶ paid
         │ └────▶ failed ─▶ authorising (another card, while the reservation lives)
         └──────▶ expired (the reservation ended, and the stock was gone)

Every report may come twice and late: an order that was cancelled or given back stays so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.db import run
from hub.mail.letters import Letter
from hub.mail.service import Mailroom
from hub.orders import letters
from hub.orders.models import Order, OrderLine
from hub.orders.service import Orders
from hub.orders.timeline import note
from hub.payments.models import Refund
from hub.secrets import Vault
from hub.stock.service import StockRoom

FINAL: Final = frozenset({"cancelled", "refunded"})
LINE_STATES: Final = {"paid": "committed", "expired": "released"}
ASKED_BY_BANK: Final = "Reserved for you. Your bank wants you to confirm this payment."
BANK_TAKES: Final = timedelta(minutes=10)
"""How much longer a reservation lasts, once, while the buyer is at the bank."""

OF_PAID_CART: Final = text(
    """
    DELETE FROM cart_line USING hold
    WHERE hold.order_id = :order_id AND cart_line.viewer_id = hold.viewer_id
      AND cart_line.show_id = hold.show_id
      AND cart_line.variant_id = coalesce(hold.bundle_id, hold.variant_id)
    """
)
LAPSED: Final = text(
    """
    SELECT DISTINCT orders.id FROM order_line JOIN orders ON orders.id = order_line.order_id
    WHERE order_line.state = 'open' AND orders.state = 'failed' AND NOT EXISTS (
        SELECT FROM hold WHERE hold.id = order_line.hold_id AND hold.state IN ('held', 'committed'))
    ORDER BY orders.id LIMIT 200
    """
)
GIVEN_BACK: Final = text(
    "SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE order_id = :order_id AND state = 'done'"
)

GiveBack = Callable[[AsyncSession, UUID], Awaitable[None]]
"""Returns what an order used up of coupons."""


class Outcomes:
    """Keeps orders true to their money. `link_of` makes the address of an order's status page."""

    def __init__(
        self,
        clock: Clock,
        vault: Vault,
        orders: Orders,
        stock: StockRoom,
        *,
        mail: Mailroom,
        give_back: GiveBack,
        link_of: Callable[[Order], str],
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._orders = orders
        self._stock = stock
        self._mail = mail
        self._give_back = give_back
        self._link_of = link_of

    async def settled(self, session: AsyncSession, order_id: UUID, state: str, message: str) -> None:
        """The payment's outcome: paid, failed, expired, or authorising and review on the way there."""
        order = await self._locked(session, order_id)
        if order.state in FINAL or (order.state, order.message) == (state, message):
            return
        before = order.state
        order.state, order.message, order.updated_at = state, message, self._clock()
        await self._settle_lines(session, order, before)
        await note(session, order, f"payment.{state}", message)
        if state == "paid":
            await run(session, OF_PAID_CART, {"order_id": order.id})
            await self._write(session, order, "confirmation", letters.confirmation)
        elif state == "expired":
            await self._give_back(session, order.id)
            await self._write(session, order, "expired", letters.came_to_nothing)
        elif state == "failed" and before == "paid":
            await self._give_back(session, order.id)
        await self._orders.tell(session, order, placed=False, changed=True)

    async def action(self, session: AsyncSession, order_id: UUID) -> None:
        """The bank asks the buyer something: the page shows it, and the reservation lasts longer, once."""
        order = await self._locked(session, order_id)
        if order.state in FINAL or order.state == "paid" or order.message == ASKED_BY_BANK:
            return
        order.state, order.message, order.updated_at = "authorising", ASKED_BY_BANK, self._clock()
        await self._stock.extend(session, order.id, self._clock() + BANK_TAKES)
        await note(session, order, "payment.action", "The buyer's bank asked for a confirmation.")
        await self._orders.tell(session, order, placed=False, changed=True)

    async def refunded(self, session: AsyncSession, refund: Refund) -> None:
        """Money went back, or did not after all: the sum is reckoned anew, so that no report counts twice."""
        order = await self._locked(session, refund.order_id)
        total = (await run(session, GIVEN_BACK, {"order_id": order.id})).scalar_one()
        if total == order.refunded_minor:
            return
        order.refunded_minor, order.updated_at = total, self._clock()
        amount = letters.money(refund.amount_minor, order.currency)
        if refund.state == "done":
            await note(session, order, "refund.done", f"{amount} given back.", refund.author)
            key = f"order.refunded:{refund.id}"
            facts = await letters.facts_of(session, order, self._link_of(order))
            await self._post(session, order, "refund", key, letters.refunded(facts, refund.amount_minor))
        else:
            await note(session, order, "refund.failed", f"{amount} did not go back after all.")
        if order.captured_minor and total >= order.captured_minor and order.state == "paid":
            order.state, order.message = "refunded", "Your money is on its way back to you."
        elif order.state == "refunded" and total < order.captured_minor:
            order.state, order.message = "paid", "A refund did not go through. The shop looks after it."
        await session.flush()
        await self._orders.tell(session, order, placed=False, changed=True)

    async def let_go(self, session: AsyncSession) -> int:
        """A sweep: unpaid orders whose reservation is over let go of their lines and coupons."""
        rows = (await run(session, LAPSED)).all()
        for (order_id,) in rows:
            order = await self._locked(session, order_id)
            if order.state == "failed":
                await self._lines_are(session, order, "released")
                await self._give_back(session, order.id)
                await note(session, order, "reservation.over", "The reservation ended without a payment.")
        return len(rows)

    async def _locked(self, session: AsyncSession, order_id: UUID) -> Order:
        query = select(Order).where(col(Order.id) == order_id).with_for_update()
        return (await session.exec(query.execution_options(populate_existing=True))).one()

    async def _settle_lines(self, session: AsyncSession, order: Order, before: str) -> None:
        state = LINE_STATES.get(order.state)
        if order.state == "failed" and before == "paid":
            # The money did not come after all: the payment room has put the stock back.
            state = "released"
        if state:
            await self._lines_are(session, order, state)

    async def _lines_are(self, session: AsyncSession, order: Order, state: str) -> None:
        await session.exec(update(OrderLine).where(col(OrderLine.order_id) == order.id).values(state=state))

    async def _write(
        self, session: AsyncSession, order: Order, kind: str, letter_of: Callable[[letters.Facts], Letter]
    ) -> None:
        facts = await letters.facts_of(session, order, self._link_of(order))
        await self._post(session, order, kind, f"order.{kind}:{order.id}", letter_of(facts))

    async def _post(self, session: AsyncSession, order: Order, kind: str, key: str, letter: Letter) -> None:
        if order.buyer_email_sealed is None:
            return
        to = self._vault.open(order.buyer_email_sealed)
        await self._mail.queue(session, order.brand_id, to, letter, kind=kind, ref=str(order.id), key=key)
