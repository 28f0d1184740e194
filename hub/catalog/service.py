"""Products and variants, and which listing on which platform sells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import JSON, case, func, literal_column
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Listing as PlatformListing
from hub.catalog.models import Listing, Product, Variant
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database
from hub.errors import BadInput, Conflict
from hub.ids import new_id
from hub.shows.models import ShowProduct
from hub.stock.models import Stock


@dataclass(frozen=True)
class NewVariant:
    """A variant before it exists."""

    sku: str
    title: str
    price_minor: int
    currency: str
    on_hand: int


@dataclass(frozen=True)
class Shelf:
    """A product with its variants, their stock, and by variant the shops that refused that stock."""

    product: Product
    variants: Sequence[tuple[Variant, Stock]]
    highlighted: bool = False
    refused: Mapping[UUID, Sequence[dict[str, str]]] = field(default_factory=dict)


REFUSED = (
    select(
        func.json_agg(
            # Names as literals: PostgreSQL cannot tell the type of a parameter here.
            func.json_build_object(
                *(literal_column("'platform'"), col(Connection.connector)),
                *(literal_column("'account'"), col(Connection.name)),
                *(literal_column("'reason'"), col(Listing.push_error)),
            ),
            type_=JSON,
        )
    )
    .select_from(Listing)
    .join(Connection, col(Connection.id) == col(Listing.connection_id))
    .where(
        col(Listing.variant_id) == col(Variant.id),
        col(Listing.push_error).is_not(None),
        col(Connection.state) != "off",
    )
    .correlate(Variant)
    .scalar_subquery()
)
"""A column of `Variant`: where its stock could not be written, and why; null when it could be everywhere."""


class Catalog:
    """What a brand sells."""

    def __init__(self, db: Database, connections: Connections) -> None:
        self._db = db
        self._connections = connections

    async def add(self, session: AsyncSession, product: Product, variants: Sequence[NewVariant]) -> Shelf:
        """A new product; its SKUs must be new to the brand. Stock is received by the stock room."""
        session.add(product)
        made = []
        for one in variants:
            variant = Variant(
                brand_id=product.brand_id,
                product_id=product.id,
                sku=one.sku,
                title=one.title,
                price_minor=one.price_minor,
                currency=one.currency,
            )
            made.append((variant, Stock(variant_id=variant.id, brand_id=product.brand_id)))
        try:
            await session.flush()
            session.add_all(variant for variant, _ in made)
            await session.flush()
            session.add_all(stock for _, stock in made)
            await session.flush()
        except IntegrityError as error:
            if "variant_brand_id_sku_key" in str(error.orig):
                raise Conflict("sku_taken", "One of these SKUs is in use already.") from None
            raise
        return Shelf(product, made)

    async def shelves(self, session: AsyncSession, brand_id: UUID) -> list[Shelf]:
        """Every product of a brand, oldest first."""
        query = select(Product).where(col(Product.brand_id) == brand_id).order_by(col(Product.id))
        return await self._fill(session, [(product, False) for product in await session.exec(query)])

    async def shelves_of_show(self, session: AsyncSession, show_id: UUID) -> list[Shelf]:
        """The products of a show, in the host's order."""
        query = (
            select(Product, ShowProduct.highlighted)
            .join(ShowProduct, col(ShowProduct.product_id) == col(Product.id))
            .where(col(ShowProduct.show_id) == show_id)
            .order_by(col(ShowProduct.position))
        )
        return await self._fill(session, [(product, lit) for product, lit in await session.exec(query)])

    async def _fill(self, session: AsyncSession, products: Sequence[tuple[Product, bool]]) -> list[Shelf]:
        query = (
            select(Variant, Stock, REFUSED)
            .join(Stock, col(Stock.variant_id) == col(Variant.id))
            .where(col(Variant.product_id).in_([product.id for product, _ in products]))
            .order_by(col(Variant.id))
        )
        by_product: dict[UUID, list[tuple[Variant, Stock]]] = {}
        refused: dict[UUID, Sequence[dict[str, str]]] = {}
        for variant, stock, refusals in await session.exec(query):
            by_product.setdefault(variant.product_id, []).append((variant, stock))
            refused[variant.id] = refusals or []
        return [Shelf(product, by_product.get(product.id, []), lit, refused) for product, lit in products]

    async def import_listings(self, connection: Connection) -> tuple[int, int]:
        """Tie each variant of a shop's catalogue to our SKU: (tied, unknown to us)."""
        async with self._connections.use(connection.id) as opened:
            if opened.connector.catalog_source is None:
                raise BadInput("no_catalogue", f"{opened.connector.title} has no catalogue to read.")
            source = opened.connector.catalog_source(opened.session)
            found = [product.listing async for product in source.products()]
        async with self._db.session() as session:
            query = select(Variant.sku, Variant.id).where(
                col(Variant.brand_id) == connection.brand_id,
                col(Variant.sku).in_([listing.sku for listing in found]),
            )
            variants = dict((await session.exec(query)).all())
            known = [listing for listing in found if listing.sku in variants]
            for listing in known:
                await self._tie(session, connection, variants[listing.sku], listing)
        return len(known), len(found) - len(known)

    async def _tie(
        self, session: AsyncSession, connection: Connection, variant_id: UUID, found: PlatformListing
    ) -> None:
        refs = {
            "variant_id": variant_id,
            "product_ref": found.product_id,
            "location_ref": found.location_id,
            "inventory_ref": found.inventory_item_id,
        }
        statement = insert(Listing).values(
            id=new_id(),
            brand_id=connection.brand_id,
            connection_id=connection.id,
            variant_ref=found.variant_id,
            pushed_version=-1,
            **refs,
        )
        # What was pushed for another variant says nothing about this one.
        same = col(Listing.variant_id) == variant_id
        pushed = {"pushed_version": case((same, col(Listing.pushed_version)), else_=-1)}
        await session.exec(
            statement.on_conflict_do_update(
                index_elements=["connection_id", "variant_ref"], set_={**refs, **pushed}
            )
        )
