"""What an invoice or a credit note says, as data. Pure; kept as it was issued, and drawn by `pdf.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from hub.aftersale.money import SHIPPING, Part, Pot
from hub.orders.models import Order, OrderLine


class Frozen(BaseModel):
    """Values that never change once written."""

    model_config = ConfigDict(frozen=True)


class Party(Frozen):
    """Seller or buyer."""

    name: str
    address: list[str]
    vat_id: str = ""
    contact: str = ""


class Item(Frozen):
    """One row: amounts with tax."""

    title: str
    sku: str = ""
    quantity: int | None
    tax_percent: str | None
    total_minor: int


class TaxRow(Frozen):
    """All that bears one rate. `percent` is None where the rate is not known."""

    title: str
    percent: str | None
    net_minor: int
    tax_minor: int


class Document(Frozen):
    """An invoice or a credit note; amounts of a credit note are positive: they are given back."""

    kind: str
    number: str
    issued_at: datetime
    order_number: str
    ordered_on: date
    refers_to: str = ""
    currency: str
    seller: Party
    buyer: Party
    items: list[Item]
    taxes: list[TaxRow]
    net_minor: int
    tax_minor: int
    total_minor: int
    note: str = ""


@dataclass(frozen=True)
class Heading:
    """What a document has beside its rows."""

    kind: str
    number: str
    issued_at: datetime
    seller: Party
    buyer: Party
    refers_to: str = ""
    note: str = ""


@dataclass(frozen=True)
class Rate:
    """A rate of tax as the order was taxed."""

    percent: Decimal | None
    title: str

    @property
    def text(self) -> str | None:
        """The percentage without idle noughts: "19", "5.5"."""
        return None if self.percent is None else f"{self.percent.normalize():f}"


def pots_of(order: Order, lines: Sequence[OrderLine]) -> list[Pot]:
    """The order's money by lines and shipping, taxes included; nothing gone back yet."""
    added = 0 if order.prices_include_tax else 1
    found = [
        Pot(
            line.id,
            line.quantity,
            line.unit_minor * line.quantity - line.discount_minor + added * line.tax_minor,
            line.tax_minor,
        )
        for line in lines
    ]
    tax = max(0, order.tax_minor - sum(line.tax_minor for line in lines))
    return [*found, Pot(SHIPPING, 0, order.shipping_minor + added * tax, tax)]


def document(heading: Heading, order: Order, lines: Sequence[OrderLine], given: Sequence[Part]) -> Document:
    """What was sold (or, of a credit note, given back), row by row, and the taxes by rate."""
    sums: dict[Rate, tuple[int, int]] = {}
    items = []
    for part in given:
        rate = rate_of(part, lines)
        items.append(item_of(part, rate, order, lines))
        net, tax = sums.get(rate, (0, 0))
        sums[rate] = (net + part.amount_minor - part.tax_minor, tax + part.tax_minor)
    total, tax_total = sum(part.amount_minor for part in given), sum(part.tax_minor for part in given)
    return Document(
        kind=heading.kind,
        number=heading.number,
        issued_at=heading.issued_at,
        order_number=order.number,
        ordered_on=order.placed_at.date(),
        refers_to=heading.refers_to,
        currency=order.currency,
        seller=heading.seller,
        buyer=heading.buyer,
        items=items,
        taxes=[
            TaxRow(title=rate.title, percent=rate.text, net_minor=net, tax_minor=tax)
            for rate, (net, tax) in sorted(sums.items(), key=lambda one: -(one[0].percent or Decimal(-1)))
        ],
        net_minor=total - tax_total,
        tax_minor=tax_total,
        total_minor=total,
        note=heading.note,
    )


def item_of(part: Part, rate: Rate, order: Order, lines: Sequence[OrderLine]) -> Item:
    """One row."""
    line = next((line for line in lines if line.id == part.line_id), None)
    shipping = f"Shipping: {order.shipping_method}" if order.shipping_method else "Shipping"
    return Item(
        title=line.title if line else shipping,
        sku=(line.sku or "") if line else "",
        quantity=part.quantity or None,
        tax_percent=rate.text,
        total_minor=part.amount_minor,
    )


def rate_of(part: Part, lines: Sequence[OrderLine]) -> Rate:
    """The rate a part was taxed at. Of shipping only the amount is kept: its rate is the line's that fits."""
    for line in lines:
        if line.id == part.line_id:
            return Rate(line.tax_percent, line.tax_title or "Tax")
    if not part.tax_minor:
        return Rate(Decimal(0), "Tax")
    net = part.amount_minor - part.tax_minor
    found = {Rate(line.tax_percent, line.tax_title or "Tax") for line in lines}

    def miss(rate: Rate) -> Decimal:
        return abs(Decimal(net) * (rate.percent or Decimal(0)) / 100 - part.tax_minor)

    nearest = min(found, key=lambda rate: (miss(rate), rate.title), default=None)
    if nearest and miss(nearest) <= 1:
        return nearest
    return Rate(None, "Tax on shipping")
