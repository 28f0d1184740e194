"""The linked shops over HTTP: how they are doing, and where their numbers drifted from ours."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from hub.auth.guard import Hub, SignedIn
from hub.orders.drift import DriftOut, ShopOut

router = APIRouter(prefix="/api/v1/shops", tags=["shops"])


@router.get("")
async def shops(staff: SignedIn, hub: Hub) -> list[ShopOut]:
    """Every linked shop: when it last told us something, when it was last read, what it does not take."""
    async with hub.db.session() as session:
        return await hub.drifts.shops(session, staff.brand_id)


@router.get("/drift")
async def drift(staff: SignedIn, hub: Hub) -> list[DriftOut]:
    """Numbers that were wrong in a shop: those that still are, then those that were put right."""
    async with hub.db.session() as session:
        return await hub.drifts.report(session, staff.brand_id)


@router.post("/{connection_id}/check", status_code=202)
async def check(connection_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Read orders and numbers of this shop now, and see that it still tells us by itself."""
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
        await hub.drifts.queue(session, row.id)
        await hub.watches.queue(session, row)
