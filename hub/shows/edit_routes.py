"""Editing a show over HTTP: texts, time and stock rules, what platforms would show, calling it off."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from hub.auth.guard import Hub, SignedIn
from hub.shows.edits import take
from hub.shows.models import Show
from hub.shows.out import ShowEdited, ShowSummary
from hub.shows.texts import TextsOut
from hub.shows.wishes import ShowChange

router = APIRouter(prefix="/api/v1/shows", tags=["shows"])


@router.patch("/{show_id}")
async def change(show_id: UUID, body: ShowChange, staff: SignedIn, hub: Hub) -> ShowEdited:
    """Change texts, time, picture, of which every platform is told by itself; or how stock is shared out."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.show_edits.change(session, show, body)
    return ShowEdited.of(show)


@router.post("/{show_id}/preview")
async def preview(show_id: UUID, body: ShowChange, staff: SignedIn, hub: Hub) -> list[TextsOut]:
    """What every target would show of these texts. Nothing is kept."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        draft = Show(**show.model_dump())
        take(draft, body)
        return await hub.details.preview(session, draft)


@router.post("/{show_id}/cancel", status_code=202)
async def cancel(show_id: UUID, staff: SignedIn, hub: Hub) -> ShowSummary:
    """Call a planned show off."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.shows.cancel(session, show)
    return ShowSummary.of(show)
