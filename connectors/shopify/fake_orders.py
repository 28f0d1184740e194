"""The fake shop's own records: what it sells, and what was ordered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connectors.shopify.fake_changes import Given
from connectors.types import Money


@dataclass
class Item:
    """One variant of a product of its own."""

    number: int
    sku: str
    title: str
    price: Money
    quantity: int

    @property
    def ids(self) -> dict[str, int]:
        """Numbers as Shopify's: large, and of different ranges."""
        return {
            "product": 8_100_000_000_000 + self.number,
            "variant": 45_000_000_000_000 + self.number,
            "item": 47_000_000_000_000 + self.number,
        }


@dataclass
class Placed:
    """One order."""

    number: int
    item: Item
    quantity: int
    email: str | None
    name: str
    landing: str
    attributes: dict[str, str]
    placed_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None = None
    more: list[tuple[Item, int]] = field(default_factory=list)
    refunds: list[Given] = field(default_factory=list)
    shipping: int = 0
    status_said: str = "paid"
    rate: tuple[str, float] | None = None

    @property
    def id(self) -> int:
        """Shopify's number of the order."""
        return 6_123_450_000_000 + self.number

    @property
    def lines(self) -> list[tuple[int, Item, int]]:
        """(line id, item, quantity) of every line."""
        first = 15_100_000_000_000 + self.number * 1000
        return [
            (first + place, item, quantity)
            for place, (item, quantity) in enumerate([(self.item, self.quantity), *self.more])
        ]

    def resize(self, place: int, quantity: int) -> None:
        """Another number of pieces of a line."""
        if place == 0:
            self.quantity = quantity
        else:
            self.more[place - 1] = (self.more[place - 1][0], quantity)

    @property
    def total(self) -> Money:
        """What was ordered, in shop money, before anything came back."""
        amount = sum(item.price.amount * quantity for _, item, quantity in self.lines) + self.shipping
        return Money(amount=amount, currency=self.item.price.currency)

    @property
    def returned(self) -> int:
        """What was given back, in minor units."""
        return sum(one.minor for one in self.refunds)

    @property
    def status(self) -> str:
        """The financial status."""
        if self.status_said != "paid" or not self.returned:
            return self.status_said
        return "partially_refunded" if self.returned < self.total.amount else "refunded"

    def left_of(self, line_id: int, quantity: int) -> int:
        """Pieces of a line that are still in the order."""
        return max(0, quantity - sum(one.pieces(line_id) for one in self.refunds))

    @property
    def left(self) -> str:
        """The current total, as a decimal: less what was edited out, and what was given back."""
        out = sum(line[3] for one in self.refunds if not one.paid for line in one.lines)
        amount = max(0, self.total.amount - self.returned - out)
        return Money(amount=0 if self.cancelled_at else amount, currency=self.total.currency).decimal()

    @property
    def seen(self) -> dict[str, str]:
        """The total as the buyer saw it."""
        code, rate = self.rate or (self.total.currency, 1.0)
        return {"amount": f"{round(self.total.amount * rate) / 100:.2f}", "currencyCode": code}
