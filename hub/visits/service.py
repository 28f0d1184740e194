"""How people came: touches, from tagged addresses and from platforms' orders."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.customers.models import Customer
from hub.links.models import TrackedLink
from hub.links.tags import Tags, read_tags
from hub.orders.models import Order
from hub.shows.models import Show
from hub.visits.models import Touch


class Visits:
    """Records touches."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def visit(self, session: AsyncSession, show: Show, visitor_id: str, landing: str) -> Touch | None:
        """Record a visit: a direct one once per visitor and show, the same tags twice in a row once."""
        tags = read_tags(landing)
        query = (
            select(Touch)
            .where(col(Touch.visitor_id) == visitor_id, col(Touch.show_id) == show.id)
            .order_by(col(Touch.at).desc())
            .limit(1)
        )
        last = (await session.exec(query)).first()
        if last and (not tags or self._same(last, tags)):
            return None
        touch = self._touch(show.brand_id, show.id, visitor_id, tags)
        touch.landing = landing.partition("?")[0][:500]
        if tags.link:
            found = select(TrackedLink.id).where(
                col(TrackedLink.code) == tags.link, col(TrackedLink.show_id) == show.id
            )
            touch.link_id = (await session.exec(found)).first()
        session.add(touch)
        await session.flush()
        return touch

    async def visit_by_order(self, session: AsyncSession, order: Order, customer: Customer) -> None:
        """A platform's order brings its own visit: the landing page's tags, or the platform itself."""
        tags = read_tags(order.landing_url or "")
        if not tags:
            tags = Tags(utm={"utm_source": order.channel, "utm_medium": "marketplace"})
        touch = self._touch(order.brand_id, order.show_id, f"order:{order.id}", tags)
        touch.customer_id, touch.at = customer.id, order.placed_at
        session.add(touch)
        await session.flush()

    def _touch(self, brand_id: UUID, show_id: UUID | None, visitor_id: str, tags: Tags) -> Touch:
        now: datetime = self._clock()
        touch = Touch(
            brand_id=brand_id, show_id=show_id, visitor_id=visitor_id, click_ids=tags.click_ids, at=now
        )
        for name, value in tags.utm.items():
            setattr(touch, name, value)
        return touch

    def _same(self, touch: Touch, tags: Tags) -> bool:
        return all(getattr(touch, name) == value for name, value in tags.utm.items())
