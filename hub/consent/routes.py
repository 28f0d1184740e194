"""Consent over HTTP: what viewers are asked and answer, the brand's words for it, what a customer said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, SignedIn, Watching
from hub.auth.models import Member
from hub.consent.book import Purpose
from hub.consent.texts import DEFAULT, Asked, Body, Language, Text
from hub.customers.models import Customer
from hub.errors import Conflict, Forbidden, NotFound
from hub.shows.models import Show
from hub.visits.cookie import forget, keep, needed, visitor_of
from hub.visits.routes import says_gpc

router = APIRouter(tags=["consent"])

GPC_SINCE = "2026-11-26"
A_MINUTE = {"Cache-Control": "public, max-age=60", "Vary": "Sec-GPC"}


class Question(BaseModel):
    """What the watch page asks. `shops`: hosts a link to which may carry the visitor along."""

    version: int
    words: Body
    gpc: bool
    shops: list[str]


class Answer(BaseModel):
    """What the viewer answered. `clicked`: which button; `remembered`: the page repeats an earlier answer."""

    show: str
    version: int = Field(ge=0)
    language: Language
    clicked: Literal["allow", "needed", "save", "remembered"]
    analytics: bool
    ads: bool


class AllowedOut(BaseModel):
    """What follows from it; ads stay off while the browser sends Global Privacy Control."""

    analytics: bool
    ads: bool
    email: bool
    gpc: bool


class TextOut(BaseModel):
    """What viewers are asked. `own`: in the brand's words, else in ours."""

    version: int
    body: Body
    own: bool
    default: Body


class TextIn(BaseModel):
    """Other words, by language; None: ours. `version`: the one that was edited."""

    version: int = Field(ge=0)
    body: Annotated[dict[Language, Asked], Field(min_length=1, max_length=20)] | None


class ChoiceOut(BaseModel):
    """One thing somebody said."""

    at: datetime
    purpose: str
    granted: bool
    source: str
    gpc: bool
    version: int
    proof: dict[str, Any]


class CustomerConsent(BaseModel):
    """All a customer said, on all their browsers, newest first; and what it comes to."""

    allowed: AllowedOut
    choices: list[ChoiceOut]


class StaffChoice(BaseModel):
    """What a customer told the staff, and how."""

    purpose: Purpose
    granted: bool
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


@router.get("/.well-known/gpc.json")
async def gpc() -> dict[str, Any]:
    """That Global Privacy Control is honoured here (https://www.w3.org/TR/gpc/#gpc-support-resource)."""
    return {"gpc": True, "lastUpdate": GPC_SINCE}


@router.get("/api/v1/public/shows/{slug}/consent")
async def question(slug: str, request: Request, response: Response, hub: Hub) -> Question:
    """What to ask. The same for everybody, so it may be kept for a minute."""
    async with hub.db.session() as session:
        show = (await session.exec(select(Show).where(col(Show.slug) == slug))).first()
        if show is None:
            raise NotFound("show_unknown", "There is no show at this address.")
        text = await hub.consent_texts.current(session, show.brand_id)
        shops = await hub.visits.passes.hosts(session, show.brand_id)
    response.headers.update(A_MINUTE)
    return Question(version=text.version, words=body_of(text), gpc=says_gpc(request), shops=sorted(shops))


@router.post("/api/v1/public/consent")
async def answer(
    body: Answer, request: Request, response: Response, viewer: Watching, hub: Hub
) -> AllowedOut:
    """Write the answer down, and set or delete the visitor's cookie as it says. Repeatable."""
    if body.show != viewer.slug:
        raise Forbidden("other_show", "This page belongs to another show. Load it again.")
    hub.visits.quota.check(viewer.id)
    async with hub.db.session() as session:
        text = await hub.consent_texts.shown(session, viewer.brand_id, body.version)
        if text is None:
            raise Conflict("text_changed", "What we ask has changed. Load the page again.")
        proof = {
            "language": body.language,
            "clicked": body.clicked,
            "words": text.digest(body.language),
            "agent": request.headers.get("user-agent", "")[:200],
        }
        await hub.consent_book.note(
            session,
            viewer.brand_id,
            {"analytics": body.analytics, "ads": body.ads},
            source="banner",
            visitor_id=viewer.id,
            customer_id=viewer.customer_id,
            version=body.version,
            proof=proof,
            gpc=says_gpc(request),
        )
        allowed = await hub.consent_book.of(session, viewer.brand_id, viewer.id, viewer.customer_id)
        must_keep = visitor_of(hub, request) is not None and await needed(session, viewer)
    if body.analytics:
        keep(hub, response, viewer.id, year=True)
    elif must_keep:
        keep(hub, response, viewer.id, year=False)
    else:
        forget(response)
    return AllowedOut(**vars(allowed))


@router.get("/api/v1/consent/text")
async def text(staff: SignedIn, hub: Hub) -> TextOut:
    """What viewers are asked now."""
    async with hub.db.session() as session:
        return text_out(await hub.consent_texts.current(session, staff.brand_id))


@router.put("/api/v1/consent/text")
async def change_text(body: TextIn, staff: SignedIn, hub: Hub) -> TextOut:
    """Ask in other words; every viewer is asked again."""
    async with hub.db.session() as session:
        author = await name_of(session, staff.member_id)
        changed = await hub.consent_texts.change(
            session, staff.brand_id, body.body, version=body.version, author=author
        )
    return text_out(changed)


@router.get("/api/v1/consent/customers/{customer_id}")
async def of_customer(customer_id: UUID, staff: SignedIn, hub: Hub) -> CustomerConsent:
    """What a customer agreed to."""
    async with hub.db.session() as session:
        await own_customer(session, staff.brand_id, customer_id)
        allowed = await hub.consent_book.of(session, staff.brand_id, customer_id=customer_id)
        rows = await hub.consent_book.choices(session, staff.brand_id, customer_id=customer_id)
    choices = [ChoiceOut(**row.model_dump(include=set(ChoiceOut.model_fields))) for row in reversed(rows)]
    return CustomerConsent(allowed=AllowedOut(**vars(allowed)), choices=choices)


@router.post("/api/v1/consent/customers/{customer_id}", status_code=201)
async def note(customer_id: UUID, body: StaffChoice, staff: SignedIn, hub: Hub) -> AllowedOut:
    """Write down what a customer told the staff."""
    async with hub.db.session() as session:
        await own_customer(session, staff.brand_id, customer_id)
        proof = {"why": body.why, "author": await name_of(session, staff.member_id)}
        await hub.consent_book.note(
            session,
            staff.brand_id,
            {body.purpose: body.granted},
            source="staff",
            customer_id=customer_id,
            proof=proof,
        )
        allowed = await hub.consent_book.of(session, staff.brand_id, customer_id=customer_id)
    return AllowedOut(**vars(allowed))


async def own_customer(session: AsyncSession, brand_id: UUID, customer_id: UUID) -> None:
    """Nobody else's."""
    found = await session.get(Customer, customer_id)
    if found is None or found.brand_id != brand_id:
        raise NotFound("customer_unknown", "There is no such customer.")


async def name_of(session: AsyncSession, member_id: UUID) -> str:
    """Who of the staff."""
    return (await session.exec(select(Member.email).where(col(Member.id) == member_id))).one()


def body_of(text: Text) -> Body:
    """The words, checked once more: they are drawn on a page."""
    return {language: Asked(**words) for language, words in text.body.items()}


def text_out(text: Text) -> TextOut:
    """As the studio shows it."""
    default = {language: Asked(**words) for language, words in DEFAULT.items()}
    return TextOut(version=text.version, body=body_of(text), own=text.own, default=default)
