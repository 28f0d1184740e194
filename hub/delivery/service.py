"""A brand's CDN: the origin its players are sent to, and purges of shows that were removed or cut."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import Delivery
from hub.connections.models import Connection
from hub.connections.service import Connections, Opened
from hub.errors import NotFound
from hub.jobs import defer
from hub.shows.models import Show

log = structlog.get_logger()

REMEMBERED: Final = 1024
"""Addresses of shows at their CDNs that are not worked out again for every viewer."""


class Edges:
    """Nothing of its own is stored: a CDN is a connection whose connector offers `delivery`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._bases: dict[tuple[UUID, str], tuple[bytes, str | None]] = {}

    async def base_url(self, session: AsyncSession, show: Show) -> str | None:
        """What stands before `/live/SHOW/…` for viewers: the first CDN that works; None without one.

        One with a key to sign with is passed over: players ask for what is in a playlist without a signature.
        """
        for row in await self._linked(session, show.brand_id):
            if row.state == "ok":
                try:
                    if base := await self._base(row, show.slug):
                        return base
                except ValueError as error:  # no reason to keep viewers out: the origin plays as well
                    log.warning("delivery.unreadable", connection=str(row.id), why=type(error).__name__)
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

    async def _base(self, row: Connection, slug: str) -> str | None:
        """What its settings say; None where it signs. Raises ValueError when the settings can't be read.

        Nobody is asked, and no second database connection is taken: viewers come in crowds.
        """
        known = self._bases.pop((row.id, slug), None)
        if known is None or known[0] != row.config_sealed:
            connector, config = self._connections.connector(row.connector), self._connections.config_of(row)
            async with self._connections.without_login(connector) as http:
                opened = connector.session(http, config, self._connections.addresses(connector), None)
                edge = delivery_of(Opened(row, connector, opened))
                known = (row.config_sealed, None if edge.signs else edge.base_url(slug))
        self._bases[row.id, slug] = known
        while len(self._bases) > REMEMBERED:
            del self._bases[next(iter(self._bases))]
        return known[1]

    async def _linked(self, session: AsyncSession, brand_id: UUID) -> list[Connection]:
        rows = await self._connections.list(session, brand_id)
        return [row for row in rows if self._connections.connector(row.connector).delivery]


def delivery_of(opened: Opened) -> Delivery:
    """The capability. Raises NotFound for an account that is no CDN."""
    if opened.connector.delivery is None:
        raise NotFound("no_delivery", "This account is no CDN.")
    return opened.connector.delivery(opened.session)
