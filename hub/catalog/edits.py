"""Every way a product changes: by hand, from a file, from a shop. The history of prices follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog import bundles, prices
from hub.catalog.changes import MediaIn, ProductChange, VariantChange
from hub.catalog.models import Listing, Price, Product, ProductMedia, Variant
from hub.catalog.news import tell_changed
from hub.catalog.service import Catalog, Shelf, saved
from hub.clock import Clock
from hub.errors import BadInput, Conflict, NotFound
from hub.stock.models import Stock
from hub.stock.service import StockRoom

OWN = ("sku", "title", "price_minor", "currency", "cost_minor", "options", "archived")
"""Columns of a variant that a change may set."""
PRODUCT = ""
"""Among the SKUs that changed: the product itself. No SKU is empty."""
ONLY_VARIANT = "A product needs at least one variant that is not archived. Archive the product instead."


class ProductEdits:
    """Changes products and variants. Nothing is ever deleted: what was sold must stay readable."""

    def __init__(self, clock: Clock, catalog: Catalog, room: StockRoom) -> None:
        self._clock = clock
        self._catalog = catalog
        self._room = room

    async def add(
        self,
        session: AsyncSession,
        brand_id: UUID,
        change: ProductChange,
        *,
        author: str,
        external_ref: str | None = None,
    ) -> Shelf:
        """A new product, with its first stock. BadInput without a title or a variant."""
        if not change.title or not change.variants:
            raise BadInput("incomplete", "A product needs a title and at least one variant.")
        product = Product(brand_id=brand_id, title=change.title, external_ref=external_ref)
        await saved(session, product)
        await self._write(session, Shelf(product, []), change, author)
        return await self._catalog.shelf(session, brand_id, product.id)

    async def change(
        self, session: AsyncSession, shelf: Shelf, change: ProductChange, *, author: str
    ) -> set[str]:
        """Make the product (read with `lock`) what the change says.

        What differed: the SKUs of variants, and PRODUCT for the product's own; empty when it was so already.
        """
        changed = await self._write(session, shelf, change, author)
        if changed:
            shelf.product.version += 1
            await session.flush()
            await tell_changed(session, self._catalog, shelf.product.brand_id, shelf.product.id)
        return changed

    async def archive(self, session: AsyncSession, brand_id: UUID, product_id: UUID) -> Shelf:
        """Off sale everywhere; its orders and its stock stay. Repeatable."""
        return await self._turn(session, brand_id, product_id, "archived")

    async def restore(self, session: AsyncSession, brand_id: UUID, product_id: UUID, state: str) -> Shelf:
        """Back from the archive, on sale or as a draft. Repeatable; what is not archived stays as it is."""
        return await self._turn(session, brand_id, product_id, state, only_archived=True)

    async def _turn(
        self,
        session: AsyncSession,
        brand_id: UUID,
        product_id: UUID,
        state: str,
        *,
        only_archived: bool = False,
    ) -> Shelf:
        shelf = await self._catalog.shelf(session, brand_id, product_id, lock=True)
        if not only_archived or shelf.product.state == "archived":
            wish = ProductChange.model_validate({"state": state})
            await self.change(session, shelf, wish, author="")
        return await self._catalog.shelf(session, brand_id, product_id)

    async def archive_variant(
        self, session: AsyncSession, brand_id: UUID, variant_id: UUID, *, archived: bool
    ) -> Shelf:
        """Take one variant off sale, or put it back. Repeatable."""
        product_id = await self.product_of(session, brand_id, variant_id)
        shelf = await self._catalog.shelf(session, brand_id, product_id, lock=True)
        wish = ProductChange(variants=[VariantChange(id=variant_id, archived=archived)])
        await self.change(session, shelf, wish, author="")
        return await self._catalog.shelf(session, brand_id, product_id)

    async def product_of(self, session: AsyncSession, brand_id: UUID, variant_id: UUID) -> UUID:
        """Which product a variant belongs to, or NotFound."""
        query = select(Variant.product_id).where(
            col(Variant.id) == variant_id, col(Variant.brand_id) == brand_id
        )
        found = (await session.exec(query)).first()
        if found is None:
            raise NotFound("variant_unknown", "There is no such variant.")
        return found

    async def _write(
        self, session: AsyncSession, shelf: Shelf, change: ProductChange, author: str
    ) -> set[str]:
        product = shelf.product
        plain = {name: value for name, value in change.plain().items() if getattr(product, name) != value}
        await self._mind_bundles(session, shelf, change)
        for name, value in plain.items():
            setattr(product, name, value)
        changed = {PRODUCT} if plain else set()
        if change.media is not None and await set_media(session, shelf, change.media):
            changed.add(PRODUCT)
        rows = {variant.id: variant for variant, _ in shelf.variants}
        on_sale = not all(variant.archived for variant in rows.values())
        for position, wish in enumerate(change.variants, len(rows)):
            if wish.id is None:
                changed.add(await self._add_variant(session, shelf, wish, position, author))
            elif wish.id in rows:
                if await self._change_variant(session, shelf, rows[wish.id], wish):
                    changed.add(rows[wish.id].sku)
            else:
                raise NotFound("variant_unknown", "There is no such variant in this product.")
        added = any(wish.id is None for wish in change.variants)
        if on_sale and not added and all(variant.archived for variant in rows.values()):
            raise Conflict("last_variant", ONLY_VARIANT)
        if changed:
            await saved(session, product)
            await prices.follow(session, [product.id], self._clock())
            if offers_other(change):
                await offer_anew(session, product.id)
                self._room.tell(session, *rows)
        return changed

    async def _mind_bundles(self, session: AsyncSession, shelf: Shelf, change: ProductChange) -> None:
        """What is part of a bundle on sale stays on sale."""
        inside = {variant.id for variant, _ in shelf.variants}
        on_sale = {variant.id for variant, _ in shelf.variants if not variant.archived}
        going = on_sale & {wish.id for wish in change.variants if wish.archived}
        if change.state == "archived" and shelf.product.state != "archived":
            going = inside
        own = {variant.sku for variant, _ in shelf.variants} if change.state == "archived" else set()
        found = [sku for sku in await bundles.bundles_with(session, going) if sku not in own] if going else []
        if found:
            detail = f"It is part of the bundle {found[0]}. Take it out of there, or archive that first."
            raise Conflict("in_bundle", detail)

    async def _add_variant(
        self, session: AsyncSession, shelf: Shelf, wish: VariantChange, position: int, author: str
    ) -> str:
        if wish.sku is None or wish.price_minor is None or wish.currency is None:
            raise BadInput("incomplete", "A new variant needs a SKU, a price and a currency.")
        given = {name: value for name in OWN if (value := getattr(wish, name)) is not None}
        product = shelf.product
        variant = Variant(brand_id=product.brand_id, product_id=product.id, position=position, **given)
        await saved(session, variant)
        await saved(session, Stock(variant_id=variant.id, brand_id=product.brand_id))
        await self._extras(session, variant, wish, {}, {})
        if not wish.components:
            await self._room.receive(session, variant, wish.on_hand, author=author)
        return variant.sku

    async def _change_variant(
        self, session: AsyncSession, shelf: Shelf, variant: Variant, wish: VariantChange
    ) -> bool:
        given = {name: getattr(wish, name) for name in OWN if name in wish.model_fields_set}
        changed = False
        for name, value in given.items():
            # Only the cost may be taken back to nothing.
            if value != getattr(variant, name) and (value is not None or name == "cost_minor"):
                setattr(variant, name, value)
                changed = True
        await saved(session, variant)
        had = {price.currency: price.price_minor for price in shelf.prices.get(variant.id, ())}
        return await self._extras(session, variant, wish, had, shelf.parts.get(variant.id, {})) or changed

    async def _extras(
        self,
        session: AsyncSession,
        variant: Variant,
        wish: VariantChange,
        had: Mapping[str, int],
        parts: Mapping[UUID, int],
    ) -> bool:
        changed = False
        if wish.prices is not None:
            wanted = {p.currency: p.price_minor for p in wish.prices if p.currency != variant.currency}
            if wanted != had:
                await set_prices(session, variant, wanted)
                changed = True
        if wish.components is not None:
            made_of = {part.variant_id: part.quantity for part in wish.components}
            if made_of != parts:
                await bundles.compose(session, variant, made_of)
                changed = True
        return changed


async def set_media(session: AsyncSession, shelf: Shelf, wanted: Sequence[MediaIn]) -> bool:
    """These pictures and videos in this order; False when they are there already."""
    product = shelf.product
    if [(one.kind, one.url, one.alt) for one in wanted] == [(o.kind, o.url, o.alt) for o in shelf.media]:
        return False
    await session.exec(delete(ProductMedia).where(col(ProductMedia.product_id) == product.id))
    for position, one in enumerate(wanted):
        row = ProductMedia(brand_id=product.brand_id, product_id=product.id, position=position, **dict(one))
        session.add(row)
    product.image_url = next((one.url for one in wanted if one.kind == "image"), None)
    await session.flush()
    return True


async def set_prices(session: AsyncSession, variant: Variant, wanted: Mapping[str, int]) -> None:
    """Exactly these prices beside the base one."""
    await session.exec(delete(Price).where(col(Price.variant_id) == variant.id))
    for currency, price_minor in wanted.items():
        session.add(
            Price(
                brand_id=variant.brand_id,
                variant_id=variant.id,
                currency=currency,
                price_minor=price_minor,
            )
        )
    await session.flush()


def offers_other(change: ProductChange) -> bool:
    """Whether something else than the stock decides anew what may be sold where."""
    return (change.state, change.own_site_only) != (None, None) or any(
        wish.archived is not None or wish.components is not None for wish in change.variants
    )


async def offer_anew(session: AsyncSession, product_id: UUID) -> None:
    """What may be offered elsewhere may have changed though the stock has not: every shop is told again."""
    variants = select(Variant.id).where(col(Variant.product_id) == product_id)
    await session.exec(update(Listing).where(col(Listing.variant_id).in_(variants)).values(pushed_version=-1))
