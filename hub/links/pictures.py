"""Links in the picture: drawn into the profile of a target, and taken out again.

A running encoder takes other layers up without a new child (`restream/encode/encoder.py`); what was done is
in the show's row, so a restarted worker draws the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.errors import BadInput
from hub.links.models import LinkPost, TrackedLink
from hub.links.overlay import shown, with_link, without_link
from hub.links.service import Links
from hub.shows.models import Show, ShowTarget
from hub.shows.profiles import profiles_of, put_profile
from hub.shows.service import Shows

REPLACED = "Another link took its place in the picture."


class Pictures:
    """Draws links into profiles."""

    def __init__(self, clock: Clock, links: Links, shows: Shows) -> None:
        self._clock = clock
        self._links = links
        self._shows = shows

    async def draw(
        self, session: AsyncSession, link: TrackedLink, post: LinkPost, target: ShowTarget
    ) -> None:
        """Into the profile of its target, in the place of any other link. Repeatable."""
        show = await self._show(session, target)
        profile = next((one for one in profiles_of(show) if one.name == target.profile), None)
        if profile is None:
            raise BadInput(
                "picture_as_it_is",
                f"{target.name} gets the picture as it is. Choose a profile for it first.",
            )
        put_profile(show, with_link(profile, self._links.url(link.code)))
        post.state, post.reason, post.last_at = "done", None, self._clock()
        post.times += 1
        await self._note_replaced(session, show, post)
        await self._shows.sync(session, show)

    async def erase(self, session: AsyncSession, link: TrackedLink, post: LinkPost) -> None:
        """Out of every profile of the show. Repeatable."""
        await session.flush()
        target = await session.get(ShowTarget, post.target_id)
        if target is None:
            return
        show, url = await self._show(session, target), self._links.url(link.code)
        drawn = [profile for profile in profiles_of(show) if shown(profile.layers, url)]
        for profile in drawn:
            put_profile(show, without_link(profile, url))
        if drawn:
            await self._shows.sync(session, show)

    async def archived(self, session: AsyncSession, link: TrackedLink) -> None:
        """It goes out of every picture. What is said of it in chats waits by itself."""
        for post, _ in await self._overlays(session, link, "done"):
            post.state, post.reason = "stopped", None
            await self.erase(session, link, post)

    async def restored(self, session: AsyncSession, link: TrackedLink) -> None:
        """It comes back into the pictures it was in, where there still are such."""
        for post, target in await self._overlays(session, link, "stopped"):
            if post.reason is None and target.profile and target.removed_at is None:
                await self.draw(session, link, post, target)

    async def _overlays(
        self, session: AsyncSession, link: TrackedLink, state: str
    ) -> Sequence[tuple[LinkPost, ShowTarget]]:
        query = (
            select(LinkPost, ShowTarget)
            .join(ShowTarget, col(ShowTarget.id) == col(LinkPost.target_id))
            .join(Show, col(Show.id) == col(ShowTarget.show_id))
            .where(
                col(LinkPost.link_id) == link.id,
                col(LinkPost.how) == "overlay",
                col(LinkPost.state) == state,
                col(Show.state) != "ended",
            )
            .with_for_update(of=LinkPost)
        )
        return (await session.exec(query)).all()

    async def _note_replaced(self, session: AsyncSession, show: Show, post: LinkPost) -> None:
        """A profile shows one link: whichever it showed before is not shown any more."""
        await session.flush()
        layers = {profile.name: profile.layers for profile in profiles_of(show)}
        query = (
            select(LinkPost, TrackedLink.code, ShowTarget.profile)
            .join(TrackedLink, col(TrackedLink.id) == col(LinkPost.link_id))
            .join(ShowTarget, col(ShowTarget.id) == col(LinkPost.target_id))
            .where(
                col(ShowTarget.show_id) == show.id,
                col(LinkPost.how) == "overlay",
                col(LinkPost.state) == "done",
                col(LinkPost.id) != post.id,
            )
        )
        for other, code, profile in await session.exec(query):
            if not shown(layers.get(profile or "", ()), self._links.url(code)):
                other.state, other.reason = "stopped", REPLACED

    async def _show(self, session: AsyncSession, target: ShowTarget) -> Show:
        """The target's show as it is now, locked: its profiles are one document."""
        await session.flush()
        show = await self._shows.get(session, target.brand_id, target.show_id)
        await session.refresh(show, with_for_update={"key_share": True})
        return show
