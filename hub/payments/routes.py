"""The studio's page of payments: gateways in their order, and what needs a person."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.auth.guard import Hub, SignedIn
from hub.payments.desk import GatewayOut, TroubleOut

router = APIRouter(prefix="/api/v1/payments", tags=["payments"])


class OrderOfUse(BaseModel):
    """All gateways, the one to try first first."""

    connection_ids: Annotated[list[UUID], Field(max_length=50)]


class Budget(BaseModel):
    """Milliseconds an authorisation may take; null: the gateway's usual time."""

    budget_ms: int | None


@router.get("/gateways")
async def gateways(staff: SignedIn, hub: Hub) -> list[GatewayOut]:
    """In the order in which new payments try them, with the last day's speed."""
    async with hub.db.session() as session:
        return await hub.payments.desk.gateways(session, staff.brand_id)


@router.put("/gateways")
async def arrange(body: OrderOfUse, staff: SignedIn, hub: Hub) -> list[GatewayOut]:
    """Put them in order. Payments under way stay where they are."""
    async with hub.db.session() as session:
        await hub.payments.desk.arrange(session, staff.brand_id, body.connection_ids)
        return await hub.payments.desk.gateways(session, staff.brand_id)


@router.patch("/gateways/{connection_id}")
async def allow(connection_id: UUID, body: Budget, staff: SignedIn, hub: Hub) -> list[GatewayOut]:
    """Set how long one may take before new payments try another first."""
    async with hub.db.session() as session:
        await hub.payments.desk.allow(session, staff.brand_id, connection_id, body.budget_ms)
        return await hub.payments.desk.gateways(session, staff.brand_id)


@router.get("/troubles")
async def troubles(staff: SignedIn, hub: Hub) -> list[TroubleOut]:
    """Payments that need a person."""
    async with hub.db.session() as session:
        return await hub.payments.desk.troubles(session, staff.brand_id)


@router.post("/{payment_id}/again", status_code=202)
async def again(payment_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Ask the gateway now what became of it."""
    async with hub.db.session() as session:
        await hub.payments.desk.again(session, staff.brand_id, payment_id)


@router.post("/{payment_id}/seen", status_code=204)
async def seen(payment_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """It was looked after; take it off the list."""
    async with hub.db.session() as session:
        await hub.payments.desk.seen(session, staff.brand_id, payment_id)
