"""Products from a shop or a feed, read again and again: new ones are added, known ones follow the shop.

The rule: a field follows the shop only while it is what the shop said last time. What was edited here is
left alone, and so is what was here before the shop was first read, unless the brand asks to overwrite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Product as Found
from hub.catalog import ties
from hub.catalog.changes import MediaIn, PriceIn, ProductChange, VariantChange
from hub.catalog.edits import ProductEdits
from hub.catalog.models import Intake, Product, Variant
from hub.catalog.service import Catalog, Shelf
from hub.catalog.taking import Report
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database
from hub.errors import BadInput, HubError
from hub.jobs import defer

BATCH = 50
"""Products of a shop in one transaction."""
GIVEN_UP_AFTER = timedelta(hours=3)
"""A job is tried for about two hours; after that the next press begins anew."""


@dataclass(frozen=True)
class Wish:
    """`add`: make products of what we do not have. `overwrite`: what was edited here follows the shop too."""

    add: bool = True
    overwrite: bool = False


class Sync:
    """Reads catalogues of shops and feeds."""

    def __init__(
        self, db: Database, clock: Clock, connections: Connections, catalog: Catalog, edits: ProductEdits
    ) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._catalog = catalog
        self._edits = edits

    async def begin(self, session: AsyncSession, row: Connection, wish: Wish, author: str) -> Intake:
        """Read this account's catalogue in the background; the one that runs already will do.

        BadInput where there is no catalogue to read.
        """
        connector = self._connections.connector(row.connector)
        if connector.catalog_source is None:
            raise BadInput("no_catalogue", f"{connector.title} has no catalogue to read.")
        # Two people press at once: the second waits here, and finds the first one's.
        await session.refresh(row, with_for_update=True)
        running = select(Intake).where(
            col(Intake.connection_id) == row.id, col(Intake.state).in_(("queued", "running"))
        )
        for found in await session.exec(running):
            if found.created_at > self._clock() - GIVEN_UP_AFTER:
                return found
            found.state = "failed"
        intake = Intake(
            brand_id=row.brand_id,
            kind="sync",
            connection_id=row.id,
            step="apply",
            wish={"add": wish.add, "overwrite": wish.overwrite},
            author=author,
        )
        session.add(intake)
        await session.flush()
        await defer(session, "catalog.sync", lock=f"catalog.sync:{row.id}", intake_id=str(intake.id))
        return intake

    async def run(self, intake_id: UUID) -> None:
        """The job. Repeatable: whatever was taken before it was killed is found to be the same."""
        async with self._db.session() as session:
            intake = await session.get(Intake, intake_id)
            if intake is None or intake.state not in ("queued", "running") or not intake.connection_id:
                return
            connection = await session.get(Connection, intake.connection_id)
            intake.state = "running"
        report = Report()
        try:
            if connection is None or connection.state == "off":
                raise Refused("This account is not linked any more.")
            await self._all(intake, connection, report)
        except RetryLater as error:
            await self._end(intake.id, "running", report, f"{error.reason} Trying again by itself.")
            raise
        except (Refused, Reconnect) as error:
            await self._end(intake.id, "failed", report, error.reason)
        except HubError as error:
            await self._end(intake.id, "failed", report, error.detail)
        else:
            await self._end(intake.id, "done", report)

    async def _all(self, intake: Intake, connection: Connection, report: Report) -> None:
        async with self._connections.use(connection.id) as opened:
            if opened.connector.catalog_source is None:
                raise Refused(f"{opened.connector.title} has no catalogue to read.")
            takes_stock = opened.connector.stock_sink is not None
            found: list[Found] = []
            async for one in opened.connector.catalog_source(opened.session).products():
                found.append(one)
                if len(found) >= ties.MOST_PRODUCTS:
                    raise Refused(f"It lists {ties.MOST_PRODUCTS:,} variants or more; that is too many.")
        wish = Wish(**intake.wish)
        found = list({one.listing.variant_id: one for one in found}.values())
        found.sort(key=lambda one: one.listing.product_id)
        groups = [list(group) for _, group in groupby(found, key=lambda one: one.listing.product_id)]
        done = 0
        for begin in range(0, len(groups), BATCH):
            async with self._db.session() as session:
                for group in groups[begin : begin + BATCH]:
                    taking = Following(
                        session,
                        connection,
                        wish,
                        intake.author or "",
                        takes_stock,
                        self._catalog,
                        self._edits,
                    )
                    await taking.group(group, report)
                    done += len(group)
                progress = {"total": len(found), "done": done, "counts": report.counts}
                await session.exec(update(Intake).where(col(Intake.id) == intake.id).values(**progress))
        async with self._db.session() as session:
            lost = await ties.gone(session, connection, {one.listing.variant_id for one in found})
        if lost:
            report.counts["gone"] = lost

    async def _end(self, intake_id: UUID, state: str, report: Report, error: str | None = None) -> None:
        async with self._db.session() as session:
            row = await session.get(Intake, intake_id, with_for_update=True)
            if row:
                row.state, row.error = state, error
                row.ended_at = None if state == "running" else self._clock()
                row.counts, row.report = report.counts, report.listed()


@dataclass(frozen=True)
class Following:
    """One product of a shop on its way into the catalogue."""

    session: AsyncSession
    connection: Connection
    wish: Wish
    author: str
    takes_stock: bool
    catalog: Catalog
    edits: ProductEdits

    async def group(self, group: Sequence[Found], report: Report) -> None:
        """All variants of one of the shop's products. A problem costs no other product."""
        try:
            async with self.session.begin_nested():
                lines = await self._take(group)
        except (HubError, ValidationError) as problem:
            said = problem.detail if isinstance(problem, HubError) else "The shop's data is not usable."
            lines = [(one, "problem", said) for one in group]
        for one, outcome, said in lines:
            report.note(0, one.listing.sku, outcome, f"{one.title}: {said}" if said else one.title)

    async def _take(self, group: Sequence[Found]) -> list[tuple[Found, str, str]]:
        known = await ties.tied(self.session, self.connection, group)
        old = [one for one in group if one.listing.variant_id in known]
        followed: set[UUID] = set()
        lines = [await self._follow(one, *known[one.listing.variant_id], followed) for one in old]
        new = [one for one in group if one.listing.variant_id not in known]
        if new and self.wish.add:
            # What shoppers do not see there is not put on sale here by itself.
            usable = [one for one in new if 0 < len(one.listing.sku.strip()) <= 64 and not one.hidden]
            first = {one.listing.sku.strip(): one for one in reversed(usable)}
            home = next((variant_id for variant_id, _ in known.values()), None)
            if first:
                await self._add([*reversed(first.values())], home)
                lines += [(one, "added", "") for one in first.values()]
            new = [one for one in new if one not in first.values()]
        for one in new:
            await ties.leave(self.session, self.connection, one)
            why = "none of your SKUs" if one.listing.sku else "it has no SKU there"
            lines.append((one, "unmatched", one.hidden or why))
        return lines

    async def _add(self, new: Sequence[Found], home: UUID | None) -> None:
        ref = f"{self.connection.connector}:{new[0].listing.product_id}"
        change = ProductChange(
            title=new[0].title.strip()[:200] or new[0].listing.sku,
            media=pictures(new[0].image_url, new[0].title),
            variants=[variant_of(one) for one in new],
        )
        shelf = await self._home(home, ref)
        if shelf:
            await self.edits.change(
                self.session, shelf, ProductChange(variants=change.variants), author=self.author
            )
            shelf = await self.catalog.shelf(self.session, self.connection.brand_id, shelf.product.id)
        else:
            shelf = await self.edits.add(
                self.session, self.connection.brand_id, change, author=self.author, external_ref=ref
            )
        ids = {variant.sku: variant.id for variant, _ in shelf.variants}
        for one in new:
            await self._tie(ids[one.listing.sku.strip()], one)

    async def _home(self, variant_id: UUID | None, ref: str) -> Shelf | None:
        """The product that has the others of this group already."""
        brand_id = self.connection.brand_id
        query = select(Product.id).where(col(Product.brand_id) == brand_id, col(Product.external_ref) == ref)
        found = (await self.session.exec(query)).first()
        if variant_id:
            found = await self.edits.product_of(self.session, brand_id, variant_id)
        return await self.catalog.shelf(self.session, brand_id, found, lock=True) if found else None

    async def _tie(self, variant_id: UUID, one: Found) -> None:
        await ties.tie(self.session, self.connection, variant_id, one, takes_stock=self.takes_stock)

    async def _follow(
        self, one: Found, variant_id: UUID, before: Mapping[str, Any], followed: set[UUID]
    ) -> tuple[Found, str, str]:
        brand_id = self.connection.brand_id
        product_id = await self.edits.product_of(self.session, brand_id, variant_id)
        shelf = await self.catalog.shelf(self.session, brand_id, product_id, lock=True)
        # Title and picture are the product's: each variant has its own there, and the first one's are taken.
        shared = set() if product_id in followed else {"title", "picture"}
        followed.add(product_id)
        [variant] = [variant for variant, _ in shelf.variants if variant.id == variant_id]
        now, ours = comparable(ties.theirs_of(one)), ours_of(shelf, variant, one.price.currency)
        looked_at = {"variant", "price"} | shared
        differs = {name for name in looked_at if now[name] is not None and now[name] != ours[name]}
        # Nothing was read before: what is here was here first, and counts as edited.
        last = comparable(before) if before else {}
        taken = {
            name for name in differs if self.wish.overwrite or (name in last and last[name] == ours[name])
        }
        if taken:
            change = change_of(one, shelf, variant, taken)
            await self.edits.change(self.session, shelf, change, author=self.author)
        await self._tie(variant_id, one)
        kept = ", ".join(sorted(differs - taken))
        if taken:
            return one, "changed", ", ".join(sorted(taken)) + (f"; left alone: {kept}" if kept else "")
        return (one, "kept", f"differs here and is left alone: {kept}") if kept else (one, "same", "")


def comparable(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What we take over from a shop, by the name a person knows it by."""
    return {
        "title": str(theirs.get("title") or "").strip()[:200] or None,
        "variant": str(theirs.get("variant") or "").strip()[:200],
        "price": (theirs.get("price_minor"), theirs.get("currency")),
        "picture": picture.url if (picture := picture_of(theirs.get("image_url"), "")) else None,
    }


def ours_of(shelf: Shelf, variant: Variant, currency: str) -> dict[str, Any]:
    """The same of ours; the price in the shop's currency."""
    prices = {price.currency: price.price_minor for price in shelf.prices.get(variant.id, ())}
    prices[variant.currency] = variant.price_minor
    return {
        "title": shelf.product.title,
        "variant": variant.title,
        "price": (prices.get(currency), currency),
        "picture": shelf.product.image_url,
    }


def change_of(one: Found, shelf: Shelf, variant: Variant, taken: set[str]) -> ProductChange:
    """The change that takes these of the shop's fields over."""
    wish: dict[str, Any] = {"id": variant.id}
    if "variant" in taken:
        wish["title"] = one.variant_title[:200]
    if "price" in taken and one.price.currency == variant.currency:
        wish["price_minor"] = one.price.amount
    elif "price" in taken:
        others = {price.currency: price.price_minor for price in shelf.prices.get(variant.id, ())}
        others[one.price.currency] = one.price.amount
        wish["prices"] = [PriceIn(currency=code, price_minor=minor) for code, minor in others.items()]
    given: dict[str, Any] = {"variants": [VariantChange(**wish)] if len(wish) > 1 else []}
    if "title" in taken:
        given["title"] = one.title.strip()[:200]
    if "picture" in taken:
        rest = [o for o in shelf.media if o.url != shelf.product.image_url]
        kept = [MediaIn.model_validate(o, from_attributes=True) for o in rest]
        given["media"] = pictures(one.image_url, one.title) + kept
    return ProductChange(**given)


def variant_of(one: Found) -> VariantChange:
    """A new variant, with what the shop has of it as its first stock."""
    return VariantChange(
        sku=one.listing.sku,
        title=one.variant_title[:200],
        price_minor=one.price.amount,
        currency=one.price.currency,
        on_hand=max(0, one.quantity or 0),
    )


def picture_of(url: str | None, alt: str) -> MediaIn | None:
    """A shop's picture, or None for what a page may not load."""
    try:
        return MediaIn(url=url, alt=alt[:500]) if url else None
    except ValidationError:
        return None


def pictures(url: str | None, alt: str) -> list[MediaIn]:
    """The same, as a list of one or none."""
    return [picture for picture in (picture_of(url, alt),) if picture]
