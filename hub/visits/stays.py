"""Visits by GA4's rules for sessions.

Thirty minutes without a sign of life end one; midnight and new tags do not. Its source is what it began with,
and a direct one inherits the last source that was not, as far as that is not too long ago. It is engaged
after ten seconds, a key event or a second view. Sources: https://support.google.com/analytics/answer/9191807
(sessions), /11109416 (engaged), /11080067 (traffic source), /10597962 (lookback windows).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.visits.channels import DIRECT, NONE, NOT_SET
from hub.visits.coming import Coming
from hub.visits.models import Touch, Visit

QUIET: Final = timedelta(minutes=30)
LOOKBACK: Final = timedelta(days=90)
ACQUISITION_LOOKBACK: Final = timedelta(days=30)
"""GA4's default for the first visit of a browser; 90 days for all others."""
ENGAGED_SECONDS: Final = 10
ENGAGED_VIEWS: Final = 2


async def alone(session: AsyncSession, visitor_id: str) -> None:
    """Until this transaction ends nobody else writes this visitor's visits: two tabs are one visit."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('visit:' || :visitor, 0))")
    await run(session, lock, {"visitor": visitor_id})


async def stay(
    session: AsyncSession,
    brand_id: UUID,
    visitor_id: str,
    *,
    now: datetime,
    came: Coming,
    show_id: UUID | None = None,
    views: int = 0,
    carried: str | None = None,
) -> Visit:
    """The visit under way, or a new one that begins as `came` says. Call `alone` before.

    `carried`: another id of the same browser, whose sources a direct visit may inherit.
    """
    query = (
        select(Visit)
        .where(col(Visit.visitor_id) == visitor_id, col(Visit.brand_id) == brand_id)
        .order_by(col(Visit.last_at).desc())
        .limit(1)
    )
    visit = (await session.exec(query)).first()
    if visit is None or now - visit.last_at >= QUIET:
        since = now - (LOOKBACK if visit else ACQUISITION_LOOKBACK)
        visitors = [visitor_id, *([carried] if carried else [])]
        visit = Visit(
            brand_id=brand_id,
            visitor_id=visitor_id,
            show_id=show_id,
            started_at=now,
            last_at=now,
            landing=came.landing,
            views=0,
            **await begun_by(session, brand_id, visitors, since, came),
        )
        session.add(visit)
        await session.flush()
    visit.last_at = max(visit.last_at, now)
    visit.views += views
    judge(visit)
    return visit


async def begun_by(
    session: AsyncSession, brand_id: UUID, visitors: Sequence[str], since: datetime, came: Coming
) -> dict[str, Any]:
    """The columns that say where a visit came from."""
    if came.direct:
        before = await last_not_direct(session, brand_id, visitors, since)
        if before is None:
            return {"source": DIRECT, "medium": NONE, "channel_group": came.group, "inherited": False}
        return columns(before.utm_source, before.utm_medium, before.channel_group) | {
            "campaign": before.utm_campaign,
            "content": before.utm_content,
            "term": before.utm_term,
            "inherited": True,
        }
    utm = came.utm
    return columns(utm.get("utm_source"), utm.get("utm_medium"), came.group) | {
        "campaign": utm.get("utm_campaign"),
        "content": utm.get("utm_content"),
        "term": utm.get("utm_term"),
        "inherited": False,
    }


def columns(source: str | None, medium: str | None, group: str) -> dict[str, Any]:
    """What no tag says is `(not set)`, as in GA4."""
    return {"source": source or NOT_SET, "medium": medium or NOT_SET, "channel_group": group}


async def last_not_direct(
    session: AsyncSession, brand_id: UUID, visitors: Sequence[str], since: datetime
) -> Touch | None:
    """The last touch that says where from. No visit, lest what is inherited be inherited for ever."""
    query = (
        select(Touch)
        .where(
            col(Touch.visitor_id).in_(visitors),
            col(Touch.brand_id) == brand_id,
            col(Touch.kind) == "visit",
            col(Touch.channel_group) != "Direct",
            col(Touch.at) >= since,
        )
        .order_by(col(Touch.at).desc())
        .limit(1)
    )
    return (await session.exec(query)).first()


def attend(visit: Visit, *, seconds: int = 0, key_event: bool = False) -> None:
    """What happened in it: seconds before somebody's eyes, at most all there were; something that counts."""
    lasts = int((visit.last_at - visit.started_at).total_seconds())
    visit.seconds = min(visit.seconds + max(0, seconds), max(lasts, visit.seconds))
    visit.key_event = visit.key_event or key_event
    judge(visit)


def judge(visit: Visit) -> None:
    """Whether it is an engaged one."""
    visit.engaged = visit.key_event or visit.seconds >= ENGAGED_SECONDS or visit.views >= ENGAGED_VIEWS
