"""A brand's members over HTTP; for owners, but for choosing a password with a link."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from hub.auth.guard import Hub, Owner, check_origin
from hub.auth.models import Member

router = APIRouter(prefix="/api/v1", tags=["members"])

Role = Literal["owner", "producer", "moderator", "viewer"]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00]*$")
]


class Person(BaseModel):
    """A member. `invited`: they have not chosen a password yet."""

    id: UUID
    name: str
    email: str
    role: str
    invited: bool

    @classmethod
    def of(cls, member: Member, *, invited: bool) -> Person:
        """As the studio shows them."""
        return cls(id=member.id, name=member.name, email=member.email, role=member.role, invited=invited)


class Invitation(BaseModel):
    """Whom to invite."""

    email: Email
    name: Name
    role: Role = "viewer"


class Invited(BaseModel):
    """A member with their link: shown this once, good for a week."""

    member: Person
    url: str


class NewRole(BaseModel):
    """What a member may do from now on."""

    role: Role


class Choice(BaseModel):
    """A password, chosen with the link's token."""

    token: SecretStr = Field(max_length=100)
    password: SecretStr = Field(max_length=1000)


@router.get("/members")
async def members(staff: Owner, hub: Hub) -> list[Person]:
    """Who works for the brand."""
    async with hub.db.session() as session:
        found = await hub.members.all(session, staff.brand_id)
    return [Person.of(member, invited=invited) for member, invited in found]


@router.post("/members", status_code=201)
async def invite(body: Invitation, staff: Owner, hub: Hub) -> Invited:
    """Invite somebody: give them the link in whatever way you trust."""
    async with hub.db.session() as session:
        member, token = await hub.members.invite(session, staff.brand_id, body.email, body.name, body.role)
    return Invited(member=Person.of(member, invited=True), url=link(hub.settings.site_url(), token))


@router.post("/members/{member_id}/link")
async def fresh_link(member_id: UUID, staff: Owner, hub: Hub) -> Invited:
    """A fresh link, for one that ran out or a forgotten password."""
    async with hub.db.session() as session:
        member, token = await hub.members.invite_again(session, staff.brand_id, member_id)
    shown = Person.of(member, invited=not member.password_hash)
    return Invited(member=shown, url=link(hub.settings.site_url(), token))


@router.patch("/members/{member_id}")
async def change(member_id: UUID, body: NewRole, staff: Owner, hub: Hub) -> Person:
    """Another role."""
    async with hub.db.session() as session:
        member = await hub.members.change(session, staff.brand_id, member_id, body.role)
    return Person.of(member, invited=not member.password_hash)


@router.delete("/members/{member_id}", status_code=204)
async def remove(member_id: UUID, staff: Owner, hub: Hub) -> None:
    """They are signed out and cannot come back."""
    async with hub.db.session() as session:
        await hub.members.remove(session, staff.brand_id, member_id)


@router.post("/auth/invites", status_code=204)
async def accept(body: Choice, request: Request, hub: Hub) -> None:
    """Choose a password with the link; then sign in."""
    check_origin(request)
    async with hub.db.session() as session:
        await hub.members.accept(session, body.token.get_secret_value(), body.password.get_secret_value())


def link(site: str, token: str) -> str:
    """Behind a #, so that the token is in no server's log."""
    return f"{site}/studio/invite#{token}"
