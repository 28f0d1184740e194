"""What a show's page may load so that its own scripts tell Google, Meta and TikTok, too.

A page loads them only after its viewer agreed; the content policy of a show's page lets them in only where
the brand has linked such an account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database, run
from hub.payments.origins import Origins

REMEMBER_S: Final = 10.0
"""How long a page's policy may lag behind a new account: a drop asks for the page thousands of times."""
MOST: Final = 500
OF_BRAND: Final = text(
    """
    SELECT connection.connector, conversion_desk.pixel
    FROM conversion_desk JOIN connection ON connection.id = conversion_desk.connection_id
    WHERE conversion_desk.brand_id = :brand_id AND connection.state <> 'off'
      AND NOT conversion_desk.paused AND conversion_desk.pixel <> ''
    ORDER BY connection.id
    """
)
BRAND_OF: Final = text("SELECT brand_id FROM show WHERE slug = :slug")


class Pixel(BaseModel):
    """A script a page may load, and the public id it tells under. `purpose`: what the viewer must allow."""

    kind: str
    id: str
    script_url: str
    purpose: str


@dataclass(frozen=True)
class Remembered:
    """The policy of one page, and since when (seconds)."""

    at: float
    origins: Origins


class Pixels:
    """Reads them; what the page of a show may load is remembered for some seconds."""

    def __init__(self, db: Database, clock: Clock, connections: Connections) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._known: dict[str, Remembered] = {}

    async def of(self, session: AsyncSession, brand_id: UUID) -> list[Pixel]:
        """Every pixel of a brand, one of a kind and id."""
        found: dict[tuple[str, str], Pixel] = {}
        for row in (await run(session, OF_BRAND, {"brand_id": brand_id})).all():
            name, pixel = row.connector, row.pixel
            connector = self._connections.connectors.get(name)
            limits = connector.conversion_limits if connector else None
            script = self._connections.addresses(connector).script_url if connector else None
            if script and limits:
                found[name, pixel] = Pixel(kind=name, id=pixel, script_url=script, purpose=limits.purpose)
        return [*found.values()]

    async def origins(self, slug: str) -> Origins:
        """What the policy of a show's page must let in; nothing for a show that there is not."""
        now = self._clock().timestamp()
        known = self._known.get(slug)
        if known and 0 <= now - known.at < REMEMBER_S:
            return known.origins
        async with self._db.session() as session:
            brand_id = (await run(session, BRAND_OF, {"slug": slug})).scalar_one_or_none()
            found = origins_of(await self.of(session, brand_id)) if brand_id else Origins()
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[slug] = Remembered(now, found)
        return found


def origins_of(pixels: Sequence[Pixel]) -> Origins:
    """Each script's own origin: from there the rest of it is loaded as well, and there it reports."""
    parts = [urlsplit(one.script_url) for one in pixels]
    here = tuple(dict.fromkeys(f"{one.scheme}://{one.netloc}" for one in parts))
    return Origins(script=here, connect=here)
