"""Chats on platforms as touches: whoever is known by an account there was in that show.

Found by a sweep, from both ends: new messages, whose authors are hashed as the graph hashes accounts; and new
accounts, whose messages of before are looked up. One touch for each account and show, however often it runs.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.secrets import Vault
from hub.visits.service import Visits

BACK: Final = timedelta(days=2)
"""As long as the worker may have been away."""
CHATS: Final = UUID("0b7c5f5e-6a6f-5f0e-8f5d-51f0a3c0c9b7")
"""The namespace of what these touches were made from: an account and a show."""
SAID: Final = """
    message.platform <> 'own' AND NOT message.outgoing AND message.author_id IS NOT NULL
    AND message.author_id NOT LIKE 'nobody-%'
"""
WROTE: Final = text(
    f"""
    SELECT message.brand_id, show_id, platform, author_id, min(coalesce(sent_at, received_at)) AS at
    FROM show JOIN message ON message.show_id = show.id
    WHERE (show.ended_at IS NULL OR show.ended_at > :since) AND show.live_at IS NOT NULL
        AND received_at > :since AND {SAID}
    GROUP BY message.brand_id, show_id, platform, author_id
    """  # noqa: S608 - words of ours
)
KNOWN: Final = text(
    """
    SELECT id, customer_id, value_hash FROM identity
    WHERE brand_id = :brand AND kind = 'platform_user' AND state = 'ok' AND value_hash = ANY(:hashes)
    """
)
NEW: Final = text(
    """
    SELECT id, brand_id, customer_id, value_sealed FROM identity
    WHERE kind = 'platform_user' AND state = 'ok' AND created_at > :since AND value_sealed IS NOT NULL
    """
)
BEFORE: Final = text(
    f"""
    SELECT show_id, platform, author_id, min(coalesce(sent_at, received_at)) AS at FROM message
    WHERE brand_id = :brand AND platform = :platform AND author_id = :author AND {SAID}
    GROUP BY show_id, platform, author_id
    """  # noqa: S608 - words of ours
)


async def note_chats(session: AsyncSession, visits: Visits, vault: Vault, now: datetime) -> int:
    """What is no touch yet; how many there were."""
    noted = 0
    rows = (await run(session, WROTE, {"since": now - BACK})).all()
    by_brand: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_brand[row.brand_id].append(row)
    for brand, said in by_brand.items():
        # In a thread: a busy evening has everybody who wrote on any platform.
        hashes = await asyncio.to_thread(hashed, vault, said)
        found = await run(session, KNOWN, {"brand": brand, "hashes": [*hashes]})
        for node in found.all():
            noted += await note(session, visits, brand, node, hashes[node.value_hash])
    for node in (await run(session, NEW, {"since": now - BACK})).all():
        platform, _, author = vault.open(bytes(node.value_sealed)).partition(":")
        about = {"brand": node.brand_id, "platform": platform, "author": author}
        before = (await run(session, BEFORE, about)).all()
        noted += await note(session, visits, node.brand_id, node, before)
    return noted


def hashed(vault: Vault, rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Who wrote where, by the hash that the graph has of their account."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[vault.fingerprint(f"{row.platform}:{row.author_id}")].append(row)
    return found


async def note(session: AsyncSession, visits: Visits, brand: UUID, node: Any, said: Sequence[Any]) -> int:
    """One account's shows; how many were new."""
    made = [
        await visits.note_touch(
            session,
            brand,
            kind="chat",
            source_id=uuid5(CHATS, f"{row.show_id}:{node.id}"),
            customer_id=node.customer_id,
            identity_id=node.id,
            show_id=row.show_id,
            utm={"utm_source": row.platform, "utm_medium": "social"},
            at=row.at,
        )
        for row in said
    ]
    return sum(one is not None for one in made)
