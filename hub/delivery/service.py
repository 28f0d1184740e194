"""A brand's CDN: the origin its players are sent to, and purges of shows that were removed or cut."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import Delivery
from hub.connections.models import Connection
from hub.connections.service import Connections, Opened
from hub.errors import NotFound
from hub.jobs import defer
from hub.shows.models import Show


class Edges:
    """Nothing of its own is stored: a CDN is a connection whose connector offers `delivery`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def base_url(self, session: AsyncSession, show: Show) -> str | None:
        """What stands before `/live/SHOW/…` for viewers: the first CDN that works; None without one."""
        for row in await self._linked(session, show.brand_id):
            if row.state == "ok":
                async with self._connections.use(row.id) as opened:
                    return delivery_of(opened).base_url(show.slug)
        return None

    async def forget(self, session: AsyncSession, show: Show) -> None:
        """Call it in the transaction that removes or cuts something of a show: one job for each CDN."""
        for row in await self._linked(session, show.brand_id):
            await defer(
                session,
                "delivery.purge",
                # A purge that still waits will do for this change as well; one that has begun will not.
                key=f"delivery.purge:{row.id}:{show.id}",
                connection_id=str(row.id),
                slug=show.slug,
                once=str(uuid4()),
            )

    async def purge(self, connection_id: UUID, slug: str, once: str) -> None:
        """The job. Repeating it with the same `once` is one purge. Raises the three errors of a connector."""
        async with self._connections.use(connection_id) as opened:
            await delivery_of(opened).purge([f"/live/{slug}/"], key=once)

    async def _linked(self, session: AsyncSession, brand_id: UUID) -> list[Connection]:
        rows = await self._connections.list(session, brand_id)
        return [row for row in rows if self._connections.connector(row.connector).delivery]


def delivery_of(opened: Opened) -> Delivery:
    """The capability. Raises NotFound for an account that is no CDN."""
    if opened.connector.delivery is None:
        raise NotFound("no_delivery", "This account is no CDN.")
    return opened.connector.delivery(opened.session)
