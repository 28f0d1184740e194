"""A small shop for tests: one brand, one product, one live show, and a clock that obeys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlmodel import col, select

from hub.auth.models import Brand
from hub.auth.tokens import Viewer
from hub.catalog.models import Product
from hub.catalog.service import NewVariant
from hub.services import Services
from hub.shows.models import Show
from hub.stock.ledger import check
from hub.stock.models import Stock, StockMovement
from hub.stock.reserve import Taken, Wish


class SetClock:
    """Time that moves only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Shop:
    """What a test needs to know."""

    hub: Services
    brand_id: UUID
    show_id: UUID
    slug: str
    variant_id: UUID
    product_id: UUID

    def viewer(self, name: str = "") -> Viewer:
        return Viewer(name or uuid4().hex, self.show_id, self.brand_id, self.slug)

    def wish(self, viewer: str = "", quantity: int = 1, key: str = "") -> Wish:
        who = viewer or uuid4().hex
        return Wish(self.brand_id, self.show_id, who, self.variant_id, quantity, key or uuid4().hex)

    async def hold(self, viewer: str = "", quantity: int = 1, key: str = "") -> Taken:
        return await self.hub.reservations.take(self.wish(viewer, quantity, key))

    async def row(self) -> Stock:
        async with self.hub.db.session() as session:
            query = select(Stock).where(col(Stock.variant_id) == self.variant_id)
            return (await session.exec(query)).one()

    async def stock(self) -> tuple[int, int, int]:
        """(on hand, held, committed)."""
        row = await self.row()
        return row.on_hand, row.held, row.committed

    async def movements(self) -> list[StockMovement]:
        """The ledger, oldest first."""
        query = select(StockMovement).where(col(StockMovement.variant_id) == self.variant_id)
        async with self.hub.db.session() as session:
            return [*await session.exec(query.order_by(col(StockMovement.created_at)))]

    async def check_ledger(self) -> None:
        """The ledger sums to the counters, and the holds to what is held."""
        async with self.hub.db.session() as session:
            assert await check(session) == []
        on_hand, held, committed = await self.stock()
        assert 0 <= held + committed <= on_hand


async def open_shop(hub: Services, units: int = 50) -> Shop:
    """Make it."""
    async with hub.db.session() as session:
        brand = Brand(name="Linnea", slug=f"linnea-{uuid4().hex[:6]}")
        session.add(brand)
        await session.flush()
        product = Product(brand_id=brand.id, title="Bag")
        shelf = await hub.catalog.add(session, product, [NewVariant("BAG-RED", "", 4900, "EUR", units)])
        [(variant, _)] = shelf.variants
        await hub.stock.receive(session, variant, units, author="test")
        show = Show(
            brand_id=brand.id,
            slug=f"evening-{uuid4().hex[:6]}",
            title="Evening",
            stream_key_sealed=b"",
            stream_key_hash="",
        )
        await hub.shows.plan(session, show, [product.id], [])
        await hub.shows.start(session, show)
    return Shop(hub, brand.id, show.id, show.slug, variant.id, product.id)
