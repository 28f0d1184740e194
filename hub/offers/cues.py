"""Offers as moments of the show: told to players while it is live, marks in its replay."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.offers.models import Offer
from hub.playback.cues import LONGEST_TITLE
from hub.playback.models import ShowCue
from hub.shows.models import Show


def open_cue(session: AsyncSession, show: Show, offer: Offer, begins: datetime) -> bool:
    """Whether players have to be told: only a live show has moments, and coupons have none."""
    if show.state != "live" or offer.kind == "coupon":
        return False
    cue = ShowCue(
        brand_id=show.brand_id,
        show_id=show.id,
        kind="offer",
        reference=str(offer.id),
        title=offer.title[:LONGEST_TITLE],
        begins_at=begins,
    )
    session.add(cue)
    return True


async def close_cue(session: AsyncSession, show: Show, offer: Offer, at: datetime) -> bool:
    """Whether players have to be told."""
    mine = update(ShowCue).where(
        col(ShowCue.show_id) == show.id,
        col(ShowCue.kind) == "offer",
        col(ShowCue.reference) == str(offer.id),
        col(ShowCue.ends_at).is_(None),
    )
    closed = await session.exec(mine.values(ends_at=at))
    return closed.rowcount > 0 and show.state == "live"
