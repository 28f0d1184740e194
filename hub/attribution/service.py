"""Which visit brought which order: tracked links out, touches in, first and last touch per order."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution.models import Touch, TrackedLink
from hub.attribution.tags import Tags, read_tags
from hub.clock import Clock
from hub.customers.models import Customer
from hub.orders.models import Order
from hub.shows.models import Show, ShowTarget


class Attribution:
    """Links and touches."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def make_link(self, session: AsyncSession, show: Show, target: ShowTarget) -> TrackedLink:
        """The link to put under the stream on one platform."""
        link = TrackedLink(
            brand_id=show.brand_id,
            show_id=show.id,
            target_id=target.id,
            code=secrets.token_urlsafe(6),
            utm_source=target.connector,
            utm_medium="social",
            utm_campaign=show.slug,
            utm_content="live",
        )
        session.add(link)
        return link

    async def links_of(self, session: AsyncSession, show_id: UUID) -> dict[UUID, str]:
        """The code of each target's link."""
        query = select(TrackedLink.target_id, TrackedLink.code).where(col(TrackedLink.show_id) == show_id)
        return {target: code for target, code in await session.exec(query) if target}

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

    async def credit(self, session: AsyncSession, order: Order) -> None:
        """Set the order's first and last touch among its customer's visits up to the order."""
        query = (
            select(Touch.id)
            .where(col(Touch.customer_id) == order.customer_id, col(Touch.at) <= order.placed_at)
            .order_by(col(Touch.at), col(Touch.id))
        )
        visits = (await session.exec(query)).all()
        if visits:
            order.first_touch_id, order.last_touch_id = visits[0], visits[-1]

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
