"""Who is who, over HTTP, for staff. Producers and owners change it.

Others see addresses and names masked, and no amounts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from hub.auth.guard import Hub, SignedIn
from hub.auth.service import Staff
from hub.customers.listing import PersonPage, Search
from hub.customers.portrait import PersonOut, SuggestionOut, suggestions
from hub.customers.timeline import Timeline
from hub.privacy.masks import sees_all

router = APIRouter(prefix="/api/v1/people", tags=["people"])

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class MergeIn(BaseModel):
    """Who turned out to be one."""

    a: UUID
    b: UUID
    reason: Reason


class NodesIn(BaseModel):
    """Handles of a person."""

    nodes: list[UUID] = Field(min_length=1, max_length=100)


class SplitIn(NodesIn):
    """Handles that are somebody else's."""

    reason: Reason


class ReasonIn(BaseModel):
    """Why."""

    reason: Reason


class DecisionIn(BaseModel):
    """Why, if there is more to say than the suggestion does."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class WhoOut(BaseModel):
    """Whom it was about, by the id they have now."""

    id: UUID


class MovesOut(BaseModel):
    """What goes along with handles that are split off."""

    orders: int
    visits: int
    sign_ins: int
    cards: int
    passkeys: int


def wanted(
    words: Annotated[str | None, Query(max_length=200)] = None,
    country: Annotated[str | None, Query(pattern="^[A-Za-z]{2}$")] = None,
    channel: str | None = None,
    bought: bool | None = None,
    member: bool | None = None,
    migrated: bool | None = None,
    suggested: bool | None = None,
) -> Search:
    """The filters of a list, from the query."""
    return Search(
        words=words,
        country=country,
        channel=channel,
        bought=bought,
        member=member,
        migrated=migrated,
        suggested=suggested,
    )


Wanted = Annotated[Search, Depends(wanted)]


@router.get("")
async def people(
    staff: SignedIn, hub: Hub, wanted: Wanted, after: UUID | None = None, limit: int = 50
) -> PersonPage:
    """The newest first. `words`: a part of a name, or a whole e-mail address or phone number."""
    async with hub.db.session() as session:
        page = await hub.people_view.list.page(
            session, staff.brand_id, wanted, open_names=sees_all(staff.role), after=after, limit=limit
        )
    if not sees_all(staff.role):
        for row in page.people:
            row.revenue = []
    return page


@router.get("/export.csv")
async def export_csv(staff: SignedIn, hub: Hub, wanted: Wanted) -> StreamingResponse:
    """The list as a spreadsheet."""
    return file_of(
        hub.people_view.list.csv(staff.brand_id, wanted, open_names=sees_all(staff.role)), "text/csv", "csv"
    )


@router.get("/export.json")
async def export_json(staff: SignedIn, hub: Hub, wanted: Wanted) -> StreamingResponse:
    """The list for programs; amounts in minor units."""
    rows = hub.people_view.list.json(staff.brand_id, wanted, open_names=sees_all(staff.role))
    return file_of(rows, "application/json", "json")


@router.get("/suggestions")
async def suggested(
    staff: SignedIn,
    hub: Hub,
    confidence: Decimal | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[SuggestionOut]:
    """People who may be one, the surest first. `confidence` and `after`: those of the last one shown."""
    before = (confidence, after) if confidence is not None and after else None
    async with hub.db.session() as session:
        return await suggestions(
            session, staff.brand_id, in_the_open=sees_all(staff.role), before=before, limit=limit
        )


@router.post("/merge")
async def merge(body: MergeIn, staff: SignedIn, hub: Hub) -> WhoOut:
    """Two people are one."""
    async with hub.db.session() as session:
        kept = await hub.person_changes.merge(
            session, staff.brand_id, (body.a, body.b), reason=body.reason, author=author_of(staff)
        )
    return WhoOut(id=kept)


@router.post("/suggestions/{suggestion_id}/confirm")
async def confirm(suggestion_id: UUID, body: DecisionIn, staff: SignedIn, hub: Hub) -> WhoOut:
    """They are one."""
    async with hub.db.session() as session:
        kept = await hub.person_changes.confirm(
            session, staff.brand_id, suggestion_id, reason=body.reason, author=author_of(staff)
        )
    return WhoOut(id=kept)


@router.post("/suggestions/{suggestion_id}/dismiss", status_code=204)
async def dismiss(suggestion_id: UUID, body: DecisionIn, staff: SignedIn, hub: Hub) -> None:
    """They are two; it is not suggested again."""
    async with hub.db.session() as session:
        await hub.person_changes.dismiss(
            session, staff.brand_id, suggestion_id, reason=body.reason, author=author_of(staff)
        )


@router.post("/changes/{change_id}/undo")
async def undo(change_id: UUID, body: ReasonIn, staff: SignedIn, hub: Hub) -> WhoOut:
    """Take a change back."""
    async with hub.db.session() as session:
        person = await hub.person_changes.undo(
            session, staff.brand_id, change_id, reason=body.reason, author=author_of(staff)
        )
    return WhoOut(id=person)


@router.post("/evidence/{edge_id}/revoke", status_code=204)
async def revoke(edge_id: UUID, body: ReasonIn, staff: SignedIn, hub: Hub) -> None:
    """One piece of evidence is wrong."""
    async with hub.db.session() as session:
        await hub.person_changes.unlink(
            session, staff.brand_id, edge_id, reason=body.reason, author=author_of(staff)
        )


@router.get("/{person_id}")
async def person(person_id: UUID, staff: SignedIn, hub: Hub) -> PersonOut:
    """One person; an id that was merged answers with who they are now."""
    async with hub.db.session() as session:
        found = await hub.people_view.person(
            session, staff.brand_id, person_id, in_the_open=sees_all(staff.role)
        )
        if sees_all(staff.role):
            seen = [name for name in ("name", "email", "phone") if getattr(found, name)]
            await hub.rights.looks.note(session, staff, "customer", found.id, seen)
    return found


@router.get("/{person_id}/timeline")
async def moments(
    person_id: UUID, staff: SignedIn, hub: Hub, cursor: str | None = None, limit: int = 50
) -> Timeline:
    """What they did, on every platform, newest first."""
    async with hub.db.session() as session:
        found = await hub.people_view.timeline(session, staff.brand_id, person_id, cursor, limit)
    return found if sees_all(staff.role) else without_amounts(found)


@router.post("/{person_id}/split/preview")
async def preview(person_id: UUID, body: NodesIn, staff: SignedIn, hub: Hub) -> MovesOut:
    """What would go along with these handles."""
    async with hub.db.session() as session:
        moves = await hub.person_changes.preview(session, staff.brand_id, person_id, set(body.nodes))
    return MovesOut(**moves)


@router.post("/{person_id}/split")
async def split(person_id: UUID, body: SplitIn, staff: SignedIn, hub: Hub) -> WhoOut:
    """These handles are somebody else's: who that is."""
    async with hub.db.session() as session:
        other = await hub.person_changes.split(
            *(session, staff.brand_id, person_id, set(body.nodes)),
            reason=body.reason,
            author=author_of(staff),
        )
    return WhoOut(id=other)


def without_amounts(found: Timeline) -> Timeline:
    """For who has no business with the shop's money."""
    for moment in found.moments:
        moment.facts.pop("minor", None)
    return found


def author_of(staff: Staff) -> str:
    """As the audit names them."""
    return str(staff.member_id)


def file_of(rows: AsyncIterator[str], kind: str, ending: str) -> StreamingResponse:
    """A download."""
    headers = {"Content-Disposition": f'attachment; filename="people.{ending}"', "Cache-Control": "no-store"}
    return StreamingResponse(rows, media_type=kind, headers=headers)
