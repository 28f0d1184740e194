"""How long the decision about an order takes: may it go on, what does it score, and why (`hub/risk`).

A brand with a past and a buyer with 50 orders in the last half minute, in turn with people nobody has seen.
Measured around the two calls that the checkout makes, several buyers at a time, with what they write.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from hub.ids import new_id
from hub.orders.models import Order
from hub.payments.out import PaymentChoice
from hub.risk.identity import Visit, Who
from hub.services import Services
from tests.hub.shop import Shop, open_shop

PAST: Final = Path(__file__).with_name("buys_risk.sql")
BAR_MS: Final = 100
ORDERS: Final = 10_000
BUYS: Final = 50
AT_ONCE: Final = 4
REGULAR: Final = UUID(hashlib.md5(b"customer0", usedforsecurity=False).hexdigest())
"""Who the regular is in `PAST`."""
CARD: Final = PaymentChoice(source="pm_card_visa")
PHONE: Final = Visit("81.2.69.142", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)", "de-DE")
ASKED: Final = """
    CREATE TEMPORARY TABLE asked (
        brand uuid, show uuid, variant uuid, connection uuid, viewer text, traces jsonb, orders int
    ) ON COMMIT DROP
"""
ASK: Final = "INSERT INTO asked VALUES ($1, $2, $3, $4, $5, $6, $7)"
ANALYZE: Final = "ANALYZE orders, payment, risk_trace, touch, hold, message"
"""What PostgreSQL does by itself within a minute."""
REASONED: Final = "SELECT count(*) FROM risk_score WHERE brand_id = $1 AND json_array_length(reasons) > 0"


async def decided(hub: Services, connection_id: UUID, count: int) -> tuple[list[float], int]:
    """(milliseconds that each of `count` decisions took, how many gave no reason)."""
    shop, viewer = await open_shop(hub, 10), uuid4().hex
    await remember(hub, shop, connection_id, viewer)
    for _ in range(BUYS):
        await decide(hub, shop, viewer, REGULAR)
    lanes = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> float:
        async with lanes:
            return await (decide(hub, shop, viewer, REGULAR) if n % 2 else decide(hub, shop, uuid4().hex))

    took = await asyncio.gather(*(one(n) for n in range(count)))
    return took, count + BUYS - await hub.db.pool.fetchval(REASONED, shop.brand_id)


async def remember(hub: Services, shop: Shop, connection_id: UUID, viewer: str) -> None:
    """Give the brand its past, in which this viewer comes again and again."""
    traces = json.dumps(dict(asking(hub, shop, viewer).traces))
    values = (shop.brand_id, shop.show_id, shop.variant_id, connection_id, viewer, traces, ORDERS)
    async with hub.db.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute(ASKED)
            await connection.execute(ASK, *values)
            await connection.execute(PAST.read_text(), timeout=120)
        await connection.execute(ANALYZE, timeout=120)


def asking(hub: Services, shop: Shop, viewer: str) -> Who:
    """Somebody who buys on a phone, with a new card, in a network that many share."""
    return hub.risk.who((shop.brand_id, viewer, f"{viewer}@example.com"), PHONE, CARD)


async def decide(hub: Services, shop: Shop, viewer: str, customer: UUID | None = None) -> float:
    """One order, written and judged; the milliseconds of the judging."""
    order = Order(
        id=new_id(),
        brand_id=shop.brand_id,
        show_id=shop.show_id,
        channel="own",
        number=f"B-{viewer}",
        state="authorising",
        currency="EUR",
        subtotal_minor=4900,
        total_minor=4900,
        customer_id=customer,
        viewer_id=viewer,
        placed_at=hub.clock(),
    )
    who, began = asking(hub, shop, viewer), time.perf_counter()
    await hub.risk.admit(who, str(order.id), [])
    admitted = time.perf_counter() - began
    async with hub.db.session() as session:
        session.add(order)
        await session.flush()
        began = time.perf_counter()
        await hub.risk.held(session, order, who, CARD)
        await session.flush()
        return (admitted + time.perf_counter() - began) * 1000
