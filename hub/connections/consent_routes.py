"""Linking by consent: the way out to the platform, the way back, and the choice of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from hub.auth.guard import Hub, SignedIn, signed_in
from hub.connections.consent import CALLBACK, Wish
from hub.connections.routes import ConnectionOut, outs
from hub.errors import Unauthorised

router = APIRouter(tags=["connections"])

STUDIO: Final = "/studio/connections"
UNSEEN: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""The address of the way back has a code in it: it is kept nowhere and told to nobody."""


class ConsentIn(BaseModel):
    """What is to be linked. `app`: credentials of the brand's app; `app_of`: as in this account.

    `reconnect`: this account gets the new login; its targets and history stay.
    """

    connector: str
    app: dict[str, Any] | None = None
    app_of: UUID | None = None
    reconnect: UUID | None = None


class ConsentUrl(BaseModel):
    """Send the browser there within ten minutes."""

    url: str


class Choice(BaseModel):
    """A page or channel that the login reaches."""

    id: str
    title: str
    detail: str
    picture_url: str | None
    linked: bool


class PendingOut(BaseModel):
    """A login that waits until `expires_at` for a choice of accounts, or the sentence on why there is none.

    `reconnect`: exactly one is to be chosen.
    """

    id: UUID
    connector: str
    title: str
    reconnect: bool
    accounts: list[Choice]
    problem: str | None
    expires_at: datetime


class Chosen(BaseModel):
    """Which accounts to link."""

    account_ids: list[str] = Field(max_length=200)


@router.post("/api/v1/connections/consent")
async def begin_consent(body: ConsentIn, staff: SignedIn, hub: Hub) -> ConsentUrl:
    """Where to send the person, so that they can let us in."""
    async with hub.db.session() as session:
        return ConsentUrl(url=await hub.consents.begin(session, staff, Wish(**body.model_dump())))


@router.get("/api/v1/connections/pending/{linking_id}")
async def pending(linking_id: UUID, staff: SignedIn, hub: Hub) -> PendingOut:
    """What there is to choose from."""
    async with hub.db.session() as session:
        row = await hub.consents.pending(session, staff, linking_id)
        linked = await hub.consents.linked_ids(session, row)
    return PendingOut(
        id=row.id,
        connector=row.connector,
        title=hub.connections.connector(row.connector).title,
        reconnect=row.reconnect_id is not None,
        accounts=[
            Choice(
                **one.model_dump(include={"id", "title", "detail", "picture_url"}), linked=one.id in linked
            )
            for one in hub.consents.accounts(row)
        ],
        problem=row.problem,
        expires_at=row.expires_at,
    )


@router.post("/api/v1/connections/pending/{linking_id}", status_code=201)
async def choose(linking_id: UUID, body: Chosen, staff: SignedIn, hub: Hub) -> list[ConnectionOut]:
    """Link the chosen ones."""
    async with hub.db.session() as session:
        linked = await hub.consents.choose(session, staff, linking_id, body.account_ids)
        return await outs(hub, session, linked)


@router.get(CALLBACK, include_in_schema=False)
async def returned(
    request: Request, hub: Hub, state: str = "", code: str = "", error: str = ""
) -> RedirectResponse:
    """The way back. It leads to a page of the studio and nowhere else, whatever the query says."""
    try:
        staff = await signed_in(request, hub)
    except Unauthorised:
        return RedirectResponse(f"{STUDIO}?problem=signed_out", 303, UNSEEN)
    said = await hub.consents.returned(staff, state, code, error)
    return RedirectResponse(f"{STUDIO}?{urlencode(said)}", 303, UNSEEN)
