"""Who returns how much, and what comes back of each show and offer. Figures for people, no verdicts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.models import AftersaleTerms
from hub.db import run

SOLD = "('paid', 'refunded')"
"""States of an order whose goods reached, or were on their way to, a buyer. Cancels are no returns."""

BY_SHOW = text(
    f"""
    SELECT show.id, show.title AS title, sum(line.quantity) AS pieces, sum(line.returned) AS returned
    FROM orders JOIN order_line AS line ON line.order_id = orders.id JOIN show ON show.id = orders.show_id
    WHERE orders.brand_id = :brand_id AND orders.state IN {SOLD} AND line.variant_id IS NOT NULL
    GROUP BY show.id ORDER BY show.id DESC LIMIT :limit
    """  # noqa: S608  # words of ours
)
BY_OFFER = text(
    f"""
    SELECT offer.id, offer.title AS title, sum(line.quantity) AS pieces, sum(line.returned) AS returned
    FROM orders JOIN order_line AS line ON line.order_id = orders.id JOIN offer ON offer.id = line.offer_id
    WHERE orders.brand_id = :brand_id AND orders.state IN {SOLD}
    GROUP BY offer.id ORDER BY offer.id DESC LIMIT :limit
    """  # noqa: S608  # words of ours
)
RETURNERS = text(
    f"""
    SELECT customer.id, customer.name, count(DISTINCT orders.id) AS orders, sum(line.quantity) AS pieces,
           sum(line.returned) AS returned,
           count(DISTINCT orders.id) FILTER (WHERE line.returned > 0) AS orders_returned,
           max(orders.placed_at) AS last_order_at
    FROM orders JOIN order_line AS line ON line.order_id = orders.id
    JOIN customer ON customer.id = orders.customer_id
    WHERE orders.brand_id = :brand_id AND orders.state IN {SOLD}
      AND (CAST(:customer_id AS uuid) IS NULL OR customer.id = CAST(:customer_id AS uuid))
    GROUP BY customer.id
    HAVING NOT :only_marked OR (count(DISTINCT orders.id) >= :orders
        AND sum(line.returned) * 100 >= sum(line.quantity) * :percent)
    ORDER BY sum(line.returned)::numeric / sum(line.quantity) DESC, customer.id LIMIT :limit
    """  # noqa: S608  # words of ours
)


class Rate(BaseModel):
    """Pieces sold and pieces that came back."""

    id: UUID
    title: str
    pieces: int
    returned: int


class Rates(BaseModel):
    """Of the newest shows and offers."""

    shows: list[Rate]
    offers: list[Rate]


class Returner(BaseModel):
    """A customer's orders and returns. `marked` when both of the brand's thresholds are reached.

    A signal for people: nothing is refused by it.
    """

    id: UUID
    name: str | None
    orders: int
    orders_returned: int
    pieces: int
    returned: int
    last_order_at: datetime
    marked: bool
    threshold_orders: int
    threshold_percent: int


async def rates(session: AsyncSession, brand_id: UUID, limit: int = 50) -> Rates:
    """What came back of each show and each offer."""
    values = {"brand_id": brand_id, "limit": limit}
    shows, offers = [(await run(session, query, values)).mappings().all() for query in (BY_SHOW, BY_OFFER)]
    return Rates(
        shows=[Rate.model_validate(dict(row)) for row in shows],
        offers=[Rate.model_validate(dict(row)) for row in offers],
    )


async def returners(
    session: AsyncSession, terms: AftersaleTerms, customer_id: UUID | None = None, limit: int = 100
) -> list[Returner]:
    """Customers over the brand's thresholds, the highest rate first; or one customer, whatever their rate."""
    orders, percent = terms.returner_orders, terms.returner_percent
    values = {
        "brand_id": terms.brand_id,
        "customer_id": customer_id,
        "only_marked": customer_id is None,
        "orders": orders,
        "percent": percent,
        "limit": limit,
    }
    found = []
    for row in (await run(session, RETURNERS, values)).mappings():
        marked = row["orders"] >= orders and row["returned"] * 100 >= row["pieces"] * percent
        limits = {"threshold_orders": orders, "threshold_percent": percent}
        found.append(Returner.model_validate({**row, "marked": marked, **limits}))
    return found
