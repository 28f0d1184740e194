"""Cohorts over HTTP: drawn up, tried out, saved by name, taken along as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, StringConstraints

from hub.analytics.cohorts import CohortResult
from hub.analytics.conditions import Definition, read_definition
from hub.analytics.models import Cohort
from hub.analytics.money import Scope
from hub.analytics.routes import Period, period_of
from hub.analytics.tables import AsKind, file_of, files
from hub.auth.guard import Hub, SignedIn
from hub.services import Services

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$")
]
InPeriod = Annotated[Period, Depends(period_of)]


class CohortIn(BaseModel):
    """A cohort to be kept. `show_id`: it is about one show."""

    name: Name
    definition: Definition
    show_id: UUID | None = None


class Trial(BaseModel):
    """A definition to be tried out."""

    definition: Definition
    show_id: UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class CohortOut(BaseModel):
    """A saved one. `definition` is what was put in."""

    id: UUID
    name: str
    definition: dict[str, Any]
    show_id: UUID | None
    author: str | None
    created_at: datetime
    updated_at: datetime


@router.get("/cohorts")
async def cohorts(staff: SignedIn, hub: Hub) -> list[CohortOut]:
    """Saved ones, by name."""
    async with hub.db.session() as session:
        rows = await hub.cohorts.saved(session, staff.brand_id)
    return [out(row) for row in rows]


@router.post("/cohorts/preview")
async def preview(staff: SignedIn, hub: Hub, asked: Trial) -> CohortResult:
    """Who would fit, compared with everybody else. Nothing is kept."""
    scope = Scope(brand_id=staff.brand_id, show_id=asked.show_id, since=asked.since, until=asked.until)
    async with hub.db.session() as session:
        await known(hub, session, scope)
        return await hub.cohorts.result(session, scope, asked.definition)


@router.post("/cohorts", status_code=201)
async def save(staff: SignedIn, hub: Hub, wanted: CohortIn) -> CohortOut:
    """Keep a definition under a name."""
    async with hub.db.session() as session:
        await known(hub, session, Scope(brand_id=staff.brand_id, show_id=wanted.show_id))
        row = Cohort(
            brand_id=staff.brand_id, name=wanted.name, show_id=wanted.show_id, author=str(staff.member_id)
        )
        row.definition = wanted.definition.model_dump(mode="json")
        return out(await hub.cohorts.save(session, row))


@router.put("/cohorts/{cohort_id}")
async def change(staff: SignedIn, hub: Hub, cohort_id: UUID, wanted: CohortIn) -> CohortOut:
    """Another name or definition."""
    async with hub.db.session() as session:
        row = await hub.cohorts.get(session, staff.brand_id, cohort_id)
        await known(hub, session, Scope(brand_id=staff.brand_id, show_id=wanted.show_id))
        row.name, row.show_id = wanted.name, wanted.show_id
        row.definition = wanted.definition.model_dump(mode="json")
        return out(await hub.cohorts.save(session, row))


@router.delete("/cohorts/{cohort_id}", status_code=204)
async def remove(staff: SignedIn, hub: Hub, cohort_id: UUID) -> None:
    """The definition only: nobody is listed in it."""
    async with hub.db.session() as session:
        await hub.cohorts.remove(session, await hub.cohorts.get(session, staff.brand_id, cohort_id))


@router.get("/cohorts/{cohort_id}/result")
async def result(staff: SignedIn, hub: Hub, cohort_id: UUID, period: InPeriod) -> CohortResult:
    """Who fits now; of another show or period than its own where one is given."""
    async with hub.db.session() as session:
        row, scope = await chosen(hub, session, staff.brand_id, cohort_id, period)
        return await hub.cohorts.result(session, scope, read_definition(row.definition))


@files(router, "/cohorts/{cohort_id}")
async def people(staff: SignedIn, hub: Hub, cohort_id: UUID, period: InPeriod, kind: AsKind) -> Response:
    """Who fits, one a row. Ids only: names and addresses are on the people's own pages."""
    async with hub.db.session() as session:
        row, scope = await chosen(hub, session, staff.brand_id, cohort_id, period)
        found = await hub.cohorts.people(session, scope, read_definition(row.definition))
    return await file_of("cohort", kind, found)


async def chosen(
    hub: Services, session: Any, brand_id: UUID, cohort_id: UUID, period: Period
) -> tuple[Cohort, Scope]:
    """A saved cohort, and the shows it is asked of."""
    row = await hub.cohorts.get(session, brand_id, cohort_id)
    show_id = period.show_id if period.show_id or period.since or period.until else row.show_id
    scope = Scope(brand_id=brand_id, show_id=show_id, since=period.since, until=period.until)
    await known(hub, session, scope)
    return row, scope


async def known(hub: Services, session: Any, scope: Scope) -> None:
    """NotFound where the show is another brand's."""
    if scope.show_id:
        await hub.shows.get(session, scope.brand_id, scope.show_id)


def out(row: Cohort) -> CohortOut:
    """As it is told."""
    return CohortOut.model_validate(row.model_dump())
