"""Orders that wait for a person. Their goods stay reserved, and no bank is asked before somebody approves.

A decision may be taken back for some seconds; then a sweep carries it out. Everything is a row, so that a
process that dies in between changes nothing: the next sweep goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Member
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import Conflict, HubError, NotFound
from hub.mail.letters import Letter
from hub.mail.service import Mailroom
from hub.orders import letters as order_letters
from hub.orders.models import Order, OrderLine
from hub.orders.outcomes import GiveBack, Outcomes
from hub.orders.service import Orders
from hub.orders.timeline import note
from hub.payments.out import PaymentChoice, keeping
from hub.payments.service import Payments
from hub.risk import letters
from hub.risk.models import RiskReview, RiskScore, RiskTerms
from hub.secrets import Vault
from hub.stock.service import StockRoom

log = structlog.get_logger()

UNDO: Final = timedelta(seconds=8)
"""So long a decision may be taken back."""
MARGIN: Final = timedelta(minutes=5)
"""So much longer than the review its goods stay reserved: the rule is carried out first."""
TO_PAY: Final = timedelta(minutes=10)
"""So long the buyer of an approved order may take with their bank, or try another card."""
CHECKING: Final = "Reserved for you. We are checking this order. Nothing is charged before that."
APPROVED: Final = "Reserved for you. The shop has checked your order; confirming the payment …"
REFUSED: Final = "The shop could not accept this order. Nothing was charged."
ACTS: Final = {"approve": "approving", "refuse": "refusing"}
TOLD: Final = ("owner", "producer")
"""Members who are written to."""

DUE: Final = text(
    """
    SELECT risk_review.order_id FROM risk_review JOIN orders ON orders.id = risk_review.order_id
    WHERE risk_review.state IN ('open', 'approving', 'refusing') AND (
        orders.state <> 'review' OR risk_review.acts_at <= :now
        OR (risk_review.state = 'open' AND risk_review.due_at <= :now))
    ORDER BY risk_review.due_at LIMIT 200
    """
)

Verdict = Literal["approve", "refuse"]


class Reviews:
    """The review queue."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        *,
        orders: Orders,
        stock: StockRoom,
        payments: Payments,
        outcomes: Outcomes,
        mail: Mailroom,
        give_back: GiveBack,
        site: str,
        link_of: Callable[[Order], str],
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._orders = orders
        self._stock = stock
        self._payments = payments
        self._outcomes = outcomes
        self._mail = mail
        self._give_back = give_back
        self._site = site
        self._link_of = link_of

    async def open(
        self, session: AsyncSession, order: Order, choice: PaymentChoice, terms: RiskTerms
    ) -> None:
        """Hold a fresh order back: its goods stay reserved until a person, or the rule, has decided."""
        now = self._clock()
        due_at = now + timedelta(minutes=terms.review_minutes)
        sealed = self._vault.seal(json.dumps(asdict(keeping(choice, order)), default=str))
        first = await self._waiting(session, order.brand_id) == 0
        session.add(
            RiskReview(
                order_id=order.id,
                brand_id=order.brand_id,
                choice_sealed=sealed,
                due_at=due_at,
                created_at=now,
            )
        )
        order.state, order.message, order.updated_at = "review", CHECKING, now
        await session.flush()
        if not await self._stock.keep(session, order.id, due_at + MARGIN):
            raise Conflict("hold_over", "Your reservation has ended. Nothing was charged. Buy again.")
        minutes = terms.review_minutes
        await note(session, order, "review.asked", f"Held for review, for {minutes} minutes at most.")
        if first:
            # One letter calls somebody to the queue; a storm of them would not be read.
            score = await session.get(RiskScore, order.id)
            why = "\n".join(one["sentence"] for one in score.reasons if one["points"] > 0) if score else ""
            await self._tell_staff(
                session, order, "review.asked", lambda facts: letters.asked(facts, due_at, why, self._site)
            )

    async def decide(
        self, session: AsyncSession, brand_id: UUID, order_id: UUID, verdict: Verdict, author: str
    ) -> RiskReview:
        """A person's word; the same word again changes nothing. Conflict `decided` when it is too late."""
        review, order = await self._locked(session, brand_id, order_id)
        state = ACTS[verdict]
        if review.state == state:
            return review
        if review.state not in ("open", *ACTS.values()) or order.state != "review":
            raise Conflict("decided", "This order has been decided already. Load the list again.")
        review.state, review.author, review.acts_at = state, author, self._clock() + UNDO
        words = "Approved" if verdict == "approve" else "Refused"
        await note(session, order, f"review.{verdict}", f"{words} after a look at it.", author)
        return review

    async def undo(self, session: AsyncSession, brand_id: UUID, order_id: UUID, author: str) -> RiskReview:
        """Take a decision back while it has not been carried out."""
        review, order = await self._locked(session, brand_id, order_id)
        if review.state == "open":
            return review
        if review.state not in ACTS.values():
            raise Conflict("decided", "Too late to take it back: it has been carried out.")
        review.state, review.author, review.acts_at = "open", None, None
        await note(session, order, "review.undone", "The decision was taken back.", author)
        return review

    async def sweep(self) -> int:
        """Carry out what is decided, by a person or by time. Repeatable; how many there were."""
        async with self._db.session() as session:
            due = [row.order_id for row in (await run(session, DUE, {"now": self._clock()})).all()]
        for order_id in due:
            try:
                await self._carry_out(order_id)
            except HubError as error:
                # The next tick tries again; the others must not wait for this one.
                log.warning("review.stuck", order=str(order_id), reason=error.detail)
        return len(due)

    async def _carry_out(self, order_id: UUID) -> None:
        async with self._db.session() as session:
            query = select(RiskReview).where(col(RiskReview.order_id) == order_id)
            review = (await session.exec(query.with_for_update(skip_locked=True))).first()
            if review is None or review.state not in ("open", *ACTS.values()):
                return
            order = await self._order(session, order_id)
            if order.state != "review":
                await self._close(session, review, "closed")
                return
            verdict = await self._verdict(session, review, order)
            if verdict == "approve":
                await self._approve(session, review, order)
            elif verdict == "refuse":
                await self._refuse(session, review, order)

    async def _verdict(self, session: AsyncSession, review: RiskReview, order: Order) -> str | None:
        """What is to be done now; None: it was taken back in the meantime."""
        now = self._clock()
        if review.acts_at and review.acts_at <= now:
            return "approve" if review.state == "approving" else "refuse"
        if review.state != "open" or review.due_at > now:
            return None
        terms = await session.get(RiskTerms, review.brand_id) or RiskTerms(brand_id=review.brand_id)
        approved = terms.unreviewed == "approve"
        done = "approved by the shop's rule" if approved else "refused"
        await note(session, order, "review.lapsed", f"Nobody looked at it in time; {done}.")
        log.warning("review.lapsed", order=str(order.id), approved=approved)
        await self._tell_staff(
            session, order, "review.lapsed", lambda facts: letters.lapsed(facts, approved, self._site)
        )
        return terms.unreviewed

    async def _approve(self, session: AsyncSession, review: RiskReview, order: Order) -> None:
        choice = self._choice(review)
        await self._close(session, review, "approved")
        order.state, order.message, order.updated_at = "authorising", APPROVED, self._clock()
        await self._stock.keep(session, order.id, self._clock() + TO_PAY)
        try:
            await self._payments.begin(session, order, choice)
        except Conflict as error:
            # No gateway, or a card that is gone: the buyer may choose another while it is reserved.
            await self._outcomes.settled(session, order.id, "failed", error.detail)
            return
        await self._orders.tell(session, order, placed=False, changed=True)

    async def _refuse(self, session: AsyncSession, review: RiskReview, order: Order) -> None:
        await self._close(session, review, "refused")
        order.state, order.message, order.updated_at = "cancelled", REFUSED, self._clock()
        await self._stock.release_order(session, order.id)
        lines = update(OrderLine).where(col(OrderLine.order_id) == order.id)
        await session.exec(lines.values(state="released"))
        await self._give_back(session, order.id)
        await note(session, order, "cancelled", "Refused in review: goods released, nothing charged.")
        if order.buyer_email_sealed:
            facts = await order_letters.facts_of(session, order, self._link_of(order))
            to = self._vault.open(order.buyer_email_sealed)
            await self._post(session, order, to, letters.refused(facts), "review.refused", "buyer")
        await self._orders.tell(session, order, placed=False, changed=True)

    async def _close(self, session: AsyncSession, review: RiskReview, state: str) -> None:
        review.state, review.acts_at, review.choice_sealed = state, None, None
        review.decided_at = self._clock()
        await session.flush()

    def _choice(self, review: RiskReview) -> PaymentChoice:
        found = json.loads(self._vault.open(review.choice_sealed or b""))
        for name in ("saved_method_id", "customer_id"):
            found[name] = UUID(found[name]) if found[name] else None
        return PaymentChoice(**found)

    async def _locked(
        self, session: AsyncSession, brand_id: UUID, order_id: UUID
    ) -> tuple[RiskReview, Order]:
        query = select(RiskReview).where(
            col(RiskReview.order_id) == order_id, col(RiskReview.brand_id) == brand_id
        )
        review = (await session.exec(query.with_for_update())).first()
        if review is None:
            raise NotFound("review_unknown", "There is no such order to review.")
        return review, await self._order(session, order_id)

    async def _order(self, session: AsyncSession, order_id: UUID) -> Order:
        query = select(Order).where(col(Order.id) == order_id).with_for_update()
        return (await session.exec(query.execution_options(populate_existing=True))).one()

    async def _waiting(self, session: AsyncSession, brand_id: UUID) -> int:
        query = select(RiskReview.order_id).where(
            col(RiskReview.brand_id) == brand_id, col(RiskReview.state) == "open"
        )
        return len((await session.exec(query.limit(1))).all())

    async def _tell_staff(
        self,
        session: AsyncSession,
        order: Order,
        kind: str,
        letter_of: Callable[[order_letters.Facts], Letter],
    ) -> None:
        facts = await order_letters.facts_of(session, order, self._link_of(order))
        members = select(Member).where(col(Member.brand_id) == order.brand_id, col(Member.role).in_(TOLD))
        for member in (await session.exec(members)).all():
            await self._post(session, order, member.email, letter_of(facts), kind, str(member.id))

    async def _post(
        self, session: AsyncSession, order: Order, to: str, letter: Letter, kind: str, whom: str
    ) -> None:
        key = f"{kind}:{order.id}:{whom}"
        await self._mail.queue(session, order.brand_id, to, letter, kind=kind, ref=str(order.id), key=key)
