"""One seeded evening: fifty units, and more buyers than that on the own site, in chats and in two shops."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from sqlmodel import col, select, update

from connectors import types as platform
from hub.claims.intake import WINDOW
from hub.claims.models import Claim
from hub.connections.models import Connection
from hub.errors import Conflict, Unavailable
from hub.orders.models import Order
from hub.services import Services
from hub.shows.models import ShowTarget
from hub.stock.models import Hold
from hub.stock.reserve import Taken, Wish
from tests.hub.shop import SetClock, Shop, open_shop

PRICE = platform.Money(amount=4900, currency="EUR")
BEGAN = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
"""When the accounts were linked and the shops' first orders came."""
HANDS = 8
"""Orders from shops and payments that are worked on at a time, as the work process has hands."""


async def shop_account(hub: Services, shop: Shop, name: str) -> Connection:
    async with hub.db.session() as session:
        row = Connection(
            brand_id=shop.brand_id, connector=name, name=name, config_sealed=b"", created_at=BEGAN
        )
        session.add(row)
    return row


async def chat_of(hub: Services, shop: Shop) -> UUID:
    """A chat that we read and cannot write in; the target's id."""
    account = await shop_account(hub, shop, "tiktok")
    async with hub.db.session() as session:
        target = ShowTarget(
            brand_id=shop.brand_id,
            show_id=shop.show_id,
            connection_id=account.id,
            connector="tiktok",
            name="TikTok",
        )
        session.add(target)
    return target.id


def comment(number: int) -> platform.ChatMessage:
    """Somebody claims one."""
    who = f"person-{number}"
    return platform.ChatMessage(id=f"m{number}", author_id=who, author_name=who, text="sold 1")


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
        self.paid: set[UUID] = set()
        self.payers: set[str | None] = set()
        self.sold_out = 0
        self._hands = asyncio.Semaphore(HANDS)

    async def click(self, *, pays: bool) -> None:
        """A buyer on the own site; whoever hears nothing clicks again with the same key."""
        key, viewer = uuid4().hex, uuid4().hex
        shop = self.shop
        wish = Wish(shop.brand_id, shop.show_id, viewer, shop.variant_id, 1, key)
        while True:
            try:
                taken = await self.hub.reservations.take(wish)
            except Unavailable:
                await asyncio.sleep(0.05)
                continue
            except Conflict as refusal:
                assert refusal.code == "sold_out"  # noqa: PT017 - any other is a bug
                self.sold_out += 1
                return
            self.taken.append(taken)
            if pays:
                await self.pay(taken.hold_id)
            return

    async def pay(self, hold_id: UUID) -> None:
        """What is held goes into an order, whose money has come; that may be heard twice."""
        self.paid.add(hold_id)
        for _ in range(self.rng.choice((1, 1, 2))):
            await self._insist(partial(self._commit, hold_id))

    async def _commit(self, hold_id: UUID) -> None:
        async with self.hub.db.session() as session:
            # One order for each reservation, called like it.
            tied = update(Hold).where(col(Hold.id) == hold_id).values(order_id=hold_id)
            await session.exec(tied)
            assert await self.hub.stock.commit_order(session, hold_id), f"seed {self.seed}"

    async def comments(self, number: int) -> None:
        """People claim in a chat, which tells it in pieces, some of them twice. Their two seconds pass."""
        target, said = await chat_of(self.hub, self.shop), [comment(n) for n in range(number)]
        self.rng.shuffle(said)
        self.payers = {one.author_id for one in said[::3]}
        while said:
            some, said = said[:5], said[5:]
            for _ in range(self.rng.choice((1, 1, 2))):
                async with self.hub.db.session() as session:
                    await self.hub.chat.receive(session, target, some)
        assert isinstance(self.hub.clock, SetClock)
        self.hub.clock.tick(WINDOW.total_seconds())

    async def judge(self) -> None:
        """What the clockwork does twice a second; then every third of those who claimed has paid."""
        await self.hub.claims.judge.sweep()
        won = [one for one in await self._claims() if one.state == "held" and one.author_id in self.payers]
        await asyncio.gather(*(self.pay(one.hold_id) for one in won if one.hold_id))

    async def order(self, account: Connection, number: int) -> None:
        """A shop's order: told once, twice, or first as still unpaid, in any order."""
        at = BEGAN
        told = [platform_order(number, at + timedelta(seconds=1))]
        told += self.rng.choices(
            [*told, platform_order(number, at, "pending")], k=self.rng.choice((0, 0, 1, 2))
        )
        self.rng.shuffle(told)
        for version in told:
            await self._insist(partial(self.hub.channels.apply, account, version))

    async def _insist(self, work: Callable[[], Awaitable[object]]) -> None:
        """Until it is done, by one of the hands."""
        async with self._hands:
            while True:
                try:
                    await work()
                except Unavailable:
                    await asyncio.sleep(0.05)
                else:
                    return

    async def _claims(self) -> list[Claim]:
        async with self.hub.db.session() as session:
            return [*await session.exec(select(Claim).where(col(Claim.brand_id) == self.shop.brand_id))]

    async def finish(self, orders: int, comments: int) -> None:
        """Exactly fifty went out, nobody was told two things, who paid has it, and the books are right."""
        on_hand, held, committed = await self.shop.stock()
        where = f"seed {self.seed}"
        assert (on_hand, held + committed) == (50, 50), where
        async with self.hub.db.session() as session:
            query = select(Order.state).where(col(Order.brand_id) == self.shop.brand_id)
            states = Counter(await session.exec(query))
            of_holds = select(Hold.id, Hold.state).where(col(Hold.brand_id) == self.shop.brand_id)
            holds = dict((await session.exec(of_holds)).all())
        claims = await self._claims()
        won = [one.hold_id for one in claims if one.state == "held"]
        assert len(claims) == comments, where
        assert {one.state for one in claims} <= {"held", "sold_out"}, where
        assert holds.keys() == {*won, *(one.hold_id for one in self.taken)}, where
        assert len(holds) == len(won) + len(self.taken), where
        assert {one for one, state in holds.items() if state == "committed"} == self.paid, where
        assert {one for one, state in holds.items() if state == "held"} == holds.keys() - self.paid, where
        assert held == len(holds) - len(self.paid), where
        sold = committed - len(self.paid)
        assert states == Counter(paid=sold, sold_out=orders - sold) + Counter(), where
        await self.shop.check_ledger()


async def play(hub: Services, seed: int) -> None:
    """The whole evening: 85 buyers, of whom 15 to 40 are in shops and 10 to 25 in a chat.

    Every second of those on the own site pays.
    """
    shop = await open_shop(hub)
    accounts = [await shop_account(hub, shop, name) for name in ("shopify", "tiktok_shop")]
    evening = Evening(hub, shop, seed)
    orders, comments = evening.rng.randint(15, 40), evening.rng.randint(10, 25)
    await evening.comments(comments)
    acts = [evening.click(pays=n % 2 == 0) for n in range(85 - orders - comments)]
    acts += [evening.order(accounts[n % 2], n) for n in range(orders)]
    # Two, as while one process dies and another takes over.
    acts += [evening.judge(), evening.judge()]
    evening.rng.shuffle(acts)
    await asyncio.gather(*acts)
    await evening.finish(orders, comments)
