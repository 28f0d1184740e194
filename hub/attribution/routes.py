"""Attribution over HTTP: what each channel gets, and the versions of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from hub.attribution import words
from hub.attribution.compare import Comparison, compare
from hub.attribution.facts import OrderFacts, facts_of
from hub.attribution.models import AttributionRun
from hub.attribution.words import By, Credits, Model, Window
from hub.auth.guard import Hub, SignedIn

router = APIRouter(prefix="/api/v1/analytics/attribution", tags=["analytics"])


class RunOut(BaseModel):
    """One version: how it came about, how far it is, what is in it. `kept`: it can still be asked."""

    version: int
    model_version: int
    reason: str
    author: str | None
    state: str
    step: str
    percent: int
    orders: int
    touches: int
    from_at: datetime | None
    to_at: datetime | None
    size: int
    notes: list[str]
    took_ms: int
    reason_failed: str
    created_at: datetime
    started_at: datetime | None
    done_at: datetime | None
    kept: bool


@router.get("")
async def credits_of(
    staff: SignedIn,
    hub: Hub,
    show: UUID | None = None,
    model: Model = "last_non_direct",
    window: Window = "7d",
    by: By = "source",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Credits:
    """What each channel brought, of one show or of all. `since`, `until`: when the money moved."""
    query = asked(show, model, window, by, since, until)
    async with hub.db.session() as session:
        if show:
            await hub.shows.get(session, staff.brand_id, show)
        return await hub.attribution.answer(session, staff.brand_id, query)


@router.get("/orders/{order_id}")
async def order_facts(
    staff: SignedIn, hub: Hub, order_id: UUID, window: Window = "7d", by: By = "source"
) -> OrderFacts:
    """One order: where it was bought, where the show was seen, what was clicked, and what each model makes of
    it."""
    async with hub.db.session() as session:
        return await facts_of(session, hub.attribution, staff.brand_id, order_id, window, by)


@router.get("/runs")
async def runs(staff: SignedIn, hub: Hub, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[RunOut]:
    """Versions, the newest first."""
    async with hub.db.session() as session:
        found = await hub.attribution.runs.versions(session, staff.brand_id, limit)
        return [shown(hub, one) for one in found]


@router.post("/runs", status_code=202)
async def start(staff: SignedIn, hub: Hub) -> RunOut:
    """Reckon all credits anew: a new version. The one that waits already is not doubled."""
    async with hub.db.session() as session:
        wanted = await hub.attribution.runs.begin(session, staff.brand_id, "staff", str(staff.member_id))
        return shown(hub, wanted)


@router.get("/runs/{version}")
async def one_run(staff: SignedIn, hub: Hub, version: int) -> RunOut:
    """How far one version is."""
    async with hub.db.session() as session:
        return shown(hub, await hub.attribution.runs.get(session, staff.brand_id, version))


@router.get("/runs/{version}/against/{other}")
async def against(
    staff: SignedIn,
    hub: Hub,
    version: int,
    other: int,
    show: UUID | None = None,
    model: Model = "last_non_direct",
    window: Window = "7d",
    by: By = "source",
) -> Comparison:
    """The same question asked of two versions: what each channel got before and after."""
    async with hub.db.session() as session:
        if show:
            await hub.shows.get(session, staff.brand_id, show)
        query = asked(show, model, window, by, None, None)
        return await compare(session, hub.attribution, staff.brand_id, (other, version), query)


def asked(
    show: UUID | None,
    model: Model,
    window: Window,
    by: By,
    since: datetime | None,
    until: datetime | None,
) -> words.Query:
    """The question."""
    unbounded = words.Query()
    return words.Query(
        show_id=show,
        model=model,
        window=window,
        by=by,
        since=since or unbounded.since,
        until=until or unbounded.until,
    )


def shown(hub: Hub, run: AttributionRun) -> RunOut:
    """One run for staff."""
    kept = hub.attribution.runs.file_of(run) is not None
    return RunOut(kept=kept, **run.model_dump(exclude={"id", "brand_id", "path"}))
