"""A shop floor for tests of the stock alone: a real PostgreSQL, holds and the stock room, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from hub.auth.models import Brand
from hub.catalog.models import BundleItem, Product, Variant
from hub.db import Database, run
from hub.errors import HubError
from hub.news import Coalescer
from hub.offers.models import Offer, OfferItem, OfferTier
from hub.shows.models import Show, ShowProduct
from hub.stock.ledger import Finding, check
from hub.stock.models import Stock
from hub.stock.reserve import Reservations, Taken, Wish
from hub.stock.service import StockRoom
from tests.hub.shop import SetClock

USUAL = timedelta(seconds=90)


async def _nobody(_: object) -> None:
    """Nobody is told."""


@dataclass
class Floor:
    """One brand with one live show. Amounts are in cents of a euro."""

    db: Database
    clock: SetClock
    stock: StockRoom
    reservations: Reservations
    brand_id: UUID
    show_id: UUID
    variants: list[UUID] = field(default_factory=list)

    @property
    def variant_id(self) -> UUID:
        return self.variants[0]

    def wish(self, viewer: str = "", quantity: int = 1, key: str = "", **more: Any) -> Wish:
        variant = more.pop("variant_id", None) or self.variants[0]
        names = (viewer or uuid4().hex, variant, quantity, key or uuid4().hex)
        return Wish(self.brand_id, self.show_id, *names, **more)

    async def hold(self, viewer: str = "", quantity: int = 1, key: str = "", **more: Any) -> Taken:
        return await self.reservations.take(self.wish(viewer, quantity, key, **more))

    async def sells(self, units: int, price_minor: int = 10_000, **about: Any) -> UUID:
        """One more variant on sale in the show; `about`: of its product."""
        async with self.db.session() as session:
            product = Product(brand_id=self.brand_id, title="Bag", **about)
            session.add(product)
            await session.flush()
            variant = Variant(
                brand_id=self.brand_id,
                product_id=product.id,
                sku=f"SKU-{uuid4().hex[:8]}",
                price_minor=price_minor,
            )
            session.add(variant)
            await session.flush()
            session.add(Stock(variant_id=variant.id, brand_id=self.brand_id))
            session.add(ShowProduct(show_id=self.show_id, product_id=product.id, brand_id=self.brand_id))
            await session.flush()
            await self.stock.receive(session, variant, units, author="test")
        self.variants.append(variant.id)
        return variant.id

    async def bundles(self, parts: dict[UUID, int], price_minor: int) -> UUID:
        """A variant made of others."""
        bundle = await self.sells(0, price_minor)
        async with self.db.session() as session:
            for variant_id, quantity in parts.items():
                one: dict[str, Any] = {"bundle_variant_id": bundle, "variant_id": variant_id}
                one["quantity"] = quantity
                session.add(BundleItem(brand_id=self.brand_id, **one))
        return bundle

    async def offers(
        self,
        kind: str,
        items: dict[UUID, int | None] | None = None,
        tiers: Sequence[tuple[int, int | None]] = (),
        **terms: Any,
    ) -> UUID:
        """A live offer; `items`: own price by variant; `tiers`: (percent off, units)."""
        async with self.db.session() as session:
            offer = Offer(
                brand_id=self.brand_id,
                show_id=self.show_id,
                kind=kind,
                title="Offer",
                state="live",
                starts_at=self.clock(),
                **terms,
            )
            session.add(offer)
            await session.flush()
            for variant_id, unit_minor in (items or {self.variants[0]: None}).items():
                one: dict[str, Any] = {"offer_id": offer.id, "variant_id": variant_id}
                one["unit_minor"] = unit_minor
                session.add(OfferItem(brand_id=self.brand_id, **one))
            for position, (percent_off, units) in enumerate(tiers):
                step: dict[str, Any] = {"offer_id": offer.id, "position": position, "units": units}
                session.add(OfferTier(brand_id=self.brand_id, percent_off=percent_off, **step))
        return offer.id

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.db.session() as session:
            result = await run(session, text(statement), values)
            return [*result.all()] if result.returns_rows else []

    async def counters(self, variant_id: UUID | None = None) -> tuple[int, int, int]:
        """(on hand, held, committed)."""
        query = "SELECT on_hand, held, committed FROM stock WHERE variant_id = :id"
        [row] = await self.sql(query, id=variant_id or self.variants[0])
        return row.on_hand, row.held, row.committed

    async def tiers(self) -> list[int]:
        """How much of each step is taken, in order."""
        return [row.taken for row in await self.sql("SELECT taken FROM offer_tier ORDER BY position")]

    async def order(self, *takens: Taken) -> UUID:
        """Tie reservations to an order, as checkout does."""
        order_id = uuid4()
        groups = [taken.group_id for taken in takens]
        await self.sql(
            "UPDATE hold SET order_id = :order, network_hash = NULL WHERE group_id = ANY(:groups)",
            order=order_id,
            groups=groups,
        )
        return order_id

    async def expire(self, seconds: float = 0) -> int:
        """Let time pass and do what the clockwork does every second."""
        self.clock.tick(seconds)
        async with self.db.session() as session:
            return len(await self.stock.expire_holds(session))

    async def wrong(self) -> list[Finding]:
        """What the check finds."""
        async with self.db.session() as session:
            return await check(session)


async def outcomes(
    reservations: Sequence[Reservations], wishes: Sequence[Wish]
) -> tuple[list[Taken], list[str]]:
    """(holds, codes of the refusals), the wishes dealt out over these processes' ways of taking holds."""
    answers = await asyncio.gather(
        *(reservations[n % len(reservations)].take(wish) for n, wish in enumerate(wishes)),
        return_exceptions=True,
    )
    held = [one for one in answers if isinstance(one, Taken)]
    codes = [one.code for one in answers if isinstance(one, HubError)]
    assert len(held) + len(codes) == len(wishes), answers
    return held, codes


@asynccontextmanager
async def standing(url: str, clock: SetClock, units: int = 50) -> AsyncIterator[Floor]:
    """Built and opened, selling one variant of so many units."""
    async with Database(url) as db:
        async with db.session() as session:
            brand = Brand(name="Linnea", slug=f"linnea-{uuid4().hex[:6]}")
            session.add(brand)
            await session.flush()
            show = Show(
                brand_id=brand.id,
                slug=f"evening-{uuid4().hex[:6]}",
                title="Evening",
                state="live",
                stream_key_sealed=b"",
                stream_key_hash=uuid4().hex,
            )
            session.add(show)
        async with another(db, clock) as reservations:
            floor = Floor(
                db=db,
                clock=clock,
                stock=StockRoom(clock, Coalescer(1.0, _nobody)),
                reservations=reservations,
                brand_id=brand.id,
                show_id=show.id,
            )
            await floor.sells(units)
            yield floor


@asynccontextmanager
async def another(db: Database, clock: SetClock) -> AsyncIterator[Reservations]:
    """A way of taking holds, as each process has one."""
    reservations = Reservations(db, clock, Coalescer(1.0, _nobody), USUAL)
    try:
        yield reservations
    finally:
        await reservations.close()
