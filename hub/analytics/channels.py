"""The channels page: what each source, target, link or channel group brought, cost, and made of people.

The money is attribution's; visitors, costs and migration are added here, under the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.lifetime import SOCIAL_GROUPS
from hub.analytics.money import share
from hub.attribution.words import By, Credits
from hub.db import run
from hub.visits.channels import group_of

KEY: Final[Mapping[By, str]] = {
    "source": "coalesce(nullif(touch.utm_source, ''), nullif(touch.referrer_host, ''), '(direct)')",
    "channel_group": "coalesce(nullif(channel_group, ''), 'Unassigned')",
    "campaign": "coalesce(nullif(touch.utm_campaign, ''), '(none)')",
    "target": "coalesce(tracked_link.target_id::text, '(none)')",
    "link": "coalesce(touch.link_id::text, '(none)')",
}
"""What a touch is counted under: the keys of attribution, which names none itself."""
LINKS = text(
    """
    SELECT tracked_link.id, tracked_link.target_id, code, tracked_link.title, utm_source, utm_medium,
        utm_campaign, show_target.name AS target, cost_minor, currency
    FROM tracked_link LEFT JOIN show_target ON show_target.id = target_id
    WHERE tracked_link.brand_id = :brand_id
      AND (CAST(:show_id AS uuid) IS NULL OR tracked_link.show_id = CAST(:show_id AS uuid))
      AND (CAST(:since AS timestamptz) IS NULL OR tracked_link.created_at >= CAST(:since AS timestamptz))
      AND (CAST(:until AS timestamptz) IS NULL OR tracked_link.created_at < CAST(:until AS timestamptz))
    """
)
Spent = dict[tuple[str, str], int]
"""(key, currency) → what was paid for links, in minor units."""


class ChannelRow(BaseModel):
    """One source in one currency (None: nobody of it bought). Amounts in minor units.

    `credited_orders` is in parts, as text exact to six places. Cost stands in its own currency beside the
    credits of the same currency; `return_on_cost` is None without a cost. Visitors, people and migration are
    of the source, whatever the currency.
    """

    key: str
    title: str
    currency: str | None
    credited_orders: str
    credited_minor: int
    influenced_minor: int
    influenced_orders: int
    visitors: int
    link_cost_minor: int
    return_on_cost: float | None
    social_first: int
    migrated: int
    migration_rate: float | None


class ChannelTotal(BaseModel):
    """All orders of one currency, each once; what the rows' credits add up to."""

    currency: str
    credited_orders: str
    credited_minor: int
    link_cost_minor: int


class Channels(BaseModel):
    """One model and window. `used`: the model that was really used; `notes` say why, where it is another."""

    by: By
    model: str
    used: str
    window: str
    version: str
    rows: list[ChannelRow]
    totals: list[ChannelTotal]
    notes: list[str]


def visitors_query(by: By) -> TextClause:
    """Browsers and people by key; of people met on a platform, those who came over."""
    return text(
        f"""
        WITH came AS (
            SELECT {KEY[by]} AS key, touch.* FROM touch LEFT JOIN tracked_link ON tracked_link.id = link_id
            WHERE touch.brand_id = :brand_id
              AND (CAST(:show_id AS uuid) IS NULL OR touch.show_id = CAST(:show_id AS uuid))
              AND (CAST(:since AS timestamptz) IS NULL OR touch.at >= CAST(:since AS timestamptz))
              AND (CAST(:until AS timestamptz) IS NULL OR touch.at < CAST(:until AS timestamptz))),
        first AS (
            SELECT DISTINCT ON (customer_id) key, customer_id, at FROM came
            WHERE channel_group = ANY(:groups) AND customer_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM touch AS earlier WHERE earlier.customer_id = came.customer_id
                  AND earlier.at < came.at AND earlier.channel_group <> ALL(:groups))
            ORDER BY customer_id, at),
        moved AS (
            SELECT key, EXISTS (SELECT FROM identity WHERE identity.customer_id = first.customer_id
                    AND source = 'own' AND state = 'ok' AND identity.kind IN ('email', 'phone', 'account')
                    AND identity.created_at >= first.at)
                OR EXISTS (SELECT FROM orders WHERE orders.customer_id = first.customer_id
                    AND channel = 'own' AND NOT test AND state IN ('paid', 'refunded')
                    AND placed_at >= first.at) AS over
            FROM first)
        SELECT key, count(DISTINCT visitor_id) FILTER (WHERE came.kind = 'visit') AS visitors,
            (SELECT count(*) FROM moved WHERE moved.key = came.key) AS social_first,
            (SELECT count(*) FROM moved WHERE moved.key = came.key AND over) AS migrated
        FROM came GROUP BY 1
        """  # noqa: S608 - made of constants
    )


async def around(
    session: AsyncSession, values: Mapping[str, object], by: By
) -> tuple[dict[str, Any], Spent, dict[str, str]]:
    """What stands beside the money: visitors and migration by key, what links cost, and names of keys."""
    came = await run(session, visitors_query(by), {**values, "groups": [*SOCIAL_GROUPS]})
    spent: Spent = {}
    titles: dict[str, str] = {}
    for link in (await run(session, LINKS, values)).mappings():
        key = key_of(dict(link), by)
        if by in ("link", "target"):
            named = link["title"] or f"/l/{link['code']}" if by == "link" else link["target"]
            titles[key] = named or "Without a target"
        if link["cost_minor"]:
            spent[key, link["currency"]] = spent.get((key, link["currency"]), 0) + link["cost_minor"]
    return {row["key"]: row for row in came.mappings()}, spent, titles


def key_of(link: Mapping[str, Any], by: By) -> str:
    """What a link's visits are counted under."""
    if by == "channel_group":
        return group_of(link["utm_source"], link["utm_medium"], link["utm_campaign"])
    column = {"source": "utm_source", "campaign": "utm_campaign", "target": "target_id", "link": "id"}[by]
    return str(link[column]) if link[column] else "(none)"


def joined(told: Credits, came: Mapping[str, Any], spent: Spent, titles: Mapping[str, str]) -> Channels:
    """Attribution's rows with what was around them; sources that sold nothing stand below."""
    rows = [row_of(one, came.get(one.key), spent.get((one.key, one.currency or ""), 0)) for one in told.rows]
    known = {(one.key, one.currency) for one in told.rows}
    for key, currency in sorted(spent):
        if (key, currency) not in known:
            rows.append(bare(key, currency, came.get(key), spent[key, currency]))
    listed = {row.key for row in rows}
    rows += [bare(key, None, came[key], 0) for key in sorted(came) if key not in listed]
    for row in rows:
        row.title = titles.get(row.key, row.title)
    costs: dict[str, int] = {}
    for (_, currency), cost in spent.items():
        costs[currency] = costs.get(currency, 0) + cost
    totals = [
        ChannelTotal(
            currency=one.currency,
            credited_orders=str(one.orders),
            credited_minor=one.credit_minor,
            link_cost_minor=costs.get(one.currency, 0),
        )
        for one in told.totals
    ]
    return Channels(
        by=told.by,
        model=told.model,
        used=told.used,
        window=told.window,
        version=str(told.version),
        rows=rows,
        totals=totals,
        notes=told.notes,
    )


def row_of(one: Any, came: Any, cost: int) -> ChannelRow:
    """A row of credits, completed."""
    return ChannelRow(
        key=one.key,
        title=one.title or one.key,
        currency=one.currency,
        credited_orders=str(one.orders),
        credited_minor=one.credit_minor,
        influenced_minor=one.influenced_minor,
        influenced_orders=one.influenced_orders,
        return_on_cost=share(one.credit_minor, cost),
        **people_of(came),
        link_cost_minor=cost,
    )


def bare(key: str, currency: str | None, came: Any, cost: int) -> ChannelRow:
    """A source that brought no money."""
    return ChannelRow(
        key=key,
        title=key,
        currency=currency,
        credited_orders="0",
        credited_minor=0,
        influenced_minor=0,
        influenced_orders=0,
        link_cost_minor=cost,
        return_on_cost=0.0 if cost else None,
        **people_of(came),
    )


def people_of(came: Any) -> dict[str, Any]:
    """Visitors and migration of a key; nobody where no touch has it."""
    first, over = (came["social_first"], came["migrated"]) if came else (0, 0)
    return {
        "visitors": came["visitors"] if came else 0,
        "social_first": first,
        "migrated": over,
        "migration_rate": share(over, first),
    }
