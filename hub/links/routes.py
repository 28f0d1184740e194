"""The short links posted on the platforms."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from sqlmodel import col, select

from hub.auth.guard import Hub
from hub.errors import NotFound
from hub.links.models import TrackedLink
from hub.links.tags import UTM, tagged
from hub.shows.models import Show

router = APIRouter(tags=["links"])


@router.get("/l/{code}", status_code=302, response_class=RedirectResponse)
async def follow(code: str, request: Request, hub: Hub) -> RedirectResponse:
    """To the watch page, tagged. Nothing is recorded here: link previews and bots come here too."""
    async with hub.db.session() as session:
        query = (
            select(TrackedLink, Show.slug)
            .join(Show, col(Show.id) == col(TrackedLink.show_id))
            .where(col(TrackedLink.code) == code)
        )
        found = (await session.exec(query)).first()
    if found is None:
        raise NotFound("link_unknown", "This link leads nowhere. Ask for a fresh one.")
    link, slug = found
    utm = {name: getattr(link, name) for name in UTM}
    path = f"{hub.settings.site_url()}/watch/{slug}"
    return RedirectResponse(
        tagged(path, utm, code, request.url.query), 302, headers={"Cache-Control": "no-store"}
    )
