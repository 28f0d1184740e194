"""People's rights in the studio: find somebody, hand out their copy, forget them; rules, and who looked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from hub.auth.guard import Hub, Owner, SignedIn
from hub.privacy.models import RightsRequest
from hub.privacy.rooms import ROOMS
from hub.privacy.subjects import BY_NAME

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200, pattern=r"^[^\x00]*$")
]
Days = Annotated[int, Field(ge=1, le=36_500)]


class PersonOut(BaseModel):
    """Somebody who was found."""

    id: UUID
    name: str | None
    email: str | None
    created_at: datetime
    orders: int


class RequestOut(BaseModel):
    """A request and how far it is: `step` of `steps`. `proof`: what was removed and what stays."""

    id: UUID
    customer_id: UUID
    kind: Literal["export", "erase"]
    state: Literal["queued", "working", "done", "failed", "expired"]
    by_staff: bool
    asked_at: datetime
    done_at: datetime | None
    expires_at: datetime | None
    step: int
    steps: int
    problem: str
    proof: dict[str, Any]

    @classmethod
    def of(cls, row: RightsRequest) -> RequestOut:
        """As the studio shows it."""
        said = row.model_dump(include=set(cls.model_fields) - {"by_staff", "proof"})
        proof = {name: value for name, value in row.proof.items() if name != "visitors"}
        return cls(by_staff=row.asked_by is not None, proof=proof, **said)


class PreviewOut(BaseModel):
    """What an erasure would remove (rows by area and table) and leave, and why it has to wait, if so."""

    removes: dict[str, dict[str, int]]
    titles: dict[str, str]
    invoices: list[str]
    stays: list[str]
    waits: str | None


class Confirmed(BaseModel):
    """Typed by hand, because there is no way back."""

    confirm: Literal["erase"]


class RuleOut(BaseModel):
    """One rule. `days` None: for ever. `default_days` is ours."""

    subject: str
    what: str
    why: str
    days: int | None
    default_days: int | None
    changed: bool


class RuleChange(BaseModel):
    """How long from now on; None: for ever."""

    days: Days | None


class WouldRemove(BaseModel):
    """A sentence for before it is saved."""

    count: int
    sentence: str


class RunOut(BaseModel):
    """What a rule removed."""

    subject: str
    what: str
    before: datetime
    removed: int
    at: datetime


class LookOut(BaseModel):
    """Who saw what of whom."""

    member: str
    subject: str
    subject_id: UUID
    fields: list[str]
    at: datetime


@router.get("/people")
async def people(staff: SignedIn, hub: Hub, q: Words) -> list[PersonOut]:
    """Look for somebody by name, whole e-mail address, phone, platform:account, or order number."""
    async with hub.db.session() as session:
        rows = await hub.rights.find(session, staff.brand_id, q)
        for row in rows:
            await hub.rights.looks.note(session, staff, "customer", row.id, ["name", "email"])
    return [
        PersonOut(
            id=row.id,
            name=row.name,
            email=hub.rights.email_of(row.email_sealed),
            created_at=row.created_at,
            orders=row.orders,
        )
        for row in rows
    ]


@router.get("/people/{customer_id}/preview")
async def preview(customer_id: UUID, staff: SignedIn, hub: Hub) -> PreviewOut:
    """What would go and what would stay, before anybody is forgotten."""
    async with hub.db.session() as session:
        found = await hub.rights.preview(session, staff.brand_id, customer_id)
    return PreviewOut(
        removes=found.removes,
        titles={area.name: area.title for area in ROOMS},
        invoices=[number for number, _ in found.invoices],
        stays=list(found.stays),
        waits=found.waits,
    )


@router.post("/people/{customer_id}/export", status_code=202)
async def ask_copy(customer_id: UUID, staff: Owner, hub: Hub) -> RequestOut:
    """Make a copy of everything kept about somebody."""
    async with hub.db.session() as session:
        row = await hub.rights.ask_copy(session, staff.brand_id, customer_id, staff.member_id)
    return RequestOut.of(row)


@router.post("/people/{customer_id}/erase", status_code=202)
async def ask_erasure(customer_id: UUID, body: Confirmed, staff: Owner, hub: Hub) -> RequestOut:
    """Forget somebody. There is no way back."""
    async with hub.db.session() as session:
        row = await hub.rights.ask_erasure(session, staff.brand_id, customer_id, staff.member_id)
    return RequestOut.of(row)


@router.get("/requests")
async def requests(staff: SignedIn, hub: Hub) -> list[RequestOut]:
    """The newest first."""
    async with hub.db.session() as session:
        return [RequestOut.of(row) for row in await hub.rights.requests(session, staff.brand_id)]


@router.get("/requests/{request_id}")
async def request_now(request_id: UUID, staff: SignedIn, hub: Hub) -> RequestOut:
    """One request, with its proof."""
    async with hub.db.session() as session:
        return RequestOut.of(await hub.rights.get(session, staff.brand_id, request_id))


@router.post("/requests/{request_id}/again", status_code=202)
async def again(request_id: UUID, staff: Owner, hub: Hub) -> RequestOut:
    """Go on with an erasure that could not be finished."""
    async with hub.db.session() as session:
        return RequestOut.of(await hub.rights.again(session, staff.brand_id, request_id))


@router.get("/requests/{request_id}/file")
async def copy_file(request_id: UUID, staff: Owner, hub: Hub) -> Response:
    """The copy, as a ZIP; for a week."""
    async with hub.db.session() as session:
        row = await hub.rights.get(session, staff.brand_id, request_id)
        packed = await hub.rights.exporting.opened(row)
        await hub.rights.looks.note(session, staff, "export", row.customer_id, ["everything"])
    return zip_of(packed)


@router.get("/rules")
async def rules(staff: Owner, hub: Hub) -> list[RuleOut]:
    """How long each kind of thing is kept."""
    async with hub.db.session() as session:
        found = await hub.rights.retention.rules(session, staff.brand_id)
    return [
        RuleOut(
            subject=rule.subject.name,
            what=rule.subject.what,
            why=rule.subject.why,
            days=rule.days,
            default_days=rule.subject.days,
            changed=rule.changed,
        )
        for rule in found
    ]


@router.put("/rules/{subject}", status_code=204)
async def change_rule(subject: str, body: RuleChange, staff: Owner, hub: Hub) -> None:
    """Keep it for so many days from now on; the next sweep goes by it."""
    async with hub.db.session() as session:
        await hub.rights.retention.keep(session, staff.brand_id, subject, body.days)


@router.get("/rules/{subject}/preview")
async def preview_rule(
    subject: str, staff: Owner, hub: Hub, days: Annotated[int, Query(ge=1, le=36_500)] = 400
) -> WouldRemove:
    """What a rule of so many days would remove now."""
    async with hub.db.session() as session:
        count = await hub.rights.retention.would_remove(session, staff.brand_id, subject, days)
    what = BY_NAME[subject].what
    return WouldRemove(count=count, sentence=f"Would remove {count:,} {what} older than {days} days.")


@router.get("/runs")
async def runs(staff: Owner, hub: Hub) -> list[RunOut]:
    """What rules removed, the newest first."""
    async with hub.db.session() as session:
        found = await hub.rights.retention.newest_runs(session, staff.brand_id)
    return [
        RunOut(
            subject=row.subject,
            what=BY_NAME[row.subject].what if row.subject in BY_NAME else row.subject,
            before=row.before,
            removed=row.removed,
            at=row.at,
        )
        for row in found
    ]


@router.get("/looks")
async def looks(staff: Owner, hub: Hub) -> list[LookOut]:
    """Who saw personal data in the open, the newest first."""
    async with hub.db.session() as session:
        found = await hub.rights.looks.newest(session, staff.brand_id)
    return [
        LookOut(member=name, subject=row.subject, subject_id=row.subject_id, fields=row.fields, at=row.at)
        for row, name in found
    ]


def zip_of(packed: bytes) -> Response:
    """To be saved, and kept by nobody on the way."""
    headers = {
        "Content-Disposition": 'attachment; filename="your-data.zip"',
        "Cache-Control": "no-store",
    }
    return Response(packed, media_type="application/zip", headers=headers)
