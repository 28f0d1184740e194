"""Figures over HTTP: definitions, value, channels, lifetime, offers, and each table as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, StringConstraints

from hub.analytics.channels import Channels
from hub.analytics.definitions import SECTIONS, Unit
from hub.analytics.lifetime import Lifetime
from hub.analytics.money import Scope
from hub.analytics.offers import OfferKind
from hub.analytics.service import Value
from hub.analytics.tables import AsKind, file_of, files
from hub.attribution.words import MODELS, WINDOWS, By, Model, Query, Window
from hub.auth.guard import Hub, SignedIn

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])

Word = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9_]+$")]
EVER = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class DefinitionOut(BaseModel):
    """One figure, to be shown beside its number. `base` is empty for sums and counts."""

    key: str
    title: str
    unit: Unit
    words: str
    base: str
    source: str


class SectionOut(BaseModel):
    """Figures that belong together."""

    key: str
    title: str
    figures: list[DefinitionOut]


class Period(BaseModel):
    """Which show, and since and until when (not in it)."""

    show_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def period_of(
    show_id: UUID | None = None, since: AwareDatetime | None = None, until: AwareDatetime | None = None
) -> Period:
    """From the query."""
    return Period(show_id=show_id, since=since, until=until)


def scope_of(
    staff: SignedIn,
    period: Annotated[Period, Depends(period_of)],
    channel: Word | None = None,
    offer_kind: Word | None = None,
) -> Scope:
    """From the query; of the brand that asks."""
    return Scope(
        brand_id=staff.brand_id, **period.model_dump(), channel=channel or None, offer_kind=offer_kind or None
    )


def query_of(
    period: Annotated[Period, Depends(period_of)],
    by: By = "source",
    model: Model = "last_non_direct",
    window: Window = "7d",
) -> Query:
    """From the query, as attribution takes it."""
    since, until = period.since or EVER, period.until or NEVER
    return Query(show_id=period.show_id, model=model, window=window, by=by, since=since, until=until)


Asked = Annotated[Scope, Depends(scope_of)]
Credited = Annotated[Query, Depends(query_of)]


@router.get("/definitions")
async def definitions(staff: SignedIn) -> list[SectionOut]:
    """Every figure, in words."""
    return [
        SectionOut(key=key, title=title, figures=[DefinitionOut(**vars(figure)) for figure in figures])
        for key, title, figures in SECTIONS
    ]


@router.get("/value")
async def value(staff: SignedIn, hub: Hub, scope: Asked) -> Value:
    """Money, people and reservations of a show or a period."""
    async with hub.db.session() as session:
        return await hub.analytics.value(session, scope)


@files(router, "/value")
async def value_file(staff: SignedIn, hub: Hub, scope: Asked, kind: AsKind) -> Response:
    """The money table: all, by channel, by show."""
    async with hub.db.session() as session:
        found = await hub.analytics.value(session, scope)
    rows: list[dict[str, Any]] = []
    for part, lines in (("all", found.totals), ("channel", found.channels), ("show", found.shows)):
        rows += [{"part": part, **line.model_dump(mode="json")} for line in lines]
    return await file_of("value", kind, rows)


@router.get("/channels")
async def channels(
    staff: SignedIn, hub: Hub, asked: Credited, period: Annotated[Period, Depends(period_of)]
) -> Channels:
    """What each source, target, link or channel group brought by one model and window, and what it cost."""
    async with hub.db.session() as session:
        return await hub.analytics.channels(session, staff.brand_id, asked, period.model_dump())


@files(router, "/channels")
async def channels_file(
    staff: SignedIn, hub: Hub, asked: Credited, period: Annotated[Period, Depends(period_of)], kind: AsKind
) -> Response:
    """The same as a file."""
    async with hub.db.session() as session:
        found = await hub.analytics.channels(session, staff.brand_id, asked, period.model_dump())
    head = {"by": found.by, "model": found.used, "window": found.window}
    return await file_of("channels", kind, [{**head, **row.model_dump(mode="json")} for row in found.rows])


class LadderRow(BaseModel):
    """One source in one currency, by window; amounts in minor units. Windows without it are left out."""

    key: str
    title: str
    currency: str | None
    credited_minor: dict[str, int]
    influenced_minor: dict[str, int]


class Ladder(BaseModel):
    """The same orders under every window, side by side."""

    by: By
    model: str
    windows: list[str]
    models: list[str]
    rows: list[LadderRow]


@router.get("/channels/windows")
async def windows(
    staff: SignedIn, hub: Hub, asked: Credited, period: Annotated[Period, Depends(period_of)]
) -> Ladder:
    """Every window of one model. `window` of the query is not asked."""
    rows: dict[tuple[str, str | None], LadderRow] = {}
    for window in WINDOWS:
        query = Query(asked.show_id, asked.model, window, by=asked.by, since=asked.since, until=asked.until)
        async with hub.db.session() as session:
            found = await hub.analytics.channels(session, staff.brand_id, query, period.model_dump())
        for row in found.rows:
            own = rows.setdefault(
                (row.key, row.currency),
                LadderRow(
                    key=row.key,
                    title=row.title,
                    currency=row.currency,
                    credited_minor={},
                    influenced_minor={},
                ),
            )
            own.credited_minor[window] = row.credited_minor
            own.influenced_minor[window] = row.influenced_minor
    return Ladder(by=asked.by, model=asked.model, windows=[*WINDOWS], models=[*MODELS], rows=[*rows.values()])


@router.get("/lifetime")
async def lifetime(staff: SignedIn, hub: Hub) -> Lifetime:
    """What people are worth by the channel that brought them, and who came over from a platform."""
    async with hub.db.session() as session:
        return await hub.analytics.lifetime(session, staff.brand_id)


@files(router, "/lifetime")
async def lifetime_file(staff: SignedIn, hub: Hub, kind: AsKind) -> Response:
    """Worth by first channel."""
    async with hub.db.session() as session:
        found = await hub.analytics.lifetime(session, staff.brand_id)
    return await file_of("lifetime", kind, [row.model_dump(mode="json") for row in found.worth])


@files(router, "/migration")
async def migration_file(staff: SignedIn, hub: Hub, kind: AsKind) -> Response:
    """People met on a platform who came over."""
    async with hub.db.session() as session:
        found = await hub.analytics.lifetime(session, staff.brand_id)
    return await file_of("migration", kind, [row.model_dump(mode="json") for row in found.migration])


@router.get("/offers")
async def offers(staff: SignedIn, hub: Hub, scope: Asked) -> list[OfferKind]:
    """The kinds of offers beside one another."""
    async with hub.db.session() as session:
        return await hub.analytics.offers(session, scope)


@files(router, "/offers")
async def offers_file(staff: SignedIn, hub: Hub, scope: Asked, kind: AsKind) -> Response:
    """The same as a file."""
    async with hub.db.session() as session:
        found = await hub.analytics.offers(session, scope)
    return await file_of("offers", kind, [row.model_dump(mode="json") for row in found])
