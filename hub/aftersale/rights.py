"""What a buyer may do with an order, and the doing: the 24-hour cancel, the legal withdrawal, a return.

Each right has its own end and none waits for another: within the 24 hours all may stand open at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale import letters
from hub.aftersale.book import OWN, Opened
from hub.aftersale.deadlines import (
    LEGAL_DAYS,
    Deadline,
    cancel_until,
    deadline,
    has_legal_right,
    longest_stated,
)
from hub.aftersale.models import ReturnRequest
from hub.aftersale.money import RefundWish
from hub.aftersale.refunds import Refunds, Why
from hub.aftersale.returns import Asked, Returns, lines_of, pieces_of, whole
from hub.aftersale.terms import shop_terms_of, terms_of
from hub.auth.models import Brand
from hub.carts.models import ShippingMethod
from hub.clock import Clock
from hub.errors import BadInput, Conflict
from hub.mail.letters import Letter
from hub.mail.service import Mailroom
from hub.offers.service import Offers
from hub.orders.models import Order
from hub.orders.service import Orders
from hub.orders.timeline import note
from hub.payments.service import Payments
from hub.secrets import Vault
from hub.stock.service import StockRoom

UNPAID = ("reserved", "authorising", "review")
OVER = ("failed", "expired", "sold_out")
CANCELLED = "Cancelled, at no cost to you."
SENT = "Your order is on its way, so it can't be cancelled any more. You can still withdraw, or send it back."
NOT_PAID = "This order is not paid yet, so there is nothing to send back. You can cancel it."
SENT_STAFF = "This order is on its way. Refund it, or begin a return, in place of cancelling it."


@dataclass(frozen=True)
class Rights:
    """Until when what is possible; `withdrawal` is None where the buyer's law gives no such right."""

    cancel_until: datetime
    can_cancel: bool
    withdrawal: Deadline | None
    can_withdraw: bool
    returns: Deadline
    can_return: bool


class Buyers:
    """Acts for the buyer. Orders are handed in locked (`book.opened`)."""

    def __init__(
        self,
        clock: Clock,
        vault: Vault,
        orders: Orders,
        stock: StockRoom,
        *,
        payments: Payments,
        offers: Offers,
        refunds: Refunds,
        returns: Returns,
        mail: Mailroom,
        link_of: Callable[[Order], str],
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._orders = orders
        self._stock = stock
        self._payments = payments
        self._offers = offers
        self._refunds = refunds
        self._returns = returns
        self._mail = mail
        self._link_of = link_of

    async def rights(self, session: AsyncSession, book: Opened) -> Rights:
        """As they are now."""
        order, now = book.order, self._clock()
        mine = order.channel == OWN
        terms, shop = await terms_of(session, order.brand_id), await shop_terms_of(session, order.brand_id)
        longest = await self._longest(session, order) or terms.longest_delivery_days
        delivered = book.delivery.delivered_at if book.delivery else None

        def ends(days: int) -> Deadline:
            return deadline(
                order.country,
                days,
                placed_at=order.placed_at,
                delivered_at=delivered,
                longest_delivery_days=longest,
            )

        legal = ends(max(LEGAL_DAYS, shop.withdrawal_days)) if has_legal_right(order.country) else None
        returns, alive = ends(terms.return_days), order.state in (*UNPAID, "paid")
        some = any(book.returnable(line) for line in book.lines)
        return Rights(
            cancel_until=cancel_until(order.placed_at),
            can_cancel=mine and alive and not book.sent and now < cancel_until(order.placed_at),
            withdrawal=legal,
            can_withdraw=mine and alive and some and legal is not None and now < legal.until,
            returns=returns,
            can_return=mine and order.state == "paid" and some and now < returns.until,
        )

    async def cancel(self, session: AsyncSession, book: Opened, why: Why) -> Order:
        """One tap, all of it, no questions. Asked again, it is done already."""
        order = book.order
        if order.state == "cancelled":
            return order
        rights = await self.rights(session, book)
        self._check_alive(order)
        if book.sent:
            raise Conflict("already_sent", SENT_STAFF if why.author else SENT)
        if not rights.can_cancel and why.author is None:
            raise Conflict(
                "cancel_over", "The 24 hours to cancel are over.", until=rights.cancel_until.isoformat()
            )
        await self._close_open(session, book, why)
        request = await self._returns.ask(session, book, Asked("cancel", why, state="approved"))
        charged = await self._undo(session, book, request, why)
        if order.buyer_email_sealed:
            to, letter = self._vault.open(order.buyer_email_sealed), letters.cancelled
            await self._write(session, book, request, to, lambda case: letter(case, charged=charged))
        return order

    async def withdraw(
        self,
        session: AsyncSession,
        book: Opened,
        who: tuple[str, str],
        lines: Mapping[UUID, int] | None,
        why: Why,
    ) -> ReturnRequest:
        """The legal right: needs no reason and no approval. `who` is (name, where the proof is sent)."""
        order = book.order
        before = await self._returns.known(session, order.id, why.key)
        if before:
            return before
        never_sent = (await self.may_withdraw(session, book)).can_cancel
        if order.state in UNPAID:
            lines = None  # what is not paid yet can't be split
        all_of_it = whole(book, pieces_of(book, lines))
        request = await self._returns.ask(
            session, book, Asked("withdrawal", why, lines, note=who[0], state="approved")
        )
        if never_sent and all_of_it:
            await self._undo(session, book, request, why)
        elif never_sent:
            await self._returns.arrive_at_once(session, request, book, why)
            await self._returns.refund(session, request, book, why)
        await self._write(
            session,
            book,
            request,
            who[1],
            lambda case: letters.withdrawn(case, name=who[0], sent_back=not never_sent),
        )
        return request

    async def may_withdraw(self, session: AsyncSession, book: Opened) -> Rights:
        """The rights, with the one to withdraw among them; Conflict says why it is not."""
        rights = await self.rights(session, book)
        self._check_alive(book.order)
        if rights.withdrawal is None:
            raise Conflict(
                "no_right",
                "The law of your country gives no right to withdraw. You may still ask for a return.",
            )
        if not rights.can_withdraw:
            pieces_of(book, None)  # with nothing left, that is the reason
            until = rights.withdrawal.until
            raise Conflict(
                "withdrawal_over", "The time to withdraw from this contract is over.", until=until.isoformat()
            )
        return rights

    def email_of(self, order: Order) -> str:
        """Where the buyer of an order is written to."""
        if order.buyer_email_sealed is None:
            raise BadInput("email_missing", "Enter an e-mail address for the confirmation.")
        return self._vault.open(order.buyer_email_sealed)

    async def return_some(
        self, session: AsyncSession, book: Opened, asked: Asked, *, in_time: bool = True
    ) -> ReturnRequest:
        """Ask to send something back. Staff may do so for a buyer whose time is over (`in_time` False)."""
        before = await self._returns.known(session, book.order.id, asked.why.key)
        if before:
            return before
        rights = await self.rights(session, book)
        self._check_alive(book.order)
        if in_time and not rights.can_return:
            pieces_of(book, None)  # with nothing left, that is the reason
            if book.order.state != "paid":
                raise Conflict("not_paid", NOT_PAID)
            raise Conflict(
                "return_over", "The time to return this is over.", until=rights.returns.until.isoformat()
            )
        request = await self._returns.ask(session, book, asked)
        await self.tell(session, book, request)
        return request

    async def tell(self, session: AsyncSession, book: Opened, request: ReturnRequest) -> None:
        """Write to the buyer how their return stands."""
        if book.order.buyer_email_sealed and request.kind != "cancel":
            to = self._vault.open(book.order.buyer_email_sealed)
            await self._write(session, book, request, to, letters.returning)

    def _check_alive(self, order: Order) -> None:
        if order.channel != OWN:
            raise Conflict("elsewhere", "This order was placed on another platform. Go back to it there.")
        if order.state in OVER:
            raise Conflict("came_to_nothing", "This order came to nothing; nothing was charged for it.")
        if order.state in ("cancelled", "refunded"):
            raise Conflict("given_back", "All of this order has been given back already.")

    async def _undo(self, session: AsyncSession, book: Opened, request: ReturnRequest, why: Why) -> bool:
        """As if it had never been ordered: stock free, money back or let go of, coupon whole again.

        True when money had been taken.
        """
        order, unpaid = book.order, book.order.state in UNPAID
        if not any(book.restocked.values()):
            # All of it at once: the holds end, and the offers count these units as theirs to give again.
            await self._stock.release_order(session, order.id)
            for line in book.lines:
                line.state = "released"
        await self._returns.arrive_at_once(session, request, book, why)
        for line in book.lines:
            line.state = "released"
        order.state, order.message, order.updated_at = "cancelled", CANCELLED, self._clock()
        await session.flush()
        if unpaid:
            await self._payments.cancel(session, order.id)
        elif book.left_minor > 0:
            once = Why(f"return:{request.id}", why.reason or CANCELLED, why.author)
            wish = RefundWish(everything=True)
            refund = await self._refunds.give(session, book, wish, once, restock=False)
            request.refund_id = refund.id
        await self._offers.give_back(session, order.id)
        by = "by the shop" if why.author else "by the buyer"
        reason = f": {why.reason}" if why.reason else ""
        await note(session, order, "cancelled", f"Cancelled {by}{reason}", why.author)
        await self._orders.tell(session, order, placed=False, changed=True)
        return not unpaid and book.paid_minor > 0

    async def _close_open(self, session: AsyncSession, book: Opened, why: Why) -> None:
        """Returns that wait are part of the whole now."""
        query = select(ReturnRequest).where(
            col(ReturnRequest.order_id) == book.order.id,
            col(ReturnRequest.state).in_(("asked", "approved")),
        )
        for request in (await session.exec(query)).all():
            await self._returns.decide(session, request, book, "close", why)
            for row in await lines_of(session, request):
                book.on_return[row.order_line_id] -= row.quantity

    async def _longest(self, session: AsyncSession, order: Order) -> int | None:
        """The longest time that the way of delivery states, if it does."""
        query = select(ShippingMethod.days).where(
            col(ShippingMethod.brand_id) == order.brand_id,
            func.lower(col(ShippingMethod.title)) == order.shipping_method.lower(),
        )
        stated: Sequence[str] = (await session.exec(query)).all()
        return max((days for one in stated if (days := longest_stated(one)) is not None), default=None)

    async def _write(
        self,
        session: AsyncSession,
        book: Opened,
        request: ReturnRequest,
        to: str,
        letter_of: Callable[[letters.Case], Letter],
    ) -> None:
        order = book.order
        shop = (await session.exec(select(Brand.name).where(col(Brand.id) == order.brand_id))).one()
        of = {line.id: line for line in book.lines}
        pieces = [(row, of[row.order_line_id]) for row in await lines_of(session, request)]
        terms = await terms_of(session, order.brand_id)
        case = letters.Case(shop, order, request, pieces, terms, self._link_of(order))
        await self._mail.queue(
            session,
            order.brand_id,
            to,
            letter_of(case),
            kind=request.kind,
            ref=str(order.id),
            key=f"{request.kind}.{request.state}:{request.id}",
        )
