"""The links that are posted on the platforms."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.links.models import TrackedLink
from hub.shows.models import Show, ShowTarget


class Links:
    """Makes and finds them."""

    def make_link(self, session: AsyncSession, show: Show, target: ShowTarget) -> TrackedLink:
        """The link to put under the stream on one platform."""
        link = TrackedLink(
            brand_id=show.brand_id,
            show_id=show.id,
            target_id=target.id,
            code=secrets.token_urlsafe(6),
            utm_source=target.connector,
            utm_medium="social",
            utm_campaign=show.slug,
            utm_content="live",
        )
        session.add(link)
        return link

    async def links_of(self, session: AsyncSession, show_id: UUID) -> dict[UUID, str]:
        """The code of each target's link."""
        query = select(TrackedLink.target_id, TrackedLink.code).where(col(TrackedLink.show_id) == show_id)
        return {target: code for target, code in await session.exec(query) if target}
