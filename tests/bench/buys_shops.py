"""How soon a sale is known in every other shop: in the platform's own books, not in ours.

Real processes, and the fakes of the shops behind real sockets. Sales are reservations on our own page, ten a
second, and then orders in one of the shops, two a second.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from tests.bench.buys_till import PATIENCE, Till, link
from tests.bench.rows import CannotMeasure
from tests.hub.market import SKU
from tests.hub.shop import Shop, open_shop

SHOPS: Final = ("shopify", "tiktok_shop", "woocommerce")
BAR_SECONDS: Final = 5.0
UNITS: Final = 500
EVERY: Final = 0.1
ORDER_EVERY: Final = 0.5
LOOK_EVERY: Final = 0.05


@dataclass
class Books:
    """What a shop offered, and since when."""

    since: dict[int, float] = field(default_factory=dict)
    now: int = -1

    def told(self, left: int) -> float | None:
        """When it first offered no more than `left`."""
        return min((at for count, at in self.since.items() if count <= left), default=None)


async def pushed(till: Till, sales: int) -> list[float]:
    """Seconds from each sale to each shop's own books."""
    shop = await open_shop(till.shop.hub, UNITS)
    for name in SHOPS:
        await stocked(till, shop, name)
    books = {name: Books() for name in SHOPS}
    watching = [asyncio.create_task(watch(till, name, books[name])) for name in SHOPS]
    try:
        await settled(books, UNITS)
        own = [await sold(till, shop, n) for n in range(sales)]
        await settled(books, UNITS - sales)
        there = [await ordered(till) for _ in range(sales // 3)]
        await settled(books, UNITS - sales - len(there))
    finally:
        for one in watching:
            one.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    began = [(at, SHOPS) for at in own] + [(at, SHOPS[1:]) for at in there]
    return [
        (books[name].told(UNITS - n) or began_at + PATIENCE) - began_at
        for n, (began_at, names) in enumerate(began, 1)
        for name in names
    ]


async def stocked(till: Till, shop: Shop, name: str) -> None:
    """A shop that sells the same and has all of it."""
    fake = till.fakes[name]
    item = {"sku": SKU, "title": "Bag", "price_minor": 4900, "currency": "EUR", "quantity": UNITS}
    await fake.control("catalog", {"items": [item]})
    row = await link(shop.hub, shop, fake, till.origin)
    if await shop.hub.catalog.import_listings(row) != (1, 0):
        raise CannotMeasure(f"The catalogue of {name} could not be read.")


async def watch(till: Till, name: str, books: Books) -> None:
    """Look into a shop's books all the time."""
    while True:
        books.now = int((await till.fakes[name].state())["stock"][SKU])
        books.since.setdefault(books.now, time.monotonic())
        await asyncio.sleep(LOOK_EVERY)


async def settled(books: dict[str, Books], left: int) -> None:
    """Every shop offers exactly this many."""
    deadline = time.monotonic() + PATIENCE
    while any(one.now != left for one in books.values()):
        if time.monotonic() > deadline:
            raise CannotMeasure(
                f"The shops never offered {left}: { ({n: b.now for n, b in books.items()}) }."
            )
        await asyncio.sleep(LOOK_EVERY)


async def sold(till: Till, shop: Shop, n: int) -> float:
    """Somebody presses Buy on our page; when."""
    await asyncio.sleep(EVERY if n else 0)
    began = time.monotonic()
    answer = await till.hold(till.token(shop), uuid4().hex, shop)
    if answer.status != 201:
        raise CannotMeasure("A buyer was refused: the machine was too busy. Run it again.")
    return began


async def ordered(till: Till) -> float:
    """Somebody buys in the first of the shops; when."""
    await asyncio.sleep(ORDER_EVERY)
    began = time.monotonic()
    email = f"{uuid4().hex}@example.com"
    wanted = {"sku": SKU, "quantity": 1, "email": email, "name": "Ana"}
    await till.fakes[SHOPS[0]].control("order", wanted)
    return began
