"""Stock for the brand's staff: overview, ledger, places, adjustments, and how a show shares it out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from hub.auth.guard import Hub, SignedIn
from hub.errors import BadInput
from hub.stock.ledger import EFFECTS, movements
from hub.stock.models import StockMovement, StockPlace
from hub.stock.overview import LOW_AT, StockRow, overview, set_low

router = APIRouter(prefix="/api/v1", tags=["stock"])

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class StockPage(BaseModel):
    """A page of the overview; `after` is where the next one begins, null at the end."""

    rows: list[StockRow]
    after: UUID | None
    low_at: int = LOW_AT


class MovementOut(BaseModel):
    """One row of the ledger, with what it did to the counters."""

    id: UUID
    at: datetime
    kind: str
    quantity: int
    on_hand: int
    held: int
    committed: int
    ref_type: str
    ref_id: str
    place_id: UUID | None
    author: str | None
    reason: str | None

    @classmethod
    def of(cls, row: StockMovement) -> MovementOut:
        """From the table."""
        on_hand, held, committed = (effect * row.quantity for effect in EFFECTS[row.kind])
        known = {"id", "kind", "quantity", "ref_type", "ref_id", "place_id", "author", "reason"}
        deltas = {"on_hand": on_hand, "held": held, "committed": committed}
        return cls(at=row.created_at, **deltas, **row.model_dump(include=known))


class LedgerPage(BaseModel):
    """Newest first; `before` leads to what is older, null at the end."""

    rows: list[MovementOut]
    before: str | None


class PlaceIn(BaseModel):
    """A new place."""

    name: Name


class StockPlaceOut(BaseModel):
    """Where goods lie; what is sold leaves the lowest position first."""

    id: UUID
    name: str
    position: int

    @classmethod
    def of(cls, place: StockPlace) -> StockPlaceOut:
        """From the table."""
        return cls(**place.model_dump(exclude={"brand_id"}))


class StockEdit(BaseModel):
    """Set what is on hand (at `place_id`, or in all) if `version` is still the one you saw, with a reason.

    `low_at`: so few left are called low; null is the usual number. What is not sent stays.
    """

    on_hand: int | None = Field(default=None, ge=0, le=10**9)
    version: int | None = None
    reason: Reason | None = None
    place_id: UUID | None = None
    low_at: int | None = Field(default=None, ge=0, le=10**6)


@router.get("/stock")
async def stock(
    staff: SignedIn,
    hub: Hub,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    low: bool = False,
) -> StockPage:
    """Every variant with its counters and places; `low`: only those that run out or have."""
    async with hub.db.session() as session:
        rows = await overview(session, staff.brand_id, after=after, limit=limit, low=low)
    return StockPage(rows=rows, after=rows[-1].variant_id if len(rows) == limit else None)


@router.get("/stock/places")
async def places(staff: SignedIn, hub: Hub) -> list[StockPlaceOut]:
    """The brand's places."""
    async with hub.db.session() as session:
        return [StockPlaceOut.of(one) for one in await hub.stock.places.all(session, staff.brand_id)]


@router.post("/stock/places", status_code=201)
async def add_place(body: PlaceIn, staff: SignedIn, hub: Hub) -> StockPlaceOut:
    """One more place."""
    async with hub.db.session() as session:
        return StockPlaceOut.of(await hub.stock.places.add(session, staff.brand_id, body.name))


@router.get("/stock/{variant_id}/ledger")
async def ledger(
    variant_id: UUID,
    staff: SignedIn,
    hub: Hub,
    before: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> LedgerPage:
    """Why the counters are what they are."""
    async with hub.db.session() as session:
        await hub.stock.own(session, staff.brand_id, variant_id)
        rows = await movements(session, staff.brand_id, variant_id, cursor_of(before), limit)
    more = f"{rows[-1].created_at.isoformat()}~{rows[-1].id}" if len(rows) == limit else None
    return LedgerPage(rows=[MovementOut.of(row) for row in rows], before=more)


@router.patch("/stock/{variant_id}")
async def change_stock(variant_id: UUID, body: StockEdit, staff: SignedIn, hub: Hub) -> StockRow:
    """Adjust by hand: 409 `stale` when it changed since you looked, `promised` when it is too few."""
    async with hub.db.session() as session:
        await hub.stock.own(session, staff.brand_id, variant_id)
        if body.on_hand is not None:
            if body.version is None or body.reason is None:
                raise BadInput("bad_input", "Say the version you saw, and the reason.")
            wanted, why = (body.on_hand, body.version), (str(staff.member_id), body.reason)
            await hub.stock.adjust(session, staff.brand_id, variant_id, wanted, why, body.place_id)
        if "low_at" in body.model_fields_set:
            await set_low(session, staff.brand_id, variant_id, body.low_at)
            hub.stock.tell(session, variant_id)
        [row] = await overview(session, staff.brand_id, only=variant_id)
    return row


def cursor_of(before: str | None) -> tuple[datetime, UUID] | None:
    """Where a page of the ledger ended."""
    if before is None:
        return None
    at, _, row_id = before.partition("~")
    try:
        return datetime.fromisoformat(at), UUID(row_id)
    except ValueError:
        raise BadInput("bad_cursor", "Use the `before` of the last answer as it is.") from None
