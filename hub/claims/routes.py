"""Claims over HTTP, for staff: one list for a show, and what can be done about each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, SignedIn
from hub.claims.answers import delivered
from hub.claims.models import Claim
from hub.errors import Conflict
from hub.links import qr
from hub.links.overlay import spoken
from hub.services import Services
from hub.shows.models import Show

router = APIRouter(prefix="/api/v1/shows/{show_id}/claims", tags=["claims"])


class ClaimOut(BaseModel):
    """A claim as the studio shows it. `link` while there is something to pay.

    `answer` is how the buyer was told; `host`: not by us, so the host tells them, or shows the link.
    `answer_state` is what became of our message.
    """

    message_id: UUID
    platform: str
    author: str
    words: str
    product_id: UUID
    variant_id: UUID | None
    quantity: int
    state: str
    detail: str
    said_at: datetime
    expires_at: datetime | None
    order_id: UUID | None
    opened: bool
    restricted: bool
    answer: str
    answer_state: str | None
    answer_reason: str
    link: str | None


class RulesOut(BaseModel):
    """What a show does with claims. `seconds`: to pay in; `most`: units of one claim."""

    enabled: bool
    seconds: int
    waitlist: bool
    most: int


class RulesIn(BaseModel):
    """What is named is changed."""

    enabled: bool | None = None
    seconds: int | None = Field(default=None, ge=60, le=3600)
    waitlist: bool | None = None
    most: int | None = Field(default=None, ge=1, le=100)


class NameOut(BaseModel):
    """What a product is called by."""

    product_id: UUID
    title: str
    number: int
    word: str | None
    own_number: bool


class NameIn(BaseModel):
    """A product's number and word; without a number it has its place in the show."""

    product_id: UUID
    number: int | None = Field(default=None, ge=1, le=99_999)
    word: Annotated[str, StringConstraints(strip_whitespace=True, max_length=30)] | None = None


class ClaimsOut(BaseModel):
    """Everything the panel shows."""

    rules: RulesOut
    names: list[NameOut]
    claims: list[ClaimOut]
    server_time: datetime


class RestrictIn(BaseModel):
    """Whether this person's claims are refused from now on."""

    on: bool = True


@router.get("")
async def claims(show_id: UUID, staff: SignedIn, hub: Hub) -> ClaimsOut:
    """The newest 200 claims, the rules, and what products are called by."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await all_of(hub, session, show)


@router.patch("/rules")
async def rules(show_id: UUID, body: RulesIn, staff: SignedIn, hub: Hub) -> ClaimsOut:
    """Change the show's rules; claims decided from now on follow them."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        row = await hub.claims.rules(session, show)
        for name, value in body.model_dump(exclude_none=True).items():
            setattr(row, name, value)
        await session.flush()
        return await all_of(hub, session, show)


@router.put("/names")
async def name(show_id: UUID, body: NameIn, staff: SignedIn, hub: Hub) -> ClaimsOut:
    """Set a product's number and word. 409 `number_taken` | `word_taken`."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.claims.name(session, show, body.product_id, body.number, body.word or None)
        await session.flush()
        return await all_of(hub, session, show)


@router.post("/{message_id}/again", status_code=202)
async def again(show_id: UUID, message_id: UUID, staff: SignedIn, hub: Hub) -> ClaimsOut:
    """Offer it again to the same person, with a new link."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.claims.again(session, show, message_id)
        return await all_of(hub, session, show)


@router.post("/{message_id}/restrict")
async def restrict(show_id: UUID, message_id: UUID, body: RestrictIn, staff: SignedIn, hub: Hub) -> ClaimsOut:
    """Take no more claims of this person, in all shows of the brand; or take them again."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.claims.restrict(session, show, message_id, on=body.on)
        return await all_of(hub, session, show)


@router.get("/{message_id}/qr.svg", response_class=Response)
async def qr_code(show_id: UUID, message_id: UUID, staff: SignedIn, hub: Hub) -> Response:
    """The link to pay as a picture, to be held into the camera. 409 `nothing_to_pay`."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        url = link_of(hub, await hub.claims.of_message(session, show, message_id))
    if url is None:
        raise Conflict("nothing_to_pay", "There is nothing to pay for this claim now.")
    headers = {"Cache-Control": "no-store"}
    return Response(qr.svg(url, spoken(url)), media_type="image/svg+xml", headers=headers)


async def all_of(hub: Services, session: AsyncSession, show: Show) -> ClaimsOut:
    """As it is now."""
    found = await hub.claims.of_show(session, show.id)
    ways = await delivered(session, [one.answer_id for one in found if one.answer_id])
    blocked = await hub.claims.blocked(session, show.brand_id)
    row = await hub.claims.rules(session, show)
    return ClaimsOut(
        rules=RulesOut.model_validate(row, from_attributes=True),
        names=[NameOut(**vars(one)) for one in await hub.claims.names(session, show)],
        claims=[out_of(hub, one, ways, restricted=one.viewer_id in blocked) for one in found],
        server_time=hub.clock(),
    )


def out_of(hub: Services, claim: Claim, ways: dict[UUID, tuple[str, str]], *, restricted: bool) -> ClaimOut:
    """One claim."""
    state, reason = ways.get(claim.answer_id, (None, "")) if claim.answer_id else (None, "")
    columns = claim.model_dump(include=set(ClaimOut.model_fields) & set(Claim.model_fields))
    return ClaimOut(
        **columns,
        author=claim.author_name or "",
        opened=claim.opened_by is not None,
        restricted=restricted,
        answer_state=state,
        answer_reason=reason,
        link=link_of(hub, claim),
    )


def link_of(hub: Services, claim: Claim) -> str | None:
    """Where it is paid, while there is something to pay; on our own page it is in the cart already."""
    return hub.claims.links.url(claim) if claim.state == "held" and claim.platform != "own" else None
