"""What open watch pages hear of a product that was edited: all that they show of it, so none has to ask."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Event
from hub.catalog.public import public_of
from hub.catalog.service import Catalog
from hub.db import announce, run

SHOWING: Final = text(
    """
    SELECT show.id FROM show_product JOIN show ON show.id = show_product.show_id
    WHERE show_product.product_id = :product AND show.state <> 'ended'
    """
)


async def tell_changed(session: AsyncSession, catalog: Catalog, brand_id: UUID, product_id: UUID) -> None:
    """`product.changed` to every show that sells it: as it is now, null when it is off sale."""
    shows = [row.id for row in await run(session, SHOWING, {"product": product_id})]
    if not shows:
        return
    shown = public_of([await catalog.shelf(session, brand_id, product_id)])
    data = {
        "product_id": str(product_id),
        "product": shown[0].model_dump(mode="json", exclude={"highlighted"}) if shown else None,
    }
    for show_id in shows:
        announce(session, Event(show_id=show_id, kind="product.changed", latest=str(product_id), data=data))
