"""The brand's customers over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from hub.auth.guard import Hub, SignedIn
from hub.db import run
from hub.privacy.masks import all_masked, sees_all

router = APIRouter(prefix="/api/v1", tags=["customers"])

LIST = text(
    """
    SELECT customer.id, customer.name, customer.created_at,
        (SELECT count(*) FROM orders WHERE customer_id = customer.id AND state = 'paid') AS orders,
        (SELECT coalesce(sum(total_minor), 0) FROM orders
         WHERE customer_id = customer.id AND state = 'paid') AS revenue_minor,
        (SELECT coalesce(array_agg(DISTINCT channel ORDER BY channel), '{}') FROM orders
         WHERE customer_id = customer.id) AS channels,
        (SELECT coalesce(json_agg(json_build_object('utm_source', utm_source, 'utm_campaign', utm_campaign,
            'at', at) ORDER BY at), '[]') FROM touch WHERE customer_id = customer.id) AS touches
    FROM customer WHERE customer.brand_id = :brand_id AND customer.merged_into IS NULL
        AND (EXISTS (SELECT FROM identity WHERE customer_id = customer.id AND met)
            OR EXISTS (SELECT FROM orders WHERE customer_id = customer.id))
    ORDER BY customer.created_at DESC LIMIT :limit
    """
)


class TouchOut(BaseModel):
    """One visit."""

    utm_source: str | None
    utm_campaign: str | None
    at: datetime


class CustomerOut(BaseModel):
    """A person, what they bought and where they came from. Addresses stay sealed.

    `revenue_minor` None: not for this member's eyes.
    """

    id: UUID
    name: str | None
    created_at: datetime
    orders: int
    revenue_minor: int | None
    channels: list[str]
    touches: list[TouchOut]


@router.get("/customers")
async def customers(staff: SignedIn, hub: Hub, limit: int = 500) -> list[CustomerOut]:
    """The newest customers."""
    values = {"brand_id": staff.brand_id, "limit": min(max(limit, 1), 1000)}
    async with hub.db.session() as session:
        rows = await run(session, LIST, values)
        found = [CustomerOut.model_validate(dict(row)) for row in rows.mappings()]
    if not sees_all(staff.role):
        for one in found:
            one.revenue_minor = None
    return all_masked(found, staff.role)
