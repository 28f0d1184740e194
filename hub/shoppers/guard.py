"""Which buyer is signed in behind a request of a viewer."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request, Response

from hub.auth.guard import Hub, Watching
from hub.errors import Unauthorised
from hub.services import Services
from hub.shoppers.service import SESSION_LASTS, Shopper

COOKIE: Final = "simulcast_shopper"


async def shopping(request: Request, viewer: Watching, hub: Hub) -> Shopper | None:
    """The buyer behind the cookie, at this viewer's brand; None for a guest.

    The cookie alone does nothing: every call also carries the viewer's token, which no other site has.
    """
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    async with hub.db.session() as session:
        return await hub.shoppers.who(session, viewer.brand_id, token)


async def known(shopper: Annotated[Shopper | None, Depends(shopping)]) -> Shopper:
    """The buyer; Unauthorised for a guest."""
    if shopper is None:
        raise Unauthorised("sign_in_first", "Sign in first. We send you a code by mail.")
    return shopper


Shopping = Annotated[Shopper | None, Depends(shopping)]
Known = Annotated[Shopper, Depends(known)]


def keep(response: Response, hub: Services, token: str) -> None:
    """Put the session into its cookie, out of reach of scripts and other sites."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=hub.settings.site_url().startswith("https"),
    )
