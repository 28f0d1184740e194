"""Finds claims among the messages of a batch, in the transaction that stores them.

So a claim is there if its message is, once. A message costs its parsing, a batch one statement more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.claims.catalogue import catalogue_of
from hub.claims.models import Claim
from hub.claims.parser import Read, parse
from hub.clock import Clock
from hub.db import run
from hub.ids import new_id
from hub.shows.models import Show

WINDOW: Final = timedelta(seconds=2)
"""How long a claim waits for earlier ones that are still on their way."""
OLDEST: Final = timedelta(seconds=60)
"""A platform may date a message anywhere; nobody gets before the others by more than this."""
TALK: Final = frozenset({"text", "paid"})

Row = dict[str, Any]


class Intake:
    """Writes claims down; they are decided in `judge.py`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def note(self, session: AsyncSession, show: Show, rows: Sequence[Row]) -> None:
        """Messages that were just stored. None of them is ours, or of before we listened."""
        rows = [row for row in rows if may_claim(row)]
        if show.state != "live" or not rows:
            return
        catalogue = await catalogue_of(session, show.id)
        found = [(row, read) for row in rows if (read := parse(row["text"], catalogue))]
        if found:
            now = self._clock()
            values = [claim_of(row, read, now) for row, read in found]
            await run(session, insert(Claim).values(values).on_conflict_do_nothing())


def may_claim(row: Row) -> bool:
    """Somebody's own words, which everybody can see. Who is not named can be held nothing for."""
    return (
        row["kind"] in TALK
        and bool(row["author_id"])
        and not (row["hidden"] or row["staff_only"] or row["outgoing"] or row["deleted"])
    )


def claim_of(row: Row, read: Read, now: datetime) -> Row:
    """A row of the table."""
    sent = row["sent_at"] or row["received_at"]
    return {
        "id": new_id(),
        "brand_id": row["brand_id"],
        "show_id": row["show_id"],
        "message_id": row["id"],
        "target_id": row["target_id"],
        "platform": row["platform"],
        "author_id": row["author_id"],
        "author_name": row["author_name"],
        "viewer_id": viewer_of(row["platform"], row["author_id"]),
        "words": row["text"][:200],
        "product_id": read.product_id,
        "variant_id": read.variant_id,
        "between": ", ".join(one for one in read.between if one)[:200],
        "quantity": read.quantity,
        "said_at": min(max(sent, row["received_at"] - OLDEST), row["received_at"]),
        "due_at": now + WINDOW,
        "round": 0,
        "state": "waiting",
        "detail": "",
        "answer": "none",
        "public": False,
        "tries": 0,
        "updated_at": now,
    }


def viewer_of(platform: str, author_id: str) -> str:
    """Whom a claim's reservation belongs to: on our own page the viewer, elsewhere the person there."""
    if platform == "own":
        return author_id
    return "claim-" + hashlib.sha256(f"{platform}:{author_id}".encode()).hexdigest()[:32]
