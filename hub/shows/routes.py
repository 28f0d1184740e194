"""Shows over HTTP: plan, look, start, end, and everything on the control page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, SignedIn
from hub.auth.models import Brand
from hub.catalog.out import ProductOut
from hub.connections.models import Connection
from hub.orders.numbers import OrderOut, newest, sales
from hub.playback.service import STAFF
from hub.privacy.masks import all_masked
from hub.services import Services
from hub.shows.keys import entered_until
from hub.shows.models import Show, ShowTarget
from hub.shows.out import (
    ChatOut,
    DetailsOut,
    IngestAddress,
    ShowDetail,
    ShowEdited,
    ShowSnapshot,
    ShowSummary,
    TargetOut,
)
from hub.shows.profiles import profiles_of

router = APIRouter(prefix="/api/v1/shows", tags=["shows"])


class ShowIn(BaseModel):
    """A new show. Without `hold_seconds` a reservation lasts as long as the installation says.

    `units_per_network`: what buyers behind one address may hold unpaid together; 0 is no limit.
    """

    title: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=5000)
    slug: str | None = None
    starts_at: AwareDatetime | None = None
    product_ids: list[UUID] = Field(default=[], max_length=200)
    target_connection_ids: list[UUID] = Field(default=[], max_length=50)
    viewers_shown: bool = True
    hold_policy: Literal["hold", "first_paid", "hybrid"] = "hold"
    hold_seconds: int | None = Field(default=None, ge=20, le=3600)
    units_per_buyer: int = Field(default=5, ge=1, le=100)
    units_per_network: int = Field(default=40, ge=0, le=10_000)


class Highlight(BaseModel):
    """The product in the host's hand, or null."""

    product_id: UUID | None


@router.get("")
async def shows(staff: SignedIn, hub: Hub) -> list[ShowSummary]:
    """Every show of the brand, newest first."""
    query = select(Show).where(col(Show.brand_id) == staff.brand_id).order_by(col(Show.id).desc())
    async with hub.db.session() as session:
        return [ShowSummary.of(show) for show in await session.exec(query)]


@router.post("", status_code=201)
async def plan(body: ShowIn, staff: SignedIn, hub: Hub) -> ShowSummary:
    """Plan a show."""
    show = Show(
        brand_id=staff.brand_id,
        slug=(body.slug or "").strip().lower(),
        title=body.title,
        description=body.description,
        starts_at=body.starts_at,
        viewers_shown=body.viewers_shown,
        hold_policy=body.hold_policy,
        hold_seconds=body.hold_seconds,
        units_per_buyer=body.units_per_buyer,
        units_per_network=body.units_per_network,
        stream_key_sealed=b"",
        stream_key_hash="",
    )
    async with hub.db.session() as session:
        await hub.shows.plan(session, show, body.product_ids, body.target_connection_ids)
    return ShowSummary.of(show)


@router.get("/{show_id}")
async def snapshot(show_id: UUID, staff: SignedIn, hub: Hub) -> ShowSnapshot:
    """Everything the control page shows. Read first, then follow the gateway from `seq` on."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await snapshot_of(hub, session, show)


async def snapshot_of(hub: Services, session: AsyncSession, show: Show) -> ShowSnapshot:
    """The control page's whole truth."""
    brand = (await session.exec(select(Brand).where(col(Brand.id) == show.brand_id))).one()
    targets = await hub.shows.targets(session, show.id, removed=show.state == "ended")
    accounts = await accounts_of(session, targets)
    links = await hub.links.links_of(session, show.id)
    site = hub.settings.site_url()
    address = IngestAddress(server=await hub.shows.server_of(session, show), key=hub.shows.key_of(show))
    return ShowSnapshot(
        seq=show.seq,
        show=ShowDetail(
            **ShowEdited.of(show).model_dump(),
            description=show.description,
            details=DetailsOut(**show.model_dump(include=set(DetailsOut.model_fields))),
            ingest=address,
            feed=await hub.feeds.out(session, show),
            watch_url=f"{site}/watch/{show.slug}",
        ),
        ingest=show.ingest,
        health=show.health,
        profiles=profiles_of(show),
        targets=[
            target_of(hub, show, target, accounts[target.connection_id], f"{site}/l/{code}" if code else None)
            for target, code in ((target, links.get(target.id)) for target in targets)
        ],
        chats=[
            ChatOut(
                platform=target.connector,
                target_id=target.id,
                state=target.chat_state,
                detail=target.chat_detail,
            )
            for target in targets
            if hub.connections.connector(target.connector).chat_source
        ],
        messages=await hub.chat.feed(session, show.id),
        products=[ProductOut.of(shelf) for shelf in await hub.catalog.shelves_of_show(session, show.id)],
        sales=await sales(session, show.id, brand.currency),
        playback=await hub.playback.play(session, show, STAFF),
    )


async def accounts_of(session: AsyncSession, targets: Sequence[ShowTarget]) -> dict[UUID, Connection]:
    """The accounts of targets, all with one question."""
    wanted = {target.connection_id for target in targets}
    query = select(Connection).where(col(Connection.id).in_(wanted))
    return {row.id: row for row in await session.exec(query)} if wanted else {}


def target_of(
    hub: Services, show: Show, target: ShowTarget, account: Connection, link_url: str | None
) -> TargetOut:
    """A target; until it is opened, the key it will be pushed with is the one of its account."""
    out = hub.shows.target_out(show, target, link_url)
    connector = hub.connections.connector(target.connector)
    if target.url_sealed is None and connector.key_life:
        out.key_expires_at = entered_until(connector, account)
    return out


@router.post("/{show_id}/start", status_code=202)
async def start(show_id: UUID, staff: SignedIn, hub: Hub) -> ShowSummary:
    """Go live."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.shows.start(session, show)
    return ShowSummary.of(show)


@router.post("/{show_id}/end", status_code=202)
async def end(show_id: UUID, staff: SignedIn, hub: Hub) -> ShowSummary:
    """End the show."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.shows.end(session, show)
    return ShowSummary.of(show)


@router.post("/{show_id}/key")
async def rotate_key(show_id: UUID, staff: SignedIn, hub: Hub) -> IngestAddress:
    """A new stream key; the old one stops working at once."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        key = await hub.shows.new_key(session, show)
        return IngestAddress(server=await hub.shows.server_of(session, show), key=key)


@router.post("/{show_id}/highlight", status_code=204)
async def highlight(show_id: UUID, body: Highlight, staff: SignedIn, hub: Hub) -> None:
    """Put a product on every viewer's screen now."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.shows.highlight(session, show, body.product_id)


@router.get("/{show_id}/orders")
async def orders(
    show_id: UUID, staff: SignedIn, hub: Hub, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[OrderOut]:
    """The newest orders of every channel."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return all_masked(await newest(session, show.id, limit), staff.role)
