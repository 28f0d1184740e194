"""The link a claim's buyer was given: `/c/CODE` leads to the watch page, which opens it for its browser."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, StringConstraints

from hub.auth.guard import Hub, Watching
from hub.chat.turns import take_turn
from hub.shows.models import Show

router = APIRouter(tags=["claims"])

TRY_EVERY: Final = 2.0
"""Seconds between two tries of one browser, at whatever process: names must not be guessed."""

Code = Annotated[str, Path(max_length=30)]


class LinkOut(BaseModel):
    """What the page asks first: a name, where everybody could read the link."""

    show: str
    state: str
    expires_at: datetime | None
    asks_name: bool
    opened: bool
    server_time: datetime


class OpenIn(BaseModel):
    """The name in the chat, where it is asked for."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""


class OpenedOut(BaseModel):
    """`hold_id` when it is this browser's now: it is in its cart. Else `wrong`: a sentence about the name."""

    hold_id: UUID | None
    expires_at: datetime | None
    wrong: str | None


@router.get("/c/{code}", include_in_schema=False)
async def follow(code: Code, hub: Hub) -> RedirectResponse:
    """To the watch page of the claim's show."""
    async with hub.db.session() as session:
        claim, show = await hub.claims.links.find(session, code)
    address = f"/watch/{quote(show.slug)}?claim={hub.claims.links.code(claim)}"
    # The address is a key: what it leads to must not be kept, nor told to other sites.
    return RedirectResponse(address, 302, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


@router.get("/api/v1/public/claims/{code}")
async def look(code: Code, viewer: Watching, hub: Hub) -> LinkOut:
    """What is behind a link. 404 when it was never made, or is replaced."""
    async with hub.db.session() as session:
        found = await hub.claims.links.look(session, viewer, code)
    return LinkOut(
        show=found.slug,
        state=found.state,
        expires_at=found.expires_at,
        asks_name=found.asks_name,
        opened=found.opened,
        server_time=hub.clock(),
    )


@router.post("/api/v1/public/claims/{code}/open")
async def open_link(code: Code, body: OpenIn, viewer: Watching, hub: Hub) -> OpenedOut:
    """Take it to this browser's checkout, once. 409 `claim_over` | `claim_taken` | `claim_closed` |
    `claim_others` | `limit`. 429 when the last try was a moment ago."""
    async with hub.db.session() as session:
        # Committed by itself: a try that fails was one all the same.
        if show := await session.get(Show, viewer.show_id):
            await take_turn(session, show, viewer, hub.clock(), TRY_EVERY, doing="claim:")
    async with hub.db.session() as session:
        found = await hub.claims.links.open(session, viewer, code, body.name)
    if isinstance(found, str):
        return OpenedOut(hold_id=None, expires_at=None, wrong=found)
    return OpenedOut(hold_id=found.hold_id, expires_at=found.expires_at, wrong=None)
