"""Editing a show, once for all platforms: its texts, its time, and how its stock is shared out."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.errors import BadInput, Conflict, NotFound
from hub.shows.models import Asset, Show
from hub.shows.service import Shows
from hub.shows.wishes import ShowChange

PICTURES = ("image/png", "image/jpeg")
NEEDED = frozenset(
    {"title", "description", "privacy", "tags", "viewers_shown", "hold_policy", "units_per_buyer"}
    | {"units_per_network"}
)
"""What a show always has: null changes nothing."""
OURS = frozenset({"viewers_shown", "hold_policy", "hold_seconds", "units_per_buyer", "units_per_network"})
"""What no platform is told of. The next reservation keeps to it; those that run stay as they were made."""


class ShowEdits:
    """The verbs of a show's texts, time and stock rules."""

    def __init__(self, shows: Shows) -> None:
        self._shows = shows

    async def change(self, session: AsyncSession, show: Show, wish: ShowChange) -> None:
        """Take what is named, leave the rest; platforms are told by jobs."""
        if "starts_at" in wish.model_fields_set and show.state != "scheduled":
            raise Conflict("show_began", "This show has begun: its time can't be changed any more.")
        if wish.picture_asset:
            await check_picture(session, show, wish.picture_asset)
        if take(show, wish) - OURS and show.state != "ended":
            for target in await self._shows.targets(session, show.id):
                await self._shows.describe(session, show, target)
                self._shows.tell_target(session, show, target)
        await self._shows.changed(session, show)


def take(show: Show, wish: ShowChange) -> set[str]:
    """Write what is named into the show; the names of what is another now."""
    named = wish.model_dump(exclude_unset=True)
    named = {name: value for name, value in named.items() if value is not None or name not in NEEDED}
    different = {name: value for name, value in named.items() if getattr(show, name) != value}
    for name, value in different.items():
        setattr(show, name, value)
    return set(different)


async def check_picture(session: AsyncSession, show: Show, sha: str) -> None:
    """Platforms take PNG and JPEG only, and nobody shows a picture that is not theirs."""
    query = select(Asset.media_type).where(col(Asset.brand_id) == show.brand_id, col(Asset.sha256) == sha)
    found = (await session.exec(query)).first()
    if found is None:
        raise NotFound("asset_unknown", "There is no such file.")
    if found not in PICTURES:
        raise BadInput("picture_kind", "Use a PNG or JPEG picture: platforms take no other.")
