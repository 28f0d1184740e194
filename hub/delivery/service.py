"""A brand's CDN: the origin its players are sent to, and purges of shows that were removed or cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import Delivery
from connectors.errors import Refused
from hub.clock import share_of
from hub.connections.models import Connection
from hub.connections.service import Connections, Opened
from hub.errors import NotFound
from hub.jobs import defer
from hub.shows.models import Show

log = structlog.get_logger()

REMEMBERED: Final = 1024
"""Addresses of shows at their CDNs that are not worked out again for every viewer."""
SIGNED_EVERY: Final = timedelta(hours=1)
"""Within it everybody gets the same signature, so that what a browser has kept is found again."""
SIGNED_FOR: Final = timedelta(hours=4)
RENEWED_BEFORE: Final = timedelta(hours=2)
"""So long the hub may be away then, and nobody who watches notices."""
RENEWED_WITHIN: Final = SIGNED_EVERY - timedelta(minutes=1)
"""Until `RENEWED_BEFORE`, each at their own time; the minute is for players, who ask a little sooner."""


@dataclass(frozen=True)
class Edge:
    """A show at a CDN. `origin` stands before `/live/SHOW/…`; `query` goes with every request below that.

    `until`: so long the query is good; None, and no query, where nothing is signed.
    """

    origin: str
    query: str = ""
    until: datetime | None = None

    def renew_at(self, viewer: str) -> datetime | None:
        """When this viewer wants another query; None where nothing is signed.

        Never the same for all: their questions would come in the same seconds.
        """
        if self.until is None:
            return None
        return self.until - RENEWED_BEFORE - share_of(viewer) * RENEWED_WITHIN


class Edges:
    """Nothing of its own is stored: a CDN is a connection whose connector offers `delivery`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._known: dict[tuple[UUID, str], tuple[bytes, datetime, Edge]] = {}

    async def edge(self, session: AsyncSession, show: Show, now: datetime) -> Edge | None:
        """Where viewers are sent: the first CDN linked, signed where it has a key; None without one.

        One whose login is dead can purge nothing; to sign and to play takes none.
        """
        signed_at = now - timedelta(seconds=now.timestamp() % SIGNED_EVERY.total_seconds())
        for row in await self._linked(session, show.brand_id):
            try:
                return await self._edge(row, show.slug, signed_at)
            except (ValueError, Refused) as error:  # no reason to keep viewers out: the origin plays as well
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

    async def _edge(self, row: Connection, slug: str, signed_at: datetime) -> Edge:
        """What its settings say. Raises ValueError when they can't be read, Refused when the key is no good.

        Nobody is asked, and no second database connection is taken: viewers come in crowds.
        """
        known = self._known.pop((row.id, slug), None)
        if known is None or known[:2] != (row.config_sealed, signed_at):
            connector, config = self._connections.connector(row.connector), self._connections.config_of(row)
            async with self._connections.without_login(connector) as http:
                opened = connector.session(http, config, self._connections.addresses(connector), None)
                delivery = delivery_of(Opened(row, connector, opened))
                known = (row.config_sealed, signed_at, edge_of(delivery, slug, signed_at))
        self._known[row.id, slug] = known
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return known[2]

    async def _linked(self, session: AsyncSession, brand_id: UUID) -> list[Connection]:
        rows = await self._connections.list(session, brand_id)
        return [row for row in rows if self._connections.connector(row.connector).delivery]


def edge_of(delivery: Delivery, slug: str, signed_at: datetime) -> Edge:
    """One show, signed as a whole where there is a key. Raises Refused when it is no good."""
    origin = delivery.base_url(slug)
    if not delivery.signs:
        return Edge(origin)
    until = signed_at + SIGNED_FOR
    query = delivery.sign(f"{origin}/live/{slug}/*", until).partition("?")[2]
    return Edge(origin, query, until)


def delivery_of(opened: Opened) -> Delivery:
    """The capability. Raises NotFound for an account that is no CDN."""
    if opened.connector.delivery is None:
        raise NotFound("no_delivery", "This account is no CDN.")
    return opened.connector.delivery(opened.session)
