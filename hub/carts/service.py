"""A viewer's cart in one show: what they mean to buy, and what of it is reserved for them right now.

A reservation made by one press of Buy is part of the cart without more ado; a line without one was put there
under a show that reserves at payment only, or its reservation has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.carts.models import CartLine
from hub.catalog.models import Product, Variant
from hub.clock import Clock
from hub.db import run
from hub.errors import Conflict, NotFound
from hub.ids import new_id
from hub.shows.models import ShowProduct
from hub.stock.models import Hold, Stock

MOST_LINES = 20

LineState = Literal["held", "paying", "waiting"]
"""held: reserved until `expires_at`; paying: its order is being paid; waiting: not reserved."""


@dataclass(frozen=True)
class Line:
    """One variant in the cart. `holds` are its living reservations."""

    variant: Variant
    product: Product
    available: int
    quantity: int
    offer_id: UUID | None = None
    holds: Sequence[Hold] = field(default_factory=tuple)

    @property
    def held(self) -> int:
        """How many of it are reserved."""
        return sum(hold.units for hold in self.holds if not hold.soft)

    @property
    def missing(self) -> int:
        """How many still have to be reserved before it can be paid."""
        return max(0, self.quantity - self.held)

    @property
    def state(self) -> LineState:
        """Where it stands."""
        if any(hold.order_id for hold in self.holds):
            return "paying"
        return "waiting" if self.missing else "held"

    @property
    def expires_at(self) -> datetime | None:
        """When the first of its reservations ends."""
        return min((hold.expires_at for hold in self.holds if not hold.soft), default=None)

    @property
    def amount_minor(self) -> int:
        """What the line costs: as reserved, and at the price without an offer for what is not."""
        return (
            sum(hold.unit_minor * hold.quantity for hold in self.holds) + self.open * self.variant.price_minor
        )

    @property
    def list_minor(self) -> int:
        """What it would cost without offers."""
        return (
            sum(hold.list_minor * hold.quantity for hold in self.holds) + self.open * self.variant.price_minor
        )

    @property
    def currency(self) -> str:
        """Of its price."""
        return self.holds[0].currency if self.holds else self.variant.currency

    @property
    def group_ids(self) -> list[UUID]:
        """Its reservations as buyers know them."""
        return [*dict.fromkeys(hold.group_id for hold in self.holds)]

    @property
    def hold_ids(self) -> list[UUID]:
        """Its reservations, hold by hold."""
        return [hold.id for hold in self.holds]

    @property
    def title(self) -> str:
        """As buyers know it."""
        return f"{self.product.title} {self.variant.title}".strip()

    @property
    def open(self) -> int:
        """How many have neither a reservation nor a price of their own yet."""
        return max(0, self.quantity - sum(hold.units for hold in self.holds))


class Carts:
    """Carts are rows, so that a reload, another tab and a restart of the hub find them again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def lines(self, session: AsyncSession, viewer: Viewer) -> list[Line]:
        """The cart, in the order in which it was filled."""
        mine = (col(CartLine.show_id) == viewer.show_id, col(CartLine.viewer_id) == viewer.id)
        rows = (await session.exec(select(CartLine).where(*mine).order_by(col(CartLine.id)))).all()
        holds = await self._holds(session, viewer)
        wanted = {row.variant_id: (row.quantity, row.offer_id) for row in rows}
        for variant_id, found in holds.items():
            wanted.setdefault(variant_id, (sum(hold.units for hold in found), found[0].offer_id))
        goods = await self._goods(session, viewer.brand_id, wanted)
        return [
            Line(*goods[variant_id], quantity, offer_id, holds.get(variant_id, ()))
            for variant_id, (quantity, offer_id) in wanted.items()
            if variant_id in goods
        ]

    async def put(
        self,
        session: AsyncSession,
        viewer: Viewer,
        variant_id: UUID,
        quantity: int,
        offer_id: UUID | None = None,
    ) -> None:
        """Set how many of a variant are wanted; 0 takes it out. The caller minds the reservations."""
        if quantity == 0:
            await session.exec(
                delete(CartLine).where(
                    col(CartLine.show_id) == viewer.show_id,
                    col(CartLine.viewer_id) == viewer.id,
                    col(CartLine.variant_id) == variant_id,
                )
            )
            return
        await self._sellable(session, viewer, variant_id)
        if len(await self.lines(session, viewer)) >= MOST_LINES:
            raise Conflict("cart_full", f"A cart holds at most {MOST_LINES} different products.")
        await run(
            session,
            insert(CartLine)
            .values(
                id=new_id(),
                brand_id=viewer.brand_id,
                show_id=viewer.show_id,
                viewer_id=viewer.id,
                variant_id=variant_id,
                offer_id=offer_id,
                quantity=quantity,
                created_at=self._clock(),
            )
            .on_conflict_do_update(
                index_elements=["show_id", "viewer_id", "variant_id"],
                set_={"quantity": quantity, "offer_id": offer_id},
            ),
        )

    async def _holds(self, session: AsyncSession, viewer: Viewer) -> dict[UUID, list[Hold]]:
        """Living reservations by the variant that was bought: a bundle's parts lead to the bundle."""
        query = (
            select(Hold)
            .where(
                col(Hold.viewer_id) == viewer.id,
                col(Hold.show_id) == viewer.show_id,
                col(Hold.state) == "held",
                col(Hold.expires_at) > self._clock(),
            )
            .order_by(col(Hold.id))
        )
        found: dict[UUID, list[Hold]] = {}
        for hold in await session.exec(query):
            found.setdefault(hold.bundle_id or hold.variant_id, []).append(hold)
        return found

    async def _goods(
        self, session: AsyncSession, brand_id: UUID, variants: Iterable[UUID]
    ) -> dict[UUID, tuple[Variant, Product, int]]:
        query = (
            select(Variant, Product, Stock)
            .join(Product, col(Product.id) == col(Variant.product_id))
            .outerjoin(Stock, col(Stock.variant_id) == col(Variant.id))
            .where(col(Variant.brand_id) == brand_id, col(Variant.id).in_(list(variants)))
        )
        return {
            variant.id: (variant, product, stock.on_hand - stock.held - stock.committed if stock else 0)
            for variant, product, stock in await session.exec(query)
        }

    async def _sellable(self, session: AsyncSession, viewer: Viewer, variant_id: UUID) -> None:
        query = (
            select(Variant.id)
            .join(ShowProduct, col(ShowProduct.product_id) == col(Variant.product_id))
            .where(
                col(Variant.id) == variant_id,
                col(Variant.brand_id) == viewer.brand_id,
                col(ShowProduct.show_id) == viewer.show_id,
            )
        )
        if (await session.exec(query)).first() is None:
            raise NotFound("variant_unknown", "This product is not on sale in this show.")
