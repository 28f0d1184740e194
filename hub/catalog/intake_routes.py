"""Products in and out as files, catalogues of shops, and listings, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlmodel import col, select

from hub.auth.guard import Hub, SignedIn
from hub.catalog.models import Intake
from hub.catalog.out import IntakeOut, ListingOut, ListingsOut
from hub.catalog.sheet import MOST_BYTES
from hub.catalog.sync import Wish
from hub.connections.models import Connection
from hub.errors import BadInput
from hub.services import Services

router = APIRouter(prefix="/api/v1", tags=["catalog"])


class Take(BaseModel):
    """`only_good`: leave out the lines with problems; otherwise one problem keeps all of them out."""

    only_good: bool = False


class SyncIn(BaseModel):
    """`add`: make products of what is new. `overwrite`: also what was edited here follows the shop."""

    add: bool = True
    overwrite: bool = False


class ListingChange(BaseModel):
    """`buffer`: units never offered there. `paused`: offer nothing there for now."""

    buffer: int | None = Field(default=None, ge=0, le=10**6)
    paused: bool | None = None


class Match(BaseModel):
    """Which variant of ours it is."""

    variant_id: UUID


@router.get("/products.csv", response_class=StreamingResponse)
async def export(staff: SignedIn, hub: Hub) -> StreamingResponse:
    """Everything the brand has as a CSV file, which can be taken in again."""
    async with hub.db.session() as session:
        pieces = [piece async for piece in hub.intakes.export(session, staff.brand_id)]

    def sent() -> Iterator[bytes]:
        for piece in pieces:
            yield piece.encode()

    name = {"Content-Disposition": 'attachment; filename="products.csv"'}
    return StreamingResponse(sent(), media_type="text/csv; charset=utf-8", headers=name)


@router.post("/product-imports", status_code=202)
async def offer(request: Request, staff: SignedIn, hub: Hub) -> IntakeOut:
    """Look at a CSV file (the body is the file): nothing is changed yet; ask again until it is `checked`."""
    body = await body_of(request)
    async with hub.db.session() as session:
        return IntakeOut.of(
            await hub.intakes.offer(session, staff.brand_id, body, author=str(staff.member_id))
        )


@router.get("/product-imports/{intake_id}")
async def intake(intake_id: UUID, staff: SignedIn, hub: Hub) -> IntakeOut:
    """How far it is, and what became of each line."""
    async with hub.db.session() as session:
        return IntakeOut.of(await hub.intakes.get(session, staff.brand_id, intake_id))


@router.post("/product-imports/{intake_id}/take", status_code=202)
async def take(intake_id: UUID, body: Take, staff: SignedIn, hub: Hub) -> IntakeOut:
    """Take a file that was looked at: 409 `has_problems` unless all is fine or only the good lines go."""
    async with hub.db.session() as session:
        return IntakeOut.of(await hub.intakes.take(session, staff.brand_id, intake_id, body.only_good))


@router.post("/connections/{connection_id}/sync", status_code=202)
async def sync(connection_id: UUID, staff: SignedIn, hub: Hub, body: SyncIn | None = None) -> IntakeOut:
    """Read a shop's catalogue in the background; `GET …/sync` tells how far it is."""
    wish = body or SyncIn()
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
        wanted = Wish(add=wish.add, overwrite=wish.overwrite)
        return IntakeOut.of(await hub.sync.begin(session, row, wanted, author=str(staff.member_id)))


@router.get("/connections/{connection_id}/sync")
async def last_sync(connection_id: UUID, staff: SignedIn, hub: Hub) -> IntakeOut | None:
    """The last reading of this shop's catalogue, finished or not; null before the first."""
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
        query = select(Intake).where(col(Intake.connection_id) == row.id).order_by(col(Intake.id).desc())
        found = (await session.exec(query.limit(1))).first()
        return IntakeOut.of(found) if found else None


@router.get("/listings")
async def listings(
    staff: SignedIn,
    hub: Hub,
    connection_id: UUID | None = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> ListingsOut:
    """Where each SKU is listed, oldest first, and with the first page what is listed that is none of ours."""
    async with hub.db.session() as session:
        placed = await hub.listings.all(
            session, staff.brand_id, connection_id=connection_id, after=after, limit=limit
        )
        strays = [] if after else await hub.listings.strays(session, staff.brand_id)
        return ListingsOut.of(placed, strays)


@router.patch("/listings/{listing_id}")
async def change_listing(listing_id: UUID, body: ListingChange, staff: SignedIn, hub: Hub) -> ListingOut:
    """Another buffer, or paused; the shop is told within seconds."""
    async with hub.db.session() as session:
        placed = await hub.listings.change(
            session, staff.brand_id, listing_id, buffer=body.buffer, paused=body.paused
        )
        return ListingOut.of(placed)


@router.delete("/listings/{listing_id}", status_code=204)
async def part(listing_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """It is not this SKU after all: it stands among the unmatched ones again."""
    async with hub.db.session() as session:
        await hub.listings.part(session, staff.brand_id, listing_id)


@router.post("/unmatched-listings/{unmatched_id}/match")
async def match(unmatched_id: UUID, body: Match, staff: SignedIn, hub: Hub) -> ListingOut:
    """Say which of our variants it is."""
    async with hub.db.session() as session:
        stray = await hub.listings.stray(session, staff.brand_id, unmatched_id)
        row = await hub.connections.get(session, staff.brand_id, stray.connection_id)
        placed = await hub.listings.match(
            session, staff.brand_id, unmatched_id, body.variant_id, takes_stock=takes_stock(hub, row)
        )
        return ListingOut.of(placed)


@router.post("/unmatched-listings/{unmatched_id}/ignore", status_code=204)
async def ignore(unmatched_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Do not show it any more."""
    async with hub.db.session() as session:
        await hub.listings.ignore(session, staff.brand_id, unmatched_id, ignored=True)


@router.post("/unmatched-listings/{unmatched_id}/restore", status_code=204)
async def restore(unmatched_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Show it again."""
    async with hub.db.session() as session:
        await hub.listings.ignore(session, staff.brand_id, unmatched_id, ignored=False)


def takes_stock(hub: Services, row: Connection) -> bool:
    """Whether this platform is told what may be sold."""
    return hub.connections.connector(row.connector).stock_sink is not None


async def body_of(request: Request) -> bytes:
    """The file, given up as soon as it is too large: it is never all in memory."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise BadInput("file_too_long", f"A file may have {MOST_BYTES // 10**6} MB. Split it in two.")
    return bytes(data)
