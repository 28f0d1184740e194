"""One seeded evening: fifty units, and more buyers than that on the own site, in chats and in two shops."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlmodel import col, select

from connectors import types as platform
from hub.connections.models import Connection
from hub.errors import Conflict, Unavailable
from hub.orders.models import Order
from hub.services import Services
from hub.stock.reserve import Taken, Wish
from tests.hub.shop import Shop, open_shop

PRICE = platform.Money(amount=4900, currency="EUR")
HANDS = 8
"""Orders from shops that are applied at a time, as the work process has hands."""


async def shop_account(hub: Services, shop: Shop, name: str) -> Connection:
    async with hub.db.session() as session:
        row = Connection(brand_id=shop.brand_id, connector=name, name=name, config_sealed=b"")
        session.add(row)
    return row


def platform_order(number: int, at: datetime, state: str = "paid") -> platform.Order:
    line = platform.OrderLine(id=f"line-{number}", sku="BAG-RED", title="Bag", quantity=1, unit_price=PRICE)
    return platform.Order(
        id=f"order-{number}",
        number=str(number),
        state=state,
        placed_at=at,
        updated_at=at,
        total=PRICE,
        lines=(line,),
        buyer=platform.Buyer(email=f"buyer-{number}@example.com"),
    )


class Evening:
    """What was answered; `finish` says whether it may be so."""

    def __init__(self, hub: Services, shop: Shop, seed: int) -> None:
        self.hub = hub
        self.shop = shop
        self.seed = seed
        self.rng = random.Random(seed)
        self.taken: list[Taken] = []
        self.sold_out = 0
        self._hands = asyncio.Semaphore(HANDS)

    async def click(self, channel: str) -> None:
        """A buyer on the own site, or in a chat; whoever hears nothing clicks again with the same key."""
        key, viewer = uuid4().hex, uuid4().hex
        shop = self.shop
        wish = Wish(shop.brand_id, shop.show_id, viewer, shop.variant_id, 1, key, channel=channel)
        while True:
            try:
                self.taken.append(await self.hub.reservations.take(wish))
            except Unavailable:
                await asyncio.sleep(0.05)
                continue
            except Conflict as refusal:
                assert refusal.code == "sold_out"  # noqa: PT017 - any other is a bug
                self.sold_out += 1
            return

    async def order(self, account: Connection, number: int) -> None:
        """A shop's order: told once, twice, or first as still unpaid, in any order."""
        at = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
        told = [platform_order(number, at + timedelta(seconds=1))]
        told += self.rng.choices(
            [*told, platform_order(number, at, "pending")], k=self.rng.choice((0, 0, 1, 2))
        )
        self.rng.shuffle(told)
        for version in told:
            async with self._hands:
                await self._apply(account, version)

    async def _apply(self, account: Connection, version: platform.Order) -> None:
        while True:
            try:
                await self.hub.channels.apply(account, version)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return

    async def finish(self, orders: int) -> None:
        """Exactly fifty went out, nobody was told two things, and the books are right."""
        on_hand, held, committed = await self.shop.stock()
        where = f"seed {self.seed}"
        assert (on_hand, held + committed) == (50, 50), where
        assert held == len(self.taken) == len({one.hold_id for one in self.taken}), where
        async with self.hub.db.session() as session:
            query = select(Order.state).where(col(Order.brand_id) == self.shop.brand_id)
            states = Counter(await session.exec(query))
        assert states == Counter(paid=committed, sold_out=orders - committed) + Counter(), where
        await self.shop.check_ledger()


async def play(hub: Services, seed: int) -> None:
    """The whole evening, 73 buyers or more."""
    shop = await open_shop(hub)
    accounts = [await shop_account(hub, shop, name) for name in ("shopify", "tiktok_shop")]
    evening = Evening(hub, shop, seed)
    orders = evening.rng.randint(15, 40)
    acts = [evening.click(evening.rng.choice(("own", "own", "claim"))) for _ in range(85 - orders)]
    acts += [evening.order(accounts[n % 2], n) for n in range(orders)]
    evening.rng.shuffle(acts)
    await asyncio.gather(*acts)
    await evening.finish(orders)
