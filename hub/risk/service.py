"""What the checkout asks of this room: may this go on, and does a person have to look at it first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.carts.addresses import Address
from hub.clock import Clock
from hub.db import Database, run
from hub.orders.models import Order
from hub.orders.timeline import note
from hub.payments.out import PaymentChoice
from hub.risk import identity, signals
from hub.risk.models import RiskScore, RiskTerms, RiskTrace
from hub.risk.pace import Paces
from hub.risk.reviews import Reviews
from hub.risk.rules import judged
from hub.secrets import Vault

KEPT: Final = timedelta(days=30)
"""Traces are forgotten after that."""
FORGET: Final = text("DELETE FROM risk_trace WHERE at < :before")


class Risk:
    """Scores every order of our own checkout. `reviews`: those a person looks at."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, reviews: Reviews) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._paces = Paces(db, clock)
        self.reviews = reviews

    def who(
        self,
        order: tuple[UUID, str, str],
        visit: identity.Visit,
        payment: PaymentChoice,
        address: Address | None = None,
    ) -> identity.Who:
        """Who buys; `order` is (brand, viewer, e-mail)."""
        return identity.who(self._vault, *order, visit, payment, address)

    async def admit(self, who: identity.Who, key: str | None, holds: Sequence[UUID]) -> None:
        """A new order: SlowDown when this identity has had too many, or tries too many cards."""
        mark = key or ":".join(sorted(str(one) for one in holds))
        await self._paces.admit(who, mark, "declines", "buys", "cards")

    async def admit_again(self, order: Order, payment: PaymentChoice) -> None:
        """Another card for an order there is: SlowDown as above."""
        email = self._vault.open(order.buyer_email_sealed) if order.buyer_email_sealed else ""
        about = (order.brand_id, order.viewer_id or "", email)
        who = self.who(about, identity.Visit(ip=payment.ip), payment)
        await self._paces.admit(who, str(order.id), "declines", "cards")

    async def held(
        self, session: AsyncSession, order: Order, who: identity.Who, payment: PaymentChoice
    ) -> bool:
        """Score an order that was just written; True when a person looks before it is paid.

        Two statements read, whatever the shop's size; what is written goes with the order's own rows.
        """
        terms = await terms_of(session, order.brand_id)
        now = self._clock()
        score, reasons = judged(await signals.read(session, order, who, now), terms.rules)
        held = score >= terms.review_from and order.total_minor > 0
        told = [asdict(reason) for reason in reasons]
        session.add(
            RiskScore(
                order_id=order.id, brand_id=order.brand_id, score=score, reasons=told, held=held, at=now
            )
        )
        session.add_all(
            RiskTrace(order_id=order.id, kind=kind, brand_id=order.brand_id, value_hash=value, at=now)
            for kind, value in who.traces.items()
        )
        why = " ".join(reason.sentence for reason in reasons if reason.points > 0)
        await note(
            session, order, "risk.scored", f"Risk {score} of 100. {why or 'Nothing speaks against it.'}"
        )
        if held:
            await self.reviews.open(session, order, payment, terms)
        return held

    async def change(self, session: AsyncSession, brand_id: UUID, change: Mapping[str, Any]) -> RiskTerms:
        """Some of the brand's rules. `rules` and `paces` are merged: {id: {field: value}}."""
        made = insert(RiskTerms).values(RiskTerms(brand_id=brand_id).model_dump())
        await run(session, made.on_conflict_do_nothing(index_elements=["brand_id"]))
        query = select(RiskTerms).where(col(RiskTerms.brand_id) == brand_id).with_for_update()
        terms = (await session.exec(query.execution_options(populate_existing=True))).one()
        for name, value in change.items():
            merged = value
            if name in ("rules", "paces"):
                before: dict[str, dict[str, Any]] = getattr(terms, name)
                merged = before | {one: before.get(one, {}) | new for one, new in value.items()}
            setattr(terms, name, merged)
        terms.updated_at = self._clock()
        await session.flush()
        return terms

    async def score_of(self, session: AsyncSession, brand_id: UUID, order_id: UUID) -> RiskScore | None:
        """What an order scored; None for orders from elsewhere."""
        query = select(RiskScore).where(
            col(RiskScore.order_id) == order_id, col(RiskScore.brand_id) == brand_id
        )
        return (await session.exec(query)).first()

    async def forget(self) -> None:
        """A sweep: identities are not kept longer than they help."""
        async with self._db.session() as session:
            await run(session, FORGET, {"before": self._clock() - KEPT})
        await self._paces.forget()


async def terms_of(session: AsyncSession, brand_id: UUID) -> RiskTerms:
    """What holds for this brand."""
    return await session.get(RiskTerms, brand_id) or RiskTerms(brand_id=brand_id)
