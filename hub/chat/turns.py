"""How often one viewer may speak, or try a thing: in one place for all processes, tabs, and devices."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.db import run
from hub.errors import SlowDown
from hub.shows.models import Show

TAKE: Final = text(
    """
    INSERT INTO chat_turn (show_id, viewer_hash, brand_id, next_at) VALUES (:show, :viewer, :brand, :next)
    ON CONFLICT (show_id, viewer_hash) DO UPDATE SET next_at = excluded.next_at
    WHERE chat_turn.next_at <= :now RETURNING next_at
    """
)
"""Looked at and taken in one statement: of two messages sent at once, one goes."""
NEXT: Final = text("SELECT next_at FROM chat_turn WHERE show_id = :show AND viewer_hash = :viewer")
OVER: Final = text("DELETE FROM chat_turn WHERE next_at <= :now")


async def take_turn(
    session: AsyncSession, show: Show, viewer: Viewer, now: datetime, every: float, *, doing: str = ""
) -> None:
    """SlowDown when it is too soon after the last one; `every` seconds must be between two.

    `doing` something else than speaking has turns of its own.
    """
    # Whoever is signed in is one person on each of their devices.
    who = doing + str(viewer.customer_id or viewer.id)
    mine = {"show": show.id, "viewer": hashlib.sha256(who.encode()).hexdigest()}
    values = {**mine, "brand": show.brand_id, "now": now, "next": now + timedelta(seconds=every)}
    if (await run(session, TAKE, values)).first():
        return
    next_at: datetime = (await run(session, NEXT, mine)).scalar_one()
    wait = max(1, math.ceil((next_at - now).total_seconds()))
    words = "Wait a moment, then try again." if doing else f"One message every {every:g} seconds, please."
    raise SlowDown("slow_down", words, retry_after=wait)


async def forget_turns(session: AsyncSession, now: datetime) -> None:
    """Whoever may speak again by now is known no more."""
    await run(session, OVER, {"now": now})
