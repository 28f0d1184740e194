"""The visitor's cookie: none before it is needed or allowed.

Until the browser closes when the viewer has asked for something that must survive a reload (a reservation, a
cart, chat, signing in); for a year with consent to analytics.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response
from sqlalchemy import exists
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.carts.models import CartLine
from hub.services import Services
from hub.stock.models import Hold

VISITOR: Final = "simulcast_visitor"
A_YEAR: Final = 365 * 24 * 3600


def visitor_of(hub: Services, request: Request) -> str | None:
    """Whose browser this is, if it says so in our own writing."""
    return hub.visits.passes.kept(request.cookies.get(VISITOR, ""))


def keep(hub: Services, response: Response, visitor_id: str, *, year: bool) -> None:
    """Remember the visitor, out of reach of scripts and of other sites."""
    response.set_cookie(
        VISITOR,
        hub.visits.passes.cookie(visitor_id),
        max_age=A_YEAR if year else None,
        httponly=True,
        samesite="lax",
        secure=hub.settings.site_url().startswith("https"),
    )


def forget(response: Response) -> None:
    """Remember them no longer."""
    response.delete_cookie(VISITOR)


async def needed(session: AsyncSession, viewer: Viewer) -> bool:
    """Whether something lies reserved or in the cart that a reload must find again."""
    held = exists().where(
        col(Hold.viewer_id) == viewer.id, col(Hold.brand_id) == viewer.brand_id, col(Hold.state) == "held"
    )
    lies = exists().where(col(CartLine.viewer_id) == viewer.id, col(CartLine.brand_id) == viewer.brand_id)
    return bool((await session.exec(select(held | lies))).one())
