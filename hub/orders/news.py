"""What the studio hears of a show's sales."""

from __future__ import annotations

from collections.abc import Set
from uuid import UUID

from sqlmodel import col, select

from hub.auth.models import Brand
from hub.bus import Event
from hub.db import Database, announce
from hub.orders.numbers import sales
from hub.shows.models import Show


async def tell_sales(db: Database, shows: Set[UUID]) -> None:
    """The newest numbers of these shows."""
    query = (
        select(Show.id, Brand.currency)
        .join(Brand, col(Brand.id) == col(Show.brand_id))
        .where(col(Show.id).in_(shows))
    )
    async with db.session() as session:
        for show_id, currency in (await session.exec(query)).all():
            data = (await sales(session, show_id, currency)).model_dump(mode="json")
            announce(
                session,
                Event(show_id=show_id, kind="sales.changed", audience="staff", latest="", data=data),
            )
