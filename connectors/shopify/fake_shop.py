"""The fake's own shop: catalogue, stock at one location, orders; rendered REST-shaped and GraphQL-shaped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from connectors.shopify.fake_changes import Given, graph_refund, rest_refund
from connectors.shopify.fake_orders import Item, Placed
from connectors.types import Money

Tell = Callable[[str, dict[str, Any]], None]

LOCAL = timezone(timedelta(hours=1))
"""Webhooks speak in the shop's local time."""
LOCATION = "gid://shopify/Location/70000000001"


class SoldOut(Exception):
    """The shop's own stock does not cover an order."""


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
            body.get("attributes", {}), now, now, more=more, shipping=int(body.get("shipping", 0)),
            status_said=body.get("status", "paid"), rate=body.get("rate"),
        )  # fmt: skip
        self.orders.append(made)
        self._tell("orders/create", self.rest(made))
        self._tell("orders/updated", self.rest(made))
        for item, _ in bought:
            self._count(item)
        return made

    def cancel(self, order: Placed, *, refund: bool, restock: bool) -> None:
        """What Shopify's background job does."""
        way = "cancel" if restock else "no_restock"
        lines = [(line, order.left_of(line, quantity), way) for line, _, quantity in order.lines]
        extra = order.shipping if refund else 0
        self._give(order, [one for one in lines if one[1]], extra=extra, paid=refund)
        order.cancelled_at = order.updated_at
        self._tell("orders/updated", self.rest(order))
        self._tell("orders/cancelled", self.rest(order))

    def refund(self, order: Placed, body: dict[str, Any]) -> None:
        """Staff give money back: "lines" is [[place, pieces, restock type]], "extra" is a free amount."""
        lines = [(order.lines[place][0], pieces, way) for place, pieces, way in body.get("lines", ())]
        given = self._give(order, lines, extra=int(body.get("extra", 0)), paid=True)
        self._tell("refunds/create", rest_refund(given, order.id, local(given.at)))
        self._tell("orders/updated", self.rest(order))

    def edit(self, order: Placed, body: dict[str, Any]) -> None:
        """Staff change what was ordered: "add" {"sku", "quantity"}, or "place" and its new "quantity"."""
        if "add" in body:
            item = self.items[body["add"]["sku"]]
            order.more.append((item, int(body["add"]["quantity"])))
            item.quantity -= int(body["add"]["quantity"])
        else:
            line, item, quantity = order.lines[int(body["place"])]
            by = int(body["quantity"]) - order.left_of(line, quantity)
            if by < 0:
                self._give(order, [(line, -by, body.get("restock", "cancel"))], paid=False)
            else:
                order.resize(int(body["place"]), quantity + by)
                item.quantity -= by
        order.updated_at = datetime.now(UTC).replace(microsecond=0)
        self._tell("orders/edited", {"order_edit": {"id": order.number, "order_id": order.id}})
        self._tell("orders/updated", self.rest(order))

    def _give(self, order: Placed, lines: list[tuple[int, int, str]], *, extra: int = 0, paid: bool) -> Given:
        items = {line: item for line, item, _ in order.lines}
        order.updated_at = datetime.now(UTC).replace(microsecond=0)
        given = Given(
            number=order.number * 100 + len(order.refunds),
            at=order.updated_at,
            currency=order.total.currency,
            lines=[(line, n, way, items[line].price.amount * n) for line, n, way in lines],
            extra=extra,
            paid=paid,
        )
        if order.rate:
            given.presentment = (order.rate[0], round(given.minor * order.rate[1]))
        order.refunds.append(given)
        for line, pieces, way in lines:
            if way != "no_restock":
                items[line].quantity += pieces
                self._count(items[line])
        return given

    def count(self, sku: str, quantity: int) -> None:
        """Somebody corrects the number by hand."""
        self.items[sku].quantity = quantity
        self._count(self.items[sku])

    def _count(self, item: Item) -> None:
        self._tell(
            "inventory_levels/update",
            {
                "inventory_item_id": item.ids["item"],
                "location_id": int(LOCATION.rpartition("/")[2]),
                "available": item.quantity,
                "updated_at": local(datetime.now(UTC)),
            },
        )

    def set_level(self, item: Item, quantity: int) -> None:
        """An app wrote the number: it is told like anybody's change."""
        item.quantity = quantity
        self._count(item)

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
            "presentment_currency": order.seen["currencyCode"],
            "taxes_included": True,
            "total_price": order.total.decimal(),
            "total_price_set": {
                "shop_money": {"amount": order.total.decimal(), "currency_code": currency},
                "presentment_money": {
                    "amount": order.seen["amount"],
                    "currency_code": order.seen["currencyCode"],
                },
            },
            "current_total_price": order.left,
            "total_shipping_price_set": {
                "shop_money": {"amount": f"{order.shipping / 100:.2f}", "currency_code": currency}
            },
            "total_tax": "0.00",
            "total_discounts": "0.00",
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
            "refunds": [rest_refund(one, order.id, local(one.at)) for one in order.refunds],
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
            "taxesIncluded": True,
            "totalPriceSet": bag(order.total.decimal(), order.total.currency)
            | {"presentmentMoney": order.seen},
            "currentTotalPriceSet": bag(order.left, order.total.currency),
            "totalShippingPriceSet": bag(f"{order.shipping / 100:.2f}", order.total.currency),
            "totalTaxSet": bag("0.00", order.total.currency),
            "totalDiscountsSet": bag("0.00", order.total.currency),
            "refunds": lambda args: [
                graph_refund(one, utc(one.at)) for one in order.refunds[: int(args["first"])]
            ],
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
        "current_quantity": order.left_of(number, quantity),
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
        "currentQuantity": order.left_of(number, quantity),
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
