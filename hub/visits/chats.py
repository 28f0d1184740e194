"""Chats on platforms as touches: whoever is known by an account there was in that show.

Found by a sweep, from both ends: new messages, whose authors are hashed as the graph hashes accounts; and new
accounts, whose messages of before are looked up. One touch for each account and show, however often it runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.db import Database, run
from hub.secrets import Vault
from hub.visits.service import Visits

BACK: Final = timedelta(days=2)
"""As long as the worker may have been away."""
SLACK: Final = timedelta(minutes=10)
"""What was written before the last look and committed after it; clocks of machines differ, too."""
MOST: Final = 500
"""Authors, or accounts, in one transaction."""
CHATS: Final = UUID("0b7c5f5e-6a6f-5f0e-8f5d-51f0a3c0c9b7")
"""The namespace of what these touches were made from: an account and a show."""
SAID: Final = """
    message.platform <> 'own' AND NOT message.outgoing AND message.author_id IS NOT NULL
    AND message.author_id NOT LIKE 'nobody-%'
"""
SHOWS: Final = text(
    "SELECT id, brand_id FROM show WHERE live_at IS NOT NULL AND (ended_at IS NULL OR ended_at > :since)"
)
WROTE: Final = text(
    f"""
    SELECT show_id, platform, author_id, min(coalesce(sent_at, received_at)) AS at FROM message
    WHERE show_id = :show AND received_at > :since AND {SAID}
    GROUP BY show_id, platform, author_id
    """  # noqa: S608 - words of ours
)
KNOWN: Final = text(
    """
    SELECT id, brand_id, customer_id, value_hash FROM identity
    WHERE brand_id = :brand AND kind = 'platform_user' AND state = 'ok' AND value_hash = ANY(:hashes)
    """
)
NEW: Final = text(
    """
    SELECT id FROM identity
    WHERE kind = 'platform_user' AND state = 'ok' AND created_at > :since AND value_sealed IS NOT NULL
    """
)
ACCOUNTS: Final = text(
    "SELECT id, brand_id, customer_id, value_sealed FROM identity WHERE id = ANY(:ids) AND state = 'ok'"
)
BEFORE: Final = text(
    f"""
    SELECT account.id, show_id, message.platform, min(coalesce(sent_at, received_at)) AS at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:brands AS uuid[]), CAST(:names AS text[]))
        AS account(id, brand, name)
    JOIN message ON message.brand_id = account.brand AND platform = split_part(account.name, ':', 1)
        AND author_id = substr(account.name, strpos(account.name, ':') + 1)
    WHERE {SAID}
    GROUP BY account.id, show_id, message.platform
    """  # noqa: S608 - words of ours
)
NOTED: Final = text("SELECT identity_id, show_id FROM touch WHERE kind = 'chat' AND identity_id = ANY(:ids)")


class ChatTouches:
    """The sweep. It looks at what came since the last one; the first one at all that may have been missed."""

    def __init__(self, db: Database, visits: Visits, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._visits = visits
        self._vault = vault
        self._clock = clock
        self._looked: datetime | None = None

    async def sweep(self) -> int:
        """What is no touch yet; how many there were. A transaction for each `MOST` authors or accounts."""
        now = self._clock()
        since = max(now - BACK, self._looked - SLACK) if self._looked else now - BACK
        noted = await self._messages(since) + await self._accounts(since)
        self._looked = now
        return noted

    async def _messages(self, since: datetime) -> int:
        """Whose messages are new."""
        noted = 0
        async with self._db.session() as session:
            shows = (await run(session, SHOWS, {"since": since})).all()
        for show in shows:
            async with self._db.session() as session:
                rows = (await run(session, WROTE, {"show": show.id, "since": since})).all()
            for some in chunks(rows):
                # In a thread: a busy evening has everybody who wrote on any platform.
                by_hash = await asyncio.to_thread(hashed, self._vault, some)
                async with self._db.session() as session:
                    nodes = await run(session, KNOWN, {"brand": show.brand_id, "hashes": [*by_hash]})
                    noted += await self._note(session, [(node, by_hash[node.value_hash]) for node in nodes])
        return noted

    async def _accounts(self, since: datetime) -> int:
        """Who is new, and what they wrote before."""
        noted = 0
        async with self._db.session() as session:
            ids = (await run(session, NEW, {"since": since})).scalars().all()
        for some in chunks(ids):
            async with self._db.session() as session:
                nodes = {node.id: node for node in await run(session, ACCOUNTS, {"ids": some})}
                names = await asyncio.to_thread(opened, self._vault, [*nodes.values()])
                about = {"ids": [*nodes], "brands": [one.brand_id for one in nodes.values()], "names": names}
                said = await run(session, BEFORE, about)
                noted += await self._note(session, [(nodes[row.id], row) for row in said])
        return noted

    async def _note(self, session: AsyncSession, chats: Sequence[tuple[Any, Any]]) -> int:
        """One touch for each account (its node) and show it wrote in (from when on); how many were new."""
        ids = {"ids": [*{node.id for node, _ in chats}]}
        known = {(row.identity_id, row.show_id) for row in await run(session, NOTED, ids)} if chats else set()
        made = [
            await self._visits.note_touch(
                session,
                node.brand_id,
                kind="chat",
                source_id=uuid5(CHATS, f"{row.show_id}:{node.id}"),
                customer_id=node.customer_id,
                identity_id=node.id,
                show_id=row.show_id,
                utm={"utm_source": row.platform, "utm_medium": "social"},
                at=row.at,
            )
            for node, row in chats
            if (node.id, row.show_id) not in known
        ]
        return sum(one is not None for one in made)


def chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """At most `MOST` at a time."""
    return (rows[start : start + MOST] for start in range(0, len(rows), MOST))


def hashed(vault: Vault, rows: Sequence[Any]) -> dict[str, Any]:
    """Who wrote in a show, by the hash that the graph has of their account."""
    return {vault.fingerprint(f"{row.platform}:{row.author_id}"): row for row in rows}


def opened(vault: Vault, nodes: Sequence[Any]) -> list[str]:
    """What their platforms call these accounts, with the platform before it."""
    return [vault.open(bytes(node.value_sealed)) for node in nodes]
