"""What people are worth over time by the channel that brought them, and who came over from a platform."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.definitions import SMALL
from hub.analytics.money import PLATFORM_SHOPS, SALE, Scope, per, share
from hub.db import run

DAYS: Final = (30, 90, 180)
SOCIAL_GROUPS: Final = ("Organic Social", "Paid Social", "Organic Video", "Paid Video")
SOCIAL: Final = sorted(PLATFORM_SHOPS | {"twitch", "tiktok", "kick", "x", "linkedin"})
"""Platforms where people have handles that are not ours."""

FIRST: Final = """
    came AS (
        SELECT customer_id, at, channel_group AS channel, (channel_group = 'Direct')::int AS rank FROM touch
        WHERE brand_id = :brand_id AND customer_id IS NOT NULL
        UNION ALL
        SELECT customer_id, placed_at, CASE channel WHEN 'own' THEN 'Direct' ELSE channel END, 1 FROM sale
        WHERE customer_id IS NOT NULL),
    first AS (
        SELECT customer_id, min(at) AS at, (array_agg(channel ORDER BY rank, at, channel))[1] AS channel
        FROM came JOIN customer ON customer.id = customer_id AND merged_into IS NULL GROUP BY 1)"""
WORTH = text(
    f"""
    WITH {SALE}, {FIRST},
    age AS (SELECT *, CAST(:now AS timestamptz) - at AS old FROM first)
    SELECT channel, NULL AS currency, count(*) AS people,
        count(*) FILTER (WHERE old >= interval '30 days') AS n_30,
        count(*) FILTER (WHERE old >= interval '90 days') AS n_90,
        count(*) FILTER (WHERE old >= interval '180 days') AS n_180 FROM age GROUP BY 1
    UNION ALL
    SELECT age.channel, currency, NULL,
        sum(net - cost) FILTER (WHERE old >= interval '30 days' AND placed_at < at + interval '30 days'),
        sum(net - cost) FILTER (WHERE old >= interval '90 days' AND placed_at < at + interval '90 days'),
        sum(net - cost) FILTER (WHERE old >= interval '180 days' AND placed_at < at + interval '180 days')
    FROM age JOIN sale USING (customer_id) GROUP BY 1, 2
    ORDER BY 1, 2 NULLS FIRST
    """  # noqa: S608 - made of constants
)
MET: Final = f"""
    {SALE},
    seen AS (
        SELECT customer_id, at, channel_group = ANY(:groups) AS social, channel_group AS channel FROM touch
        WHERE brand_id = :brand_id AND customer_id IS NOT NULL
        UNION ALL
        SELECT customer_id, placed_at, channel = ANY(:social), channel FROM sale
        WHERE customer_id IS NOT NULL
        UNION ALL
        SELECT customer_id, created_at, kind = 'platform_user' AND source = ANY(:social), source
        FROM identity WHERE brand_id = :brand_id AND kind <> 'visitor' AND state = 'ok'),
    first AS (
        SELECT DISTINCT ON (customer_id) seen.*
        FROM seen JOIN customer ON customer.id = customer_id AND merged_into IS NULL
        ORDER BY customer_id, at, social DESC, channel),
    met AS (
        SELECT customer_id, channel,
            EXISTS (SELECT FROM identity WHERE identity.customer_id = first.customer_id AND source = 'own'
                    AND state = 'ok' AND kind IN ('email', 'phone', 'account')
                    AND created_at >= first.at) AS identified,
            EXISTS (SELECT FROM sale WHERE sale.customer_id = first.customer_id AND channel = 'own'
                    AND NOT off AND placed_at >= first.at) AS bought
        FROM first WHERE social)"""  # noqa: S608 - made of constants
"""SQL: `WITH` parts that end in `met`, one row per person first met on a platform; takes `MET_WORDS`, too."""
MET_WORDS: Final = {"groups": [*SOCIAL_GROUPS], "social": SOCIAL}
MIGRATED = text(
    f"""
    WITH {MET}
    SELECT channel, grouping(channel) = 1 AS all_of_them, count(*) AS social_first,
        count(*) FILTER (WHERE identified) AS identified_later,
        count(*) FILTER (WHERE bought) AS bought_own_later,
        count(*) FILTER (WHERE identified OR bought) AS migrated
    FROM met GROUP BY ROLLUP (channel) ORDER BY 2 DESC, 3 DESC, 1
    """  # noqa: S608 - made of constants
)


class Worth(BaseModel):
    """One first channel in one currency. `people_30`…: how many are old enough for each figure.

    `small`: so few that a figure is a hint. A value is None where nobody is old enough.
    """

    first_channel: str
    currency: str
    people: int
    people_30: int
    people_90: int
    people_180: int
    ltv_30_minor: int | None
    ltv_90_minor: int | None
    ltv_180_minor: int | None
    small: bool


class Migration(BaseModel):
    """People met on a platform, by how they were met; `channel` None: all of them."""

    channel: str | None
    social_first: int
    identified_later: int
    bought_own_later: int
    migrated: int
    migration_rate: float | None
    small: bool


class Lifetime(BaseModel):
    """Of the whole brand: a person's life is not a show's."""

    worth: list[Worth]
    migration: list[Migration]


async def lifetime(session: AsyncSession, brand_id: UUID, now: datetime, currency: str) -> Lifetime:
    """`currency`: the brand's own; a channel that sold nothing stands in it."""
    values = {**Scope(brand_id=brand_id).values(), "now": now}
    rows = (await run(session, WORTH, values)).mappings().all()
    moved = (await run(session, MIGRATED, {**values, **MET_WORDS})).mappings().all()
    return Lifetime(worth=worth_of([dict(row) for row in rows], currency), migration=[*map(moved_of, moved)])


def worth_of(rows: list[dict[str, Any]], currency: str) -> list[Worth]:
    """Rows of people (without a currency) divide the rows of money of the same channel."""
    people = {row["channel"]: row for row in rows if row["currency"] is None}
    money: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["currency"] is not None:
            money[row["channel"]].append(row)
    found = []
    for channel, base in people.items():
        for row in money[channel] or [{"currency": currency}]:
            averages = {
                f"ltv_{days}_minor": per(int(row.get(f"n_{days}") or 0), base[f"n_{days}"]) for days in DAYS
            }
            found.append(
                Worth(
                    first_channel=channel,
                    currency=row["currency"],
                    people=base["people"],
                    **{f"people_{days}": base[f"n_{days}"] for days in DAYS},
                    **averages,
                    small=base["people"] < SMALL,
                )
            )
    return sorted(found, key=lambda one: (one.currency, -one.people, one.first_channel))


def moved_of(row: Any) -> Migration:
    """One row of the migration table."""
    return Migration(
        channel=None if row["all_of_them"] else row["channel"],
        social_first=row["social_first"],
        identified_later=row["identified_later"],
        bought_own_later=row["bought_own_later"],
        migrated=row["migrated"],
        migration_rate=share(row["migrated"], row["social_first"]),
        small=row["social_first"] < SMALL,
    )
