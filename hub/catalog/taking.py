"""Takes a file's lines into the catalogue, product by product; a problem of one costs no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog import rows
from hub.catalog.changes import MOST_VARIANTS, PartIn, ProductChange, VariantChange
from hub.catalog.edits import PRODUCT, ProductEdits
from hub.catalog.models import Product, Variant
from hub.catalog.rows import LineProblem, Row
from hub.catalog.service import Catalog, Shelf
from hub.catalog.sheet import Line
from hub.errors import HubError

MOST_TOLD = 500
"""Lines a report lists one by one; all are counted."""


@dataclass
class Report:
    """What became of each line. Problems are listed before anything else is."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, object]] = field(default_factory=list)
    others: list[dict[str, object]] = field(default_factory=list)

    def note(self, line: int, sku: str, outcome: str, text: str = "") -> None:
        """One line: added, changed, same or problem."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        entry: dict[str, object] = {"line": line, "sku": sku, "outcome": outcome, "text": text}
        if outcome == "problem":
            self.problems.append(entry)
        elif outcome != "same" and len(self.others) < MOST_TOLD:
            self.others.append(entry)

    def listed(self) -> list[dict[str, object]]:
        """As much of it as is kept."""
        self.problems.sort(key=lambda entry: int(str(entry["line"])))
        return (self.problems + self.others)[:MOST_TOLD]


def understood(
    lines: Sequence[Line], known: Mapping[str, Variant], currency: str, report: Report
) -> list[Row]:
    """The lines that mean something; of the others the report says why not."""
    found: list[Row] = []
    seen: dict[str, int] = {}
    for line in lines:
        sku = rows.sku_in(line)
        variant = known.get(sku)
        try:
            row = rows.row_of(line, variant.currency if variant else currency)
            if row.sku in seen:
                raise LineProblem(f"Line {seen[row.sku]} has the same SKU.")
            seen[row.sku] = row.line
            found.append(row)
        except LineProblem as problem:
            report.note(line.number, sku, "problem", str(problem))
    return found


def groups_of(found: Sequence[Row], known: Mapping[str, Variant], report: Report) -> list[list[Row]]:
    """The lines of one product together; those with bundles come last, when all parts are there.

    Lines belong together when their SKUs are of one product of ours or the file groups them. A line alone is
    a product of its own.
    """
    homes: dict[str, set[UUID]] = {}
    for row in found:
        if row.group and row.sku in known:
            homes.setdefault(row.group, set()).add(known[row.sku].product_id)
    groups: dict[object, list[Row]] = {}
    for row in found:
        home = homes.get(row.group, set())
        if row.sku in known:
            groups.setdefault(known[row.sku].product_id, []).append(row)
        elif len(home) == 1:
            groups.setdefault(next(iter(home)), []).append(row)
        elif home:
            text = f"Its group {row.group} has SKUs of different products. Give it a group of its own."
            report.note(row.line, row.sku, "problem", text)
        else:
            groups.setdefault(("group", row.group) if row.group else ("sku", row.sku), []).append(row)
    return sorted(groups.values(), key=lambda group: any(row.parts is not None for row in group))


def merged(group: Sequence[Row], known: Mapping[str, Variant], currency: str) -> ProductChange:
    """One change of all the lines of a product. LineProblem where they contradict each other."""
    if len(group) > MOST_VARIANTS:
        raise LineProblem(f"A product has at most {MOST_VARIANTS:,} variants.")
    said: dict[str, str] = {}
    given: dict[str, object] = {}
    for row in group:
        for name, cell in row.said.items():
            if said.setdefault(name, cell) != cell:
                raise LineProblem(f"Its lines say different things about {name}. Say it once, or the same.")
        given |= {name: getattr(row.product, name) for name in row.product.model_fields_set}
    variants = [variant_of(row, known.get(row.sku), currency) for row in group]
    return ProductChange.model_validate({**given, "variants": variants})


def variant_of(row: Row, ours: Variant | None, currency: str) -> VariantChange:
    """A line's variant, tied to the row it changes. LineProblem for a new one without a price."""
    if ours:
        return row.variant.model_copy(update={"id": ours.id})
    if row.variant.price_minor is None:
        raise LineProblem("It is new and has no price.")
    update: dict[str, object] = {"currency": row.variant.currency or currency}
    if row.parts is not None:
        update["on_hand"] = 0
    return row.variant.model_copy(update=update)


@dataclass(frozen=True)
class Taking:
    """One file on its way into the catalogue, in one transaction."""

    session: AsyncSession
    brand_id: UUID
    author: str
    currency: str
    known: Mapping[str, Variant]
    report: Report
    catalog: Catalog
    edits: ProductEdits

    async def group(self, group: Sequence[Row]) -> None:
        """One product as its lines say, or a problem on each of them and nothing changed."""
        try:
            async with self.session.begin_nested():
                changed = await self._write(group)
        except (LineProblem, HubError) as problem:
            for row in group:
                self.report.note(row.line, row.sku, "problem", str(problem))
            return
        for index, row in enumerate(group):
            touched = row.sku in changed or (index == 0 and PRODUCT in changed)
            outcome = "added" if row.sku not in self.known else "changed" if touched else "same"
            self.report.note(row.line, row.sku, outcome)

    async def _write(self, group: Sequence[Row]) -> set[str]:
        change = merged(group, self.known, self.currency)
        shelf = await self._shelf(group)
        if shelf is None:
            if not change.title:
                raise LineProblem("It is new and has no title.")
            ref = group[0].group or None
            shelf = await self.edits.add(
                self.session, self.brand_id, change, author=self.author, external_ref=ref
            )
            changed = {PRODUCT}
        else:
            changed = await self.edits.change(self.session, shelf, change, author=self.author)
        if any(row.parts is not None for row in group):
            changed |= await self._compose(group, shelf.product.id)
        return changed

    async def _shelf(self, group: Sequence[Row]) -> Shelf | None:
        """The product of ours that the group is, locked."""
        product_id = next((self.known[row.sku].product_id for row in group if row.sku in self.known), None)
        if product_id is None and group[0].group:
            named = col(Product.external_ref) == group[0].group
            with suppress(ValueError):
                named |= col(Product.id) == UUID(group[0].group)
            query = select(Product.id).where(col(Product.brand_id) == self.brand_id, named)
            product_id = (await self.session.exec(query.order_by(col(Product.id)))).first()
        if product_id is None:
            return None
        return await self.catalog.shelf(self.session, self.brand_id, product_id, lock=True)

    async def _compose(self, group: Sequence[Row], product_id: UUID) -> set[str]:
        """Now that every SKU is there, the bundles among them are put together."""
        skus = {sku for row in group for sku in (row.parts or {})} | {row.sku for row in group}
        query = select(Variant.sku, Variant.id).where(
            col(Variant.brand_id) == self.brand_id, col(Variant.sku).in_(skus)
        )
        ids = dict((await self.session.exec(query)).all())
        if missing := sorted(skus - set(ids)):
            raise LineProblem(f"There is no SKU {missing[0]} to put into the bundle.")
        wishes = [
            VariantChange(
                id=ids[row.sku],
                components=[PartIn(variant_id=ids[sku], quantity=n) for sku, n in row.parts.items()],
            )
            for row in group
            if row.parts is not None
        ]
        shelf = await self.catalog.shelf(self.session, self.brand_id, product_id, lock=True)
        return await self.edits.change(
            self.session, shelf, ProductChange(variants=wishes), author=self.author
        )
