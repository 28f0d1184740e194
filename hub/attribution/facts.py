"""One order's three facts, kept apart: where it was bought, where the show was seen, what was clicked.

Where it was bought is the order's channel. Where it was seen are the places the order's person watched on:
our page, by their events, and platforms, by what they said or claimed there. What was clicked are the touches
before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution.extract import Scope
from hub.attribution.reckoning import Reckoning, dicts
from hub.attribution.service import Attribution
from hub.attribution.words import MODELS, WATCHED, By, Model, Window
from hub.db import run
from hub.errors import NotFound
from hub.orders.models import Order

SAID_ON: Final = text(
    """
    SELECT DISTINCT utm_source FROM touch
    WHERE brand_id = :brand_id AND customer_id = :customer_id AND show_id = :show_id
        AND kind IN ('chat', 'claim') AND utm_source IS NOT NULL
    """
)
OF_MODEL: Final = """
    SELECT touch_id, touch."at", touch.{by} AS key, touch.direct,
        coalesce(sum(credit.amount), 0)::BIGINT AS amount
    FROM path JOIN touch ON touch.rowid = touch_no
    LEFT JOIN credit ON credit.touch_no = path.touch_no AND NOT credit.counts
    GROUP BY ALL ORDER BY touch."at", touch_id
"""


class Touched(BaseModel):
    """One touch before the order, its credit of what is left of the order by each model, in minor units."""

    touch_id: UUID
    at: datetime
    key: str
    direct: bool
    credits: dict[Model, int]


class OrderFacts(BaseModel):
    """The three facts of an order. `left_minor`: its total less refunds; where there is a touch at all, each
    model's credits add up to it. `used`: models that another one stood in for."""

    order_id: UUID
    bought: str
    seen: list[str]
    currency: str
    left_minor: int
    window: Window
    by: By
    used: dict[Model, Model]
    touches: list[Touched]


@dataclass
class Reckoned:
    """What DuckDB says of the order."""

    left_minor: int
    watched: bool
    used: dict[Model, Model]
    touches: list[Touched]


async def facts_of(
    session: AsyncSession, attribution: Attribution, brand_id: UUID, order_id: UUID, window: Window, by: By
) -> OrderFacts:
    """Of one order of a brand, reckoned now. One that was not paid has nothing to share out."""
    query = select(Order).where(col(Order.id) == order_id, col(Order.brand_id) == brand_id)
    order = (await session.exec(query)).first()
    if order is None:
        raise NotFound("order_unknown", "There is no such order.")
    scope = Scope(brand_id, order.show_id, order_id=order.id)
    found: Reckoned = await attribution.reckon(session, scope, lambda one: reckon(one, window, by))
    seen = [WATCHED] if found.watched else []
    if order.customer_id and order.show_id:
        values = {"brand_id": brand_id, "customer_id": order.customer_id, "show_id": order.show_id}
        seen += sorted((await run(session, SAID_ON, values)).scalars())
    return OrderFacts(
        order_id=order.id,
        bought=order.channel,
        seen=seen,
        currency=order.currency,
        left_minor=found.left_minor,
        window=window,
        by=by,
        used=found.used,
        touches=found.touches,
    )


def reckon(reckoning: Reckoning, window: Window, by: By) -> Reckoned:
    """Every model's credits of the one order there is. Blocks."""
    con = reckoning.con
    reckoning.look_back(window, [by])
    touches: dict[UUID, Touched] = {}
    used: dict[Model, Model] = {}
    for model in MODELS:
        really = reckoning.split(model, by)
        if really != model:
            used[model] = really
        for row in dicts(con.execute(OF_MODEL.format(by=by))):
            amount = row.pop("amount")
            row["at"] = row["at"].replace(tzinfo=UTC)
            touches.setdefault(row["touch_id"], Touched(credits={}, **row)).credits[model] = amount
    [[left]] = con.execute("SELECT coalesce(sum(amount), 0)::BIGINT FROM order_money").fetchall()
    [[watched]] = con.execute("SELECT count(*) > 0 FROM watched").fetchall()
    return Reckoned(left, watched, used, [*touches.values()])
