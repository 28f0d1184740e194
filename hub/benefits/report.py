"""What benefits cost and what they bring. Money in minor units, without tax; currencies are never added."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.definitions import SMALL
from hub.analytics.money import SALE, Scope, per, share
from hub.db import run

GIVEN: Final = text(
    """
    WITH kept AS (
        SELECT offer.id, order_line.order_id, orders.customer_id, orders.currency, orders.placed_at,
            quantity - returned AS units,
            greatest(list_minor - unit_minor, 0) * (quantity - returned) AS given,
            (unit_minor * quantity - order_line.discount_minor
             - CASE WHEN prices_include_tax THEN order_line.tax_minor ELSE 0 END)
                * (quantity - returned) / quantity AS net,
            order_line.cost_minor * (quantity - returned) AS cost
        FROM offer JOIN order_line ON order_line.offer_id = offer.id
        JOIN orders ON orders.id = order_line.order_id
        WHERE offer.brand_id = :brand_id AND orders.state = 'paid' AND NOT orders.test)
    SELECT offer.id, offer.title, offer.kind, segment.name AS segment, kept.currency,
        coalesce(sum(kept.units), 0)::bigint AS units, count(DISTINCT kept.order_id) AS orders,
        count(DISTINCT kept.customer_id) AS buyers, coalesce(sum(given), 0)::bigint AS given_minor,
        coalesce(sum(net), 0)::bigint AS net_minor,
        CASE WHEN bool_and(kept.cost IS NOT NULL)
            THEN (sum(net) - sum(kept.cost))::bigint END AS margin_minor,
        count(DISTINCT kept.customer_id) FILTER (WHERE EXISTS (
            SELECT FROM orders AS later WHERE later.customer_id = kept.customer_id AND later.state = 'paid'
                AND NOT later.test AND later.placed_at > kept.placed_at
                AND later.placed_at < kept.placed_at + interval '30 days')) AS again,
        (SELECT count(*) FROM customer WHERE customer.brand_id = offer.brand_id AND merged_into IS NULL
            AND member_since >= offer.live_at
            AND member_since <= coalesce(offer.ended_at, offer.ends_at, now())) AS joined
    FROM offer LEFT JOIN segment ON segment.id = offer.segment_id LEFT JOIN kept ON kept.id = offer.id
    WHERE offer.brand_id = :brand_id AND offer.state <> 'draft'
        AND (offer.segment_id IS NOT NULL OR offer.members_until IS NOT NULL)
        AND (CAST(:show_id AS uuid) IS NULL OR offer.show_id = CAST(:show_id AS uuid))
    GROUP BY offer.id, segment.name, kept.currency ORDER BY offer.live_at DESC, kept.currency
    """
)
COMPARED: Final = text(
    f"""
    WITH {SALE},
    spent AS (
        SELECT customer_id, currency, count(*) AS orders, sum(net)::bigint AS net,
            sum(net - cost)::bigint AS margin
        FROM sale WHERE customer_id IS NOT NULL AND NOT off GROUP BY 1, 2),
    known AS (
        SELECT spent.*, member_since IS NOT NULL AS member,
            migrated_person.customer_id IS NOT NULL AS migrated
        FROM spent JOIN customer ON customer.id = spent.customer_id
        LEFT JOIN migrated_person ON migrated_person.customer_id = spent.customer_id)
    SELECT what, yes, currency, count(*) AS buyers, sum(orders)::bigint AS orders,
        count(*) FILTER (WHERE orders > 1) AS again, sum(net)::bigint AS net, sum(margin)::bigint AS margin
    FROM known CROSS JOIN LATERAL (VALUES ('members', member), ('migrated', migrated)) AS one(what, yes)
    GROUP BY 1, 2, 3 ORDER BY 1, 3, 2 DESC
    """  # noqa: S608 - made of constants
)


class Given(BaseModel):
    """One benefit: an offer for some, or for them first.

    `given_minor`: what was taken off the listed price, for goods that were kept. `net_minor`: what those
    goods brought. `margin_minor`: None while a cost is not known. `again`: of its buyers, those who bought
    again within 30 days. `joined`: people who became members while it ran.
    """

    offer_id: UUID
    title: str
    kind: str
    segment: str = Field(description="for whom")
    currency: str | None
    units: int
    orders: int
    buyers: int
    given_minor: int
    net_minor: int
    margin_minor: int | None
    again: int
    joined: int


class Group(BaseModel):
    """Buyers who are members (or came over from a platform), or all the others."""

    what: str = Field(description="members or migrated")
    yes: bool = Field(description="those who are, or all the others")
    currency: str
    buyers: int
    orders: int
    repeat_rate: float | None = Field(description="buyers with more than one order, of its buyers")
    net_per_buyer_minor: int | None
    margin_per_buyer_minor: int | None
    small: bool = Field(description="so few that a figure is a hint")


class Report(BaseModel):
    """Cost against gain. That members buy more need not be due to the benefits: who likes a shop joins."""

    given: list[Given]
    groups: list[Group]


async def report(session: AsyncSession, brand_id: UUID, show_id: UUID | None) -> Report:
    """Of one show, or of all there were."""
    scope = Scope(brand_id=brand_id, show_id=show_id)
    given = (await run(session, GIVEN, {"brand_id": brand_id, "show_id": show_id})).mappings().all()
    groups = (await run(session, COMPARED, scope.values())).mappings().all()
    return Report(
        given=[
            Given(offer_id=row["id"], **{**row, "segment": row["segment"] or "Members, for a time"})
            for row in given
        ],
        groups=[
            Group(
                what=row["what"],
                yes=row["yes"],
                currency=row["currency"],
                buyers=row["buyers"],
                orders=row["orders"],
                repeat_rate=share(row["again"], row["buyers"]),
                net_per_buyer_minor=per(row["net"], row["buyers"]),
                margin_per_buyer_minor=per(row["margin"], row["buyers"]),
                small=row["buyers"] < SMALL,
            )
            for row in groups
        ],
    )
