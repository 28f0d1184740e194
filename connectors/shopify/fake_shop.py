"""The fake's own shop: catalogue, stock at one location, orders; rendered REST-shaped and GraphQL-shaped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from connectors.types import Money

Tell = Callable[[str, dict[str, Any]], None]

LOCAL = timezone(timedelta(hours=1))
"""Webhooks speak in the shop's local time."""
LOCATION = "gid://shopify/Location/70000000001"


class SoldOut(Exception):
    """The shop's own stock does not cover an order."""


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
    refunded: bool = False
    more: list[tuple[Item, int]] = field(default_factory=list)

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

    @property
    def total(self) -> Money:
        """What was ordered, in shop money."""
        amount = sum(item.price.amount * quantity for _, item, quantity in self.lines)
        return Money(amount=amount, currency=self.item.price.currency)

    @property
    def status(self) -> str:
        """The financial status."""
        return "refunded" if self.refunded else "paid"

    @property
    def left(self) -> str:
        """The current total, as a decimal."""
        gone = self.cancelled_at or self.refunded
        return Money(amount=0 if gone else self.total.amount, currency=self.total.currency).decimal()


class Shop:
    """What the store holds. Every change is told as a webhook once it is done."""

    def __init__(self, domain: str, tell: Tell) -> None:
        self.domain = domain
        self._tell = tell
        self.items: dict[str, Item] = {}
        self.orders: list[Placed] = []

    def stock(self, items: list[dict[str, Any]]) -> None:
        """Fill or correct the catalogue; a SKU that is known keeps its ids."""
        for given in items:
            known = self.items.get(given["sku"])
            price = Money(amount=given["price_minor"], currency=given["currency"])
            number = known.number if known else len(self.items) + 1
            self.items[given["sku"]] = Item(number, given["sku"], given["title"], price, given["quantity"])

    def place(self, body: dict[str, Any]) -> Placed:
        """A buyer orders; KeyError for an unknown SKU, SoldOut when the shop's stock does not cover it."""
        wanted = [body, *body.get("more", [])]
        bought = [(self.items[line["sku"]], int(line.get("quantity", 1))) for line in wanted]
        if any(item.quantity < quantity for item, quantity in bought):
            raise SoldOut
        for item, quantity in bought:
            item.quantity -= quantity
        (first, quantity), *more = bought
        now = datetime.now(UTC).replace(microsecond=0)
        landing = f"/products/{first.sku.lower()}"
        if body.get("utm"):
            landing += f"?{urlencode(body['utm'])}"
        made = Placed(
            len(self.orders) + 1, first, quantity, body.get("email"), body.get("name", ""), landing,
            body.get("attributes", {}), now, now, more=more,
        )  # fmt: skip
        self.orders.append(made)
        self._tell("orders/create", self.rest(made))
        self._tell("orders/updated", self.rest(made))
        return made

    def cancel(self, order: Placed, *, refund: bool, restock: bool) -> None:
        """What Shopify's background job does."""
        now = datetime.now(UTC).replace(microsecond=0)
        order.cancelled_at = order.updated_at = now
        order.refunded = refund
        if restock:
            for _, item, quantity in order.lines:
                item.quantity += quantity
        self._tell("orders/updated", self.rest(order))
        self._tell("orders/cancelled", self.rest(order))

    def find(self, gid: Any) -> Placed | None:
        """An order by its gid."""
        return next((order for order in self.orders if f"gid://shopify/Order/{order.id}" == gid), None)

    def rest(self, order: Placed) -> dict[str, Any]:
        """As webhooks spell it."""
        currency, (first, _, last) = order.total.currency, order.name.partition(" ")
        customer = {"id": 7_300_000_000_000 + order.number, "first_name": first, "last_name": last or None}
        return {
            "id": order.id,
            "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
            "name": f"#{1000 + order.number}",
            "number": order.number,
            "order_number": 1000 + order.number,
            "source_name": "web",
            "test": False,
            "created_at": local(order.placed_at),
            "processed_at": local(order.placed_at),
            "updated_at": local(order.updated_at),
            "closed_at": None,
            "cancelled_at": local(order.cancelled_at) if order.cancelled_at else None,
            "cancel_reason": "inventory" if order.cancelled_at else None,
            "financial_status": order.status,
            "fulfillment_status": None,
            "currency": currency,
            "presentment_currency": currency,
            "taxes_included": True,
            "total_price": order.total.decimal(),
            "current_total_price": order.left,
            "email": order.email,
            "contact_email": order.email,
            "phone": None,
            "customer": {**customer, "email": order.email, "tags": "", "currency": currency},
            "landing_site": order.landing,
            "referring_site": None,
            "note": None,
            "note_attributes": [{"name": name, "value": value} for name, value in order.attributes.items()],
            "discount_codes": [],
            "line_items": [rest_line(line, order) for line in order.lines],
            "fulfillments": [],
            "refunds": [],
        }

    def graph(self, order: Placed) -> dict[str, Any]:
        """As GraphQL spells it; fields with arguments are functions."""
        first, _, last = order.name.partition(" ")
        customer = f"gid://shopify/Customer/{7_300_000_000_000 + order.number}"
        return {
            "id": f"gid://shopify/Order/{order.id}",
            "name": f"#{1000 + order.number}",
            "createdAt": utc(order.placed_at),
            "updatedAt": utc(order.updated_at),
            "cancelledAt": utc(order.cancelled_at) if order.cancelled_at else None,
            "test": False,
            "email": order.email,
            "phone": None,
            "displayFinancialStatus": order.status.upper(),
            "currencyCode": order.total.currency,
            "totalPriceSet": bag(order.total.decimal(), order.total.currency),
            "currentTotalPriceSet": bag(order.left, order.total.currency),
            "customer": {"id": customer, "firstName": first, "lastName": last or None},
            "customAttributes": [{"key": name, "value": value} for name, value in order.attributes.items()],
            "customerJourneySummary": {
                "lastVisit": {"landingPage": f"https://{self.domain}{order.landing}"},
            },
            "lineItems": lambda args: paged([graph_line(line, order) for line in order.lines], args),
        }

    def variant(self, item: Item) -> dict[str, Any]:
        """A product variant, as GraphQL spells it."""

        def level(args: dict[str, Any]) -> dict[str, Any] | None:
            quantity = {"name": "available", "quantity": item.quantity}
            return {"quantities": lambda _: [quantity]} if args["locationId"] == LOCATION else None

        image = {"url": f"https://cdn.shopify.com/s/files/1/{item.sku.lower()}.jpg"}
        return {
            "id": f"gid://shopify/ProductVariant/{item.ids['variant']}",
            "title": "Default Title",
            "sku": item.sku,
            "price": item.price.decimal(),
            "inventoryItem": {
                "id": f"gid://shopify/InventoryItem/{item.ids['item']}",
                "tracked": True,
                "inventoryLevel": level,
            },
            "product": {
                "id": f"gid://shopify/Product/{item.ids['product']}",
                "title": item.title,
                "featuredMedia": {"preview": {"image": image}},
            },
        }


def rest_line(line: tuple[int, Item, int], order: Placed) -> dict[str, Any]:
    """One line, as webhooks spell it."""
    number, item, quantity = line
    return {
        "id": number,
        "variant_id": item.ids["variant"],
        "product_id": item.ids["product"],
        "sku": item.sku,
        "title": item.title,
        "name": item.title,
        "quantity": quantity,
        "current_quantity": 0 if order.cancelled_at else quantity,
        "price": item.price.decimal(),
        "total_discount": "0.00",
        "gift_card": False,
        "properties": [],
        "tax_lines": [],
    }


def graph_line(line: tuple[int, Item, int], order: Placed) -> dict[str, Any]:
    """One line, as GraphQL spells it."""
    number, item, quantity = line
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "title": item.title,
        "sku": item.sku,
        "quantity": quantity,
        "currentQuantity": 0 if order.cancelled_at else quantity,
        "originalUnitPriceSet": bag(item.price.decimal(), item.price.currency),
        "variant": {"id": f"gid://shopify/ProductVariant/{item.ids['variant']}"},
        "product": {"id": f"gid://shopify/Product/{item.ids['product']}"},
    }


def bag(amount: str, currency: str) -> dict[str, Any]:
    """GraphQL's MoneyBag."""
    money = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def paged(items: list[Any], args: dict[str, Any]) -> dict[str, Any]:
    """One page of a connection; cursors are places."""
    start = int(args.get("after") or 0)
    end = start + int(args["first"])
    return {"nodes": items[start:end], "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(end)}}


def utc(moment: datetime) -> str:
    """As GraphQL spells a time."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def local(moment: datetime) -> str:
    """As webhooks spell a time."""
    return moment.astimezone(LOCAL).isoformat()
