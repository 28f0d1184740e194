"""What the tests of Shopify share: a shop with a bag and a mug, and somebody who buys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.shopify import CONNECTOR
from connectors.shopify.fake import Fake
from tests.connectors.conftest import Rig, reaching

SAMPLES = Path(__file__).parents[2] / "connectors" / "shopify" / "samples"
SHOP = "demo-shop.myshopify.com"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def open_shop() -> AsyncIterator[Rig]:
    """Five bags and two mugs."""
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        await made.ctl("catalog", items=[item("BAG", 5), item("MUG", 2, 990)])
        yield made


def item(sku: str, quantity: int, price: int = 4900) -> dict[str, Any]:
    title = f"The {sku.lower()}"
    return {"sku": sku, "title": title, "price_minor": price, "currency": "EUR", "quantity": quantity}


async def buy(rig: Rig, sku: str = "BAG", quantity: int = 1, **more: Any) -> str:
    body = {"sku": sku, "quantity": quantity, "email": "ann@example.com", "name": "Ann Example", **more}
    return str((await rig.ctl("order", **body))["order_id"])
