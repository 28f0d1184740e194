"""How people came: touches, and the visits they are part of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.db import run
from hub.links.models import LinkClick, TrackedLink
from hub.links.tags import UTM
from hub.orders.models import Order
from hub.public.pace import Quota
from hub.shows.models import Show
from hub.visits.channels import group_of
from hub.visits.coming import Coming, coming_by
from hub.visits.models import Touch, Visit
from hub.visits.passes import Passes
from hub.visits.stays import alone, attend, stay

Kind = Literal["coupon", "claim", "order", "chat"]
"""What else than a visit makes a touch."""


MOST_ASKED: Final = 60
"""Of one viewer in a minute; a page says how it was opened, and then something every five minutes."""


class Visits:
    """Records touches and visits. `passes` carries visitors to the brand's own shop and back.

    `quota`: how often one viewer may write something down here.
    """

    def __init__(self, clock: Clock, passes: Passes) -> None:
        self._clock = clock
        self.passes = passes
        self.quota = Quota(clock, MOST_ASKED, 60.0, "That was very often. Try again in a moment.")

    async def visit(
        self,
        session: AsyncSession,
        show: Show,
        visitor_id: str,
        landing: str,
        referrer: str | None = None,
    ) -> Touch | None:
        """Record an arrival: a direct one once per visitor and show, the same tags once in a visit.

        `landing` and `referrer`: full addresses, as the page knows them. Repeatable.
        """
        await alone(session, visitor_id)
        own = {self.passes.site_host, *await self.passes.hosts(session, show.brand_id)}
        came = coming_by(landing, referrer, own)
        carried = None
        if came.carried:
            carried = await self.passes.read(session, show.brand_id, came.carried, self.passes.site_host)
        last = await self._last(session, show, visitor_id)
        visit = await stay(
            *(session, show.brand_id, visitor_id),
            now=self._clock(),
            came=came,
            show_id=show.id,
            views=1,
            carried=carried,
        )
        if last and came.direct:
            return None
        touch = Touch(
            brand_id=show.brand_id,
            show_id=show.id,
            visitor_id=visitor_id,
            **said_by(came),
            visit_id=visit.id,
            at=self._clock(),
        )
        await self._trace(session, touch, came)
        if last and same(last, touch, came):
            return None
        session.add(touch)
        await session.flush()
        return touch

    async def visit_by_order(self, session: AsyncSession, order: Order) -> None:
        """A platform's order brings its own visit: the landing page's tags, or the platform itself."""
        came = coming_by(order.landing_url or "", None, ())
        if came.direct:
            came = Coming(utm={"utm_source": order.channel, "utm_medium": "marketplace"})
        touch = Touch(
            brand_id=order.brand_id,
            show_id=order.show_id,
            visitor_id=f"order:{order.id}",
            customer_id=order.customer_id,
            identity_id=order.identity_id,
            kind="order",
            source_id=order.id,
            **said_by(came),
            at=order.placed_at,
        )
        await self._trace(session, touch, came)
        await self._once(session, touch)

    async def note_touch(
        self,
        session: AsyncSession,
        brand_id: UUID,
        *,
        kind: Kind,
        source_id: UUID,
        visitor_id: str | None = None,
        customer_id: UUID | None = None,
        identity_id: UUID | None = None,
        show_id: UUID | None = None,
        utm: Mapping[str, str] | None = None,
        link_id: UUID | None = None,
        host: str | None = None,
        at: datetime | None = None,
    ) -> Touch | None:
        """A coupon, claim, order or message of somebody. One touch for each `source_id`; None if it was.

        `source_id` is the row it was made from, `identity_id` the node that names them. `utm`: what it stands
        for, e.g. the platform as `utm_source` and `social` as `utm_medium`. In a browser (`visitor_id`) it is
        a key event of the visit under way.
        """
        tags: dict[str, Any] = {name: value for name, value in (utm or {}).items() if name in UTM and value}
        touch = Touch(
            brand_id=brand_id,
            show_id=show_id,
            visitor_id=visitor_id or f"{kind}:{source_id}",
            customer_id=customer_id,
            identity_id=identity_id,
            link_id=link_id,
            host=host,
            **tags,
            channel_group=group_of(tags.get("utm_source"), tags.get("utm_medium"), tags.get("utm_campaign")),
            kind=kind,
            source_id=source_id,
            at=at or self._clock(),
        )
        if visitor_id is not None:
            visit = await self.seen(session, brand_id, visitor_id, show_id=show_id, key_event=True)
            touch.visit_id = visit.id
        return touch if await self._once(session, touch) else None

    async def seen(
        self,
        session: AsyncSession,
        brand_id: UUID,
        visitor_id: str,
        *,
        show_id: UUID | None = None,
        seconds: int = 0,
        key_event: bool = False,
    ) -> Visit:
        """A sign of life: the visit goes on, or another begins after half an hour of silence.

        `seconds` that the page was in front since the last sign; `key_event`: something that counts was done.
        """
        await alone(session, visitor_id)
        visit = await stay(
            *(session, brand_id, visitor_id), now=self._clock(), came=Coming(), show_id=show_id
        )
        attend(visit, seconds=seconds, key_event=key_event)
        await session.flush()
        return visit

    async def _last(self, session: AsyncSession, show: Show, visitor_id: str) -> Touch | None:
        query = (
            select(Touch)
            .where(
                col(Touch.visitor_id) == visitor_id, col(Touch.show_id) == show.id, col(Touch.kind) == "visit"
            )
            .order_by(col(Touch.at).desc(), col(Touch.id).desc())
            .limit(1)
        )
        return (await session.exec(query)).first()

    async def _trace(self, session: AsyncSession, touch: Touch, came: Coming) -> None:
        """Find the tracked link and the click in it; an address may name any, only the brand's own count."""
        if came.click:
            click = await session.get(LinkClick, came.click)
            if click and click.brand_id == touch.brand_id:
                touch.click_id = click.id
        if came.link is None:
            return
        query = select(TrackedLink).where(
            col(TrackedLink.code) == came.link, col(TrackedLink.brand_id) == touch.brand_id
        )
        link = (await session.exec(query)).first()
        if link and link.show_id in (None, touch.show_id):
            touch.link_id, touch.host = link.id, link.host

    async def _once(self, session: AsyncSession, touch: Touch) -> bool:
        """Store it unless one was made from the same row."""
        row = {column.name: getattr(touch, column.name) for column in Touch.__table__.columns}  # type: ignore[attr-defined]  # SQLModel hides it
        row = {name: value for name, value in row.items() if value is not None}
        made = await run(session, insert(Touch).values(row).on_conflict_do_nothing())
        return bool(made.rowcount)


def said_by(came: Coming) -> dict[str, Any]:
    """The columns of a touch that say how somebody came."""
    return {
        **came.utm,
        "click_ids": came.click_ids,
        "referrer_host": came.referrer_host,
        "channel_group": came.group,
        "landing": came.landing,
    }


def same(last: Touch, touch: Touch, came: Coming) -> bool:
    """Whether it is the last arrival once more: a reload, or the same click in a tab that was kept open.

    Who follows the same link again another day has come again: windows of time begin anew.
    """
    tags = all(getattr(last, name) == value for name, value in came.utm.items())
    alike = tags and last.link_id == touch.link_id and (came.utm or last.click_ids == came.click_ids)
    return bool(alike) and (
        last.visit_id == touch.visit_id or (touch.click_id is not None and touch.click_id == last.click_id)
    )
