"""Following a link: where it leads, and the row that says so, in one statement.

The row is written by the statement that finds the link: killing this process loses no click that was
answered. It does not wait for the disk (`synchronous_commit` is off for this statement alone): if PostgreSQL
itself or the machine dies, at most the last 0.6 s of clicks are gone, three times its `wal_writer_delay`. The
alternative, batches in this process, would lose what is in the batch whenever it is killed, and save nothing
that can be felt: the lookup needs its round trip anyway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from hub.clock import Clock
from hub.db import Database, away
from hub.ids import new_id
from hub.links import visitors
from hub.links.places import WATCH, allowed
from hub.links.service import LENGTH
from hub.links.tags import UTM, tagged, tags_of
from hub.secrets import Vault

LONGEST_CODE: Final = 32
FOLLOW: Final = """
    WITH link AS (
        SELECT link.id, link.brand_id, link.show_id, link.code, link.destination,
            link.archived_at IS NOT NULL AS archived, show.slug, link.utm_source, link.utm_medium,
            link.utm_campaign, link.utm_content, link.utm_term, link.utm_id,
            CASE WHEN link.destination IS NOT NULL THEN
                ARRAY(SELECT host FROM shop_host WHERE shop_host.brand_id = link.brand_id)
            END AS hosts
        FROM tracked_link link LEFT JOIN show ON show.id = link.show_id
        WHERE link.code = ANY($1::text[]) ORDER BY link.code = $2 DESC LIMIT 1
    ), click AS (
        INSERT INTO link_click (id, brand_id, link_id, show_id, at, who, device, network_hash, referrer_host,
            click_ids, share_tokens, archived)
        SELECT $3, brand_id, id, show_id, $4, $5, $6, $7, $8, $9, $10, archived FROM link
    )
    SELECT link.*, set_config('synchronous_commit', 'off', true) FROM link
"""


@dataclass(frozen=True)
class Knock:
    """A request of a link. `headers` by their names in small letters; `query` as it came."""

    code: str
    method: str = "GET"
    query: bytes = b""
    address: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Clicks:
    """Answers those who follow a link."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, site_url: str) -> None:
        self._db = db
        self._clock = clock
        self._key = vault.signing_key("network of a click")
        self._site = site_url

    async def warm(self) -> None:
        """Read the list of robots now: the first visitor should not wait for it."""
        await asyncio.to_thread(visitors.is_bot, "Mozilla/5.0")

    async def follow(self, knock: Knock) -> str | None:
        """The address a link leads to, tagged; None where there is no such link. The click is kept.

        Unavailable while the database is away.
        """
        code = knock.code
        if (
            not code.isascii()
            or not code.replace("-", "").replace("_", "").isalnum()
            or len(code) > LONGEST_CODE
        ):
            return None
        click = new_id()
        # Ours have small letters only; who types one from a screen may not.
        known = [code, code.lower()] if len(code) == LENGTH else [code]
        try:
            row = await self._db.pool.fetchrow(FOLLOW, known, code, click, *self._about(knock))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise away() from error
        return self._place(row, click, knock.query) if row else None

    def _about(self, knock: Knock) -> tuple[object, ...]:
        """When, who, with what, from where, and what the advertisers' networks call it."""
        agent = knock.headers.get("user-agent", "")[: visitors.LONGEST]
        tags = tags_of(knock.query.decode("latin-1"))
        return (
            self._clock(),
            visitors.who(knock.method, knock.headers),
            visitors.device(agent),
            visitors.network(knock.address, self._key),
            visitors.referrer(knock.headers.get("referer")),
            json.dumps(tags.click_ids),
            json.dumps(tags.share_tokens),
        )

    def _place(self, row: Mapping[str, object], click: UUID, query: bytes) -> str | None:
        """Asked anew each time: a host that is no longer the shop's gets no visitors of ours."""
        place, slug = row["destination"], row["slug"]
        hosts = row["hosts"]
        if not (isinstance(place, str) and isinstance(hosts, list) and allowed(place, hosts)):
            if slug is None:
                return None
            place = f"{WATCH}{slug}"
        tags = {name: str(row[name]) for name in UTM if row[name]}
        tags |= {"sh_link": str(row["code"]), "sh_click": str(click)}
        return tagged(self._site + place if place.startswith("/") else place, tags, query)
