"""A shop with offers: drafts made in one line, holds taken by many, and a clock that obeys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from hub.auth.tokens import Viewer
from hub.catalog.models import Product
from hub.catalog.service import NewVariant
from hub.db import run
from hub.errors import HubError
from hub.offers.models import Offer
from hub.offers.out import ItemIn, OfferIn, ViewerOffer
from hub.services import Services
from hub.shows.models import ShowProduct
from hub.stock.facts import Taken, Wish
from tests.hub.shop import SetClock, Shop

AUTHOR = "ana"


@dataclass
class Counter:
    """What a test does with offers."""

    hub: Services
    shop: Shop
    clock: SetClock

    async def draft(self, kind: str, **fields: Any) -> Offer:
        """A draft for the shop's bag, or for `items`."""
        fields.setdefault("items", [] if kind == "coupon" else [ItemIn(variant_id=self.shop.variant_id)])
        fields.setdefault("show_id", None if kind == "coupon" else self.shop.show_id)
        wish = OfferIn.model_validate({"kind": kind, "title": kind.title(), **fields})
        async with self.hub.db.session() as session:
            return await self.hub.offers.draft(session, self.shop.brand_id, wish, AUTHOR)

    async def launch(self, kind: str, **fields: Any) -> Offer:
        """A draft that goes live."""
        return await self.go_live((await self.draft(kind, **fields)).id)

    async def go_live(self, offer_id: UUID) -> Offer:
        async with self.hub.db.session() as session:
            return await self.hub.launches.go_live(session, self.shop.brand_id, offer_id, AUTHOR)

    async def end(self, offer_id: UUID) -> Offer:
        async with self.hub.db.session() as session:
            return await self.hub.launches.end(session, self.shop.brand_id, offer_id, AUTHOR)

    async def reload(self, offer_id: UUID) -> Offer:
        async with self.hub.db.session() as session:
            return await self.hub.offers.get(session, self.shop.brand_id, offer_id)

    async def hold(
        self,
        viewer: str = "",
        *,
        variant: UUID | None = None,
        offer: UUID | None = None,
        quantity: int = 1,
        member: bool = False,
    ) -> Taken:
        shop = self.shop
        wish = Wish(
            brand_id=shop.brand_id,
            show_id=shop.show_id,
            viewer_id=viewer or uuid4().hex,
            variant_id=variant or shop.variant_id,
            quantity=quantity,
            key=uuid4().hex,
            offer_id=offer,
            member=member,
        )
        return await self.hub.reservations.take(wish)

    async def rush(self, count: int, **how: Any) -> list[Taken | str]:
        """So many buyers at once: what each got, or the code of the refusal."""

        async def one() -> Taken | str:
            try:
                return await self.hold(**how)
            except HubError as error:
                return error.code

        return [*await asyncio.gather(*(one() for _ in range(count)))]

    async def refusal(self, **how: Any) -> str:
        [answer] = await self.rush(1, **how)
        assert isinstance(answer, str), answer
        return answer

    async def seen(self, viewer: Viewer | None = None) -> list[ViewerOffer]:
        """What a viewer is shown."""
        async with self.hub.db.session() as session:
            shown = viewer or self.shop.viewer()
            return await self.hub.offers.public_of(session, self.shop.show_id, shown)

    async def product(self, title: str, sku: str, minor: int, units: int, **about: Any) -> UUID:
        """One more product in the show: its variant's id."""
        async with self.hub.db.session() as session:
            product = Product(brand_id=self.shop.brand_id, title=title, **about)
            shelf = await self.hub.catalog.add(session, product, [NewVariant(sku, "", minor, "EUR", units)])
            variant = shelf.variants[0][0]
            await self.hub.stock.receive(session, variant, units, author="test")
            session.add(
                ShowProduct(
                    show_id=self.shop.show_id, product_id=product.id, brand_id=self.shop.brand_id, position=9
                )
            )
            return variant.id

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.hub.db.session() as session:
            result = await run(session, text(statement), values)
            return [row._mapping for row in result.all()] if result.returns_rows else []


@pytest.fixture
async def counter(hub: Services, shop: Shop, clock: SetClock) -> Counter:
    """The shop has sold its bag at 49.00 for a while."""
    clock.tick(60)
    return Counter(hub, shop, clock)
