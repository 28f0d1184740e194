"""Sign-in, sign-out, and the ticket a studio page opens its WebSocket with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr
from sqlmodel import col, select

from hub.auth.guard import COOKIE, Hub, SignedIn, check_origin
from hub.auth.service import SESSION_LASTS
from hub.auth.tokens import TICKET_LASTS, Ticket
from hub.errors import NotFound
from hub.shows.models import Show

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


class SignIn(BaseModel):
    """What the sign-in form sends."""

    email: str = Field(max_length=320)
    password: SecretStr = Field(max_length=1000)


class MemberOut(BaseModel):
    """The person."""

    id: UUID
    name: str
    email: str
    role: str


class BrandOut(BaseModel):
    """The brand they work for."""

    id: UUID
    name: str
    currency: str


class Profile(BaseModel):
    """Who is signed in."""

    member: MemberOut
    brand: BrandOut


class TicketOut(BaseModel):
    """Open `url?token=<ticket>` before `expires_at`."""

    ticket: str
    url: str
    expires_at: datetime


async def profile(hub: Hub, member_id: UUID) -> Profile:
    """The signed-in person as the studio shows them."""
    async with hub.db.session() as session:
        member, brand = await hub.auth.profile(session, member_id)
    return Profile(
        member=MemberOut(**member.model_dump(include=set(MemberOut.model_fields))),
        brand=BrandOut(**brand.model_dump(include=set(BrandOut.model_fields))),
    )


@router.post("/session")
async def sign_in(body: SignIn, request: Request, response: Response, hub: Hub) -> Profile:
    """Sign in; the session lives in an HttpOnly cookie."""
    check_origin(request)
    async with hub.db.session() as session:
        token, member = await hub.auth.sign_in(session, body.email, body.password.get_secret_value())
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=hub.settings.site_url().startswith("https"),
    )
    return await profile(hub, member.id)


@router.get("/session")
async def session_now(staff: SignedIn, hub: Hub) -> Profile:
    """Who is signed in; 401 when nobody is."""
    return await profile(hub, staff.member_id)


@router.delete("/session", status_code=204)
async def sign_out(request: Request, response: Response, hub: Hub) -> None:
    """Sign out."""
    check_origin(request)
    async with hub.db.session() as session:
        await hub.auth.sign_out(session, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)


@router.get("/gateway-ticket")
async def gateway_ticket(show_id: UUID, staff: SignedIn, hub: Hub) -> TicketOut:
    """A ticket for the staff news of one show, good for a minute."""
    async with hub.db.session() as session:
        query = select(Show.id).where(col(Show.id) == show_id, col(Show.brand_id) == staff.brand_id)
        if (await session.exec(query)).first() is None:
            raise NotFound("show_unknown", "There is no such show.")
    ticket = hub.tokens.ticket(Ticket(staff.member_id, show_id, staff.brand_id, staff.session_id, staff.role))
    return TicketOut(
        ticket=ticket, url=f"{hub.settings.gateway_url()}/ws", expires_at=hub.clock() + TICKET_LASTS
    )
