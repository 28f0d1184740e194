"""Products and variants: what is on the shelf, and new things on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, and_, func, literal_column, true
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog import bundles, prices, ties
from hub.catalog.models import Listing, Price, Product, ProductMedia, Variant
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database
from hub.errors import BadInput, Conflict, NotFound
from hub.shows.models import ShowProduct
from hub.stock.models import Stock

MOST_AT_ONCE = 1000


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
    """A product with all there is to it.

    Of a bundle the `Stock` is counted from its parts and no row. By variant: `refused`, the shops that did
    not take its stock; `prices` beside the base one; `parts`, for bundles, part → how many.
    """

    product: Product
    variants: Sequence[tuple[Variant, Stock]]
    highlighted: bool = False
    refused: Mapping[UUID, Sequence[dict[str, str]]] = field(default_factory=dict)
    media: Sequence[ProductMedia] = ()
    prices: Mapping[UUID, Sequence[Price]] = field(default_factory=dict)
    parts: Mapping[UUID, Mapping[UUID, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which products, oldest first. `state` None: all but archived ones; `after`: the last one seen."""

    state: str | None = None
    words: str = ""
    after: UUID | None = None
    limit: int = MOST_AT_ONCE


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

    def __init__(self, db: Database, connections: Connections, clock: Clock) -> None:
        self._db = db
        self._connections = connections
        self._clock = clock

    async def add(self, session: AsyncSession, product: Product, variants: Sequence[NewVariant]) -> Shelf:
        """A new product; its SKUs must be new to the brand. Stock is received by the stock room."""
        session.add(product)
        media = []
        if product.image_url:
            media.append(first_picture(product, product.image_url))
        made = []
        for position, one in enumerate(variants):
            variant = Variant(
                brand_id=product.brand_id,
                product_id=product.id,
                sku=one.sku,
                title=one.title,
                price_minor=one.price_minor,
                currency=one.currency,
                position=position,
            )
            made.append((variant, Stock(variant_id=variant.id, brand_id=product.brand_id)))
        await saved(session, product)
        await saved(session, *media, *(variant for variant, _ in made))
        await saved(session, *(stock for _, stock in made))
        await prices.follow(session, [product.id], self._clock())
        return Shelf(product, made, media=media)

    async def shelves(
        self, session: AsyncSession, brand_id: UUID, wanted: Wanted | None = None
    ) -> list[Shelf]:
        """Products of a brand, oldest first."""
        wanted = wanted or Wanted()
        query = select(Product).where(col(Product.brand_id) == brand_id).order_by(col(Product.id))
        if wanted.state:
            query = query.where(col(Product.state) == wanted.state)
        else:
            query = query.where(col(Product.state) != "archived")
        if wanted.after:
            query = query.where(col(Product.id) > wanted.after)
        if wanted.words:
            query = query.where(said_in(wanted.words))
        found = (await session.exec(query.limit(wanted.limit))).all()
        return await self._fill(session, [(product, False) for product in found])

    async def shelf(
        self, session: AsyncSession, brand_id: UUID, product_id: UUID, *, lock: bool = False
    ) -> Shelf:
        """One product, or NotFound; locked against other edits if asked."""
        query = select(Product).where(col(Product.id) == product_id, col(Product.brand_id) == brand_id)
        if lock:
            # Not against keys: orders and shows go on pointing at what is being edited.
            query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
        product = (await session.exec(query)).first()
        if product is None:
            raise NotFound("product_unknown", "There is no such product.")
        return (await self._fill(session, [(product, False)]))[0]

    async def shelves_with(
        self, session: AsyncSession, brand_id: UUID, skus: Collection[str], products: Collection[UUID] = ()
    ) -> list[Shelf]:
        """The products that have one of these SKUs, or are one of these; archived ones too."""
        with_sku = select(Variant.product_id).where(
            col(Variant.brand_id) == brand_id, col(Variant.sku).in_(skus)
        )
        query = select(Product).where(
            col(Product.brand_id) == brand_id,
            or_(col(Product.id).in_(with_sku), col(Product.id).in_(products)),
        )
        found = (await session.exec(query.order_by(col(Product.id)))).all()
        return await self._fill(session, [(product, False) for product in found])

    async def shelves_of_show(self, session: AsyncSession, show_id: UUID) -> list[Shelf]:
        """The products of a show, in the host's order."""
        query = (
            select(Product, ShowProduct.highlighted)
            .join(ShowProduct, col(ShowProduct.product_id) == col(Product.id))
            .where(col(ShowProduct.show_id) == show_id)
            .order_by(col(ShowProduct.position))
        )
        return await self._fill(session, [(product, lit) for product, lit in await session.exec(query)])

    async def is_bundle(self, session: AsyncSession, variant_id: UUID) -> bool:
        """Whether it is made of others."""
        return bool(await bundles.parts_of(session, [variant_id]))

    async def import_listings(self, connection: Connection) -> tuple[int, int]:
        """Tie each variant of a shop's catalogue to our SKU, and no more: (tied, unknown to us)."""
        async with self._connections.use(connection.id) as opened:
            if opened.connector.catalog_source is None:
                raise BadInput("no_catalogue", f"{opened.connector.title} has no catalogue to read.")
            takes_stock = opened.connector.stock_sink is not None
            source = opened.connector.catalog_source(opened.session)
            found = [product async for product in source.products()]
        async with self._db.session() as session:
            known = await ties.tied(session, connection, found)
            for one in found:
                if one.listing.variant_id in known:
                    variant_id, _ = known[one.listing.variant_id]
                    await ties.tie(session, connection, variant_id, one, takes_stock=takes_stock)
                else:
                    await ties.leave(session, connection, one)
        unknown = sum(one.listing.variant_id not in known for one in found)
        return len(found) - unknown, unknown

    async def _fill(self, session: AsyncSession, products: Sequence[tuple[Product, bool]]) -> list[Shelf]:
        ids = [product.id for product, _ in products]
        query = (
            select(Variant, Stock, REFUSED)
            .join(Stock, col(Stock.variant_id) == col(Variant.id))
            .where(col(Variant.product_id).in_(ids))
            .order_by(col(Variant.position), col(Variant.id))
        )
        rows = (await session.exec(query)).all() if ids else []
        variants = [variant.id for variant, _, _ in rows]
        counted = await bundles.counted(session, variants) if variants else {}
        parts = await bundles.parts_of(session, counted)
        by_product: dict[UUID, list[tuple[Variant, Stock]]] = {}
        refused: dict[UUID, Sequence[dict[str, str]]] = {}
        for variant, stock, refusals in rows:
            by_product.setdefault(variant.product_id, []).append((variant, counted.get(variant.id, stock)))
            refused[variant.id] = refusals or []
        media: dict[UUID, list[ProductMedia]] = {}
        for one in await session.exec(
            select(ProductMedia)
            .where(col(ProductMedia.product_id).in_(ids))
            .order_by(col(ProductMedia.position))
        ):
            media.setdefault(one.product_id, []).append(one)
        others: dict[UUID, list[Price]] = {}
        for price in await session.exec(
            select(Price).where(col(Price.variant_id).in_(variants)).order_by(col(Price.currency))
        ):
            others.setdefault(price.variant_id, []).append(price)
        return [
            Shelf(
                product,
                by_product.get(product.id, []),
                lit,
                refused=refused,
                media=media.get(product.id, []),
                prices=others,
                parts=parts,
            )
            for product, lit in products
        ]


def said_in(words: str) -> ColumnElement[bool]:
    """Every one of these words is in the title, or in the title or SKU of one variant."""
    clauses = []
    for word in words.split()[:8]:
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        variant = (
            select(Variant.id)
            .where(
                col(Variant.product_id) == col(Product.id),
                or_(col(Variant.sku).ilike(pattern), col(Variant.title).ilike(pattern)),
            )
            .correlate(Product)
            .exists()
        )
        clauses.append(or_(col(Product.title).ilike(pattern), variant))
    return and_(true(), *clauses)


def first_picture(product: Product, url: str) -> ProductMedia:
    """The row of a product's only picture; it shows the product."""
    return ProductMedia(
        brand_id=product.brand_id, product_id=product.id, position=0, url=url, alt=product.title
    )


async def saved(session: AsyncSession, *rows: object) -> None:
    """Write these rows, or say which rule they break."""
    session.add_all(rows)
    try:
        await session.flush()
    except IntegrityError as error:
        if "variant_brand_id_sku_key" in str(error.orig):
            raise Conflict("sku_taken", "One of these SKUs is in use already.") from None
        raise
