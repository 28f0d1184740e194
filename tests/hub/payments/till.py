"""What tests of the money do again and again: buy, pay, give back, and look into the tables."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tests.hub.market import Buyer, Market


async def bought(market: Market, card: str = "pm_card_visa") -> tuple[Buyer, Any]:
    buyer = await market.viewer()
    return buyer, await buyer.order(await buyer.hold(), card)


async def paid(market: Market, card: str = "pm_card_visa") -> tuple[Buyer, Any]:
    buyer, order = await bought(market, card)
    await market.work()
    assert (await buyer.status(order))["state"] == "paid"
    return buyer, order


async def stripe(market: Market, control: str, **body: Any) -> Any:
    return await market.fakes["stripe"].control(control, body)


async def row(market: Market, table: str = "payment") -> dict[str, Any]:
    """The newest row."""
    rows = await market.sql(f"SELECT * FROM {table} ORDER BY id DESC LIMIT 1")  # noqa: S608
    return dict(rows[0])


async def refund(market: Market, order: Any, amount: int, key: str = "") -> Any:
    async with market.hub.db.session() as session:
        return await market.hub.payments.refund(
            session, UUID(order["order_id"]), amount, "Damaged", "ana@example.com", key or uuid4().hex
        )
