"""The fake site's own shop: products, variations, orders, refunds; as the REST API spells them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Tell = Callable[[str, int], None]
"""(topic, id): what it says is made when it is sent."""

LOCAL = timedelta(hours=1)
"""The site's own time, in which WooCommerce tells half of its dates, without saying so."""
REDUCING = frozenset({"processing", "on-hold", "completed"})
RESTORING = frozenset({"cancelled", "pending"})


class No(Exception):
    """An error as the REST API words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Item:
    """One thing on sale. `parent` is the product a variation belongs to; `trashed`: it is listed no more."""

    id: int
    sku: str
    title: str
    minor: int
    quantity: int
    manage: bool | str = True
    backorders: str = "no"
    parent: int = 0
    trashed: bool = False


@dataclass
class Line:
    """One line of an order; `reduced` pieces are taken from the shelf for it."""

    id: int
    item: Item
    quantity: int
    reduced: int = 0
    restocked: int = 0


@dataclass
class Placed:
    """One order. Amounts are in hundredths, tax included, 19 % of it."""

    id: int
    lines: list[Line]
    status: str
    email: str
    name: str
    meta: dict[str, str]
    shipping: int
    created: datetime
    modified: datetime
    paid: bool = True
    refunds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """What is to be paid, before anything was given back."""
        return sum(line.item.minor * line.quantity for line in self.lines) + self.shipping


class Shop:
    """What the site holds. Every change is told once it is done."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.items: dict[str, Item] = {}
        self.orders: dict[int, Placed] = {}
        self.currency = "EUR"
        self._next = 8000

    def number(self) -> int:
        """Posts of all kinds share one sequence."""
        self._next += 1
        return self._next

    def stock(self, items: list[dict[str, Any]]) -> None:
        """Fill or correct the catalogue; a known SKU keeps its number.

        "parent": a variation of the product with this number, of the one that has this SKU as a variation, or
        (true) of a new one. "trashed": thrown away, until it is filled in again.
        """
        for given in items:
            known = self.items.get(given["sku"])
            if known and given.get("trashed"):
                known.trashed = True
                continue
            self.currency = given.get("currency", self.currency)
            parent = given.get("parent") or (known.parent if known else 0)
            parent = self.items[parent].parent if isinstance(parent, str) else parent
            self.items[given["sku"]] = Item(
                known.id if known else self.number(),
                given["sku"],
                given["title"],
                int(given["price_minor"]),
                int(given["quantity"]),
                given.get("manage", True),
                given.get("backorders", "no"),
                self.number() if parent is True else int(parent),
            )

    def place(self, body: dict[str, Any]) -> Placed:
        """A buyer orders; KeyError for an unknown SKU, No when the shop's own stock does not cover it."""
        wanted = [body, *body.get("more", [])]
        bought = [(self.items[one["sku"]], int(one.get("quantity", 1))) for one in wanted]
        for item, quantity in bought:
            if item.trashed or (item.manage is True and item.backorders == "no" and item.quantity < quantity):
                raise No(409, "sold_out", "Not enough units are available in stock.")
        now = datetime.now(UTC).replace(microsecond=0)
        lines = [Line(self.number(), item, quantity) for item, quantity in bought]
        made = Placed(
            id=self.number(),
            lines=lines,
            status="pending",
            email=body.get("email") or "",
            name=body.get("name") or "",
            meta=dict(body.get("meta", {})),
            shipping=int(body.get("shipping", 0)),
            created=now,
            modified=now,
            paid=body.get("status", "processing") in ("processing", "completed"),
        )
        self.orders[made.id] = made
        self._tell("order.created", made.id)
        self.move(made, body.get("status", "processing"))
        return made

    def move(self, order: Placed, status: str) -> None:
        """Another status, and what it does to the shelf."""
        order.status = status
        order.paid = order.paid or status in ("processing", "completed")
        for line in order.lines:
            if status in REDUCING and not line.reduced:
                self.shelve(line.item, -line.quantity)
                line.reduced = line.quantity
            elif status in RESTORING and line.reduced:
                self.shelve(line.item, line.reduced)
                line.reduced = 0
        self.touch(order)

    def touch(self, order: Placed) -> None:
        """It changed just now."""
        order.modified = max(order.modified, datetime.now(UTC).replace(microsecond=0))
        self._tell("order.updated", order.id)

    def edit(self, order: Placed, body: dict[str, Any]) -> None:
        """Staff change what was ordered: "add" {"sku", "quantity"}, or "place" and its new "quantity"."""
        if "add" in body:
            line = Line(self.number(), self.items[body["add"]["sku"]], int(body["add"]["quantity"]))
            order.lines.append(line)
        else:
            line = order.lines[int(body["place"])]
            line.quantity = int(body["quantity"])
        if order.status in REDUCING:
            self.shelve(line.item, line.reduced - line.quantity)
            line.reduced = line.quantity
        if line.quantity == 0:
            order.lines.remove(line)
        self.touch(order)

    def refund(self, order: Placed, body: dict[str, Any]) -> dict[str, Any]:
        """Money back, by the API or by staff. "pieces": [[place, quantity]]; "restock" is on by default."""
        amount = round(float(body["amount"]) * 100)
        given = sum(one["minor"] for one in order.refunds)
        if amount <= 0 or amount > order.total - given:
            raise No(400, "woocommerce_rest_invalid_order_refund", "Refund amount must be greater than zero.")
        pieces = [(order.lines[int(place)], int(n)) for place, n in body.get("pieces", ())]
        if body.get("restock", True):
            for line, quantity in pieces:
                if line.reduced:
                    self.shelve(line.item, quantity)
                    line.reduced -= quantity
                    line.restocked += quantity
        made = {
            "id": self.number(),
            "minor": amount,
            "reason": body.get("reason", ""),
            "at": datetime.now(UTC).replace(microsecond=0),
            "pieces": [(line.id, quantity, line.item.minor * quantity) for line, quantity in pieces],
        }
        order.refunds.append(made)
        if given + amount == order.total:
            order.status = "refunded"
        self.touch(order)
        return made

    def shelve(self, item: Item, by: int) -> None:
        """More or less of it, told as a change of the product."""
        if item.manage is True:
            item.quantity += by
            self._tell("product.updated", item.id)

    def count(self, item: Item, quantity: int) -> None:
        """Somebody sets the number."""
        self.shelve(item, quantity - item.quantity)

    def by_id(self, number: int) -> Item:
        """A product or a variation; No when there is none."""
        for item in self.items.values():
            if item.id == number:
                return item
        raise No(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")

    def order(self, number: int) -> Placed:
        """No when there is none."""
        if number not in self.orders:
            raise No(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return self.orders[number]


def item_json(item: Item) -> dict[str, Any]:
    """A simple product, or a variation."""
    return {
        "id": item.id,
        "name": item.title,
        "type": "variation" if item.parent else "simple",
        "status": "trash" if item.trashed else "publish",
        "sku": item.sku,
        "price": text(item.minor),
        "manage_stock": item.manage,
        "stock_quantity": item.quantity if item.manage is True else None,
        "stock_status": "instock" if item.quantity > 0 else "outofstock",
        "backorders": item.backorders,
        "images": [{"id": 1, "src": f"https://shop.example.com/{item.sku.lower()}.jpg"}],
        "attributes": [{"id": 0, "name": "Colour", "option": item.title}] if item.parent else [],
        "meta_data": [],
    }


def order_json(order: Placed, currency: str) -> dict[str, Any]:
    """As orders/ID and the webhooks spell it."""
    first, _, last = order.name.partition(" ")
    tax = sum(tax_of(line.item.minor * line.quantity) for line in order.lines) + tax_of(order.shipping)
    gmt, modified = order.created, order.modified
    return {
        "id": order.id,
        "parent_id": 0,
        "number": str(order.id),
        "status": order.status,
        "currency": currency,
        "prices_include_tax": True,
        "date_created": (gmt + LOCAL).strftime(STAMP),
        "date_created_gmt": gmt.strftime(STAMP),
        "date_modified": (modified + LOCAL).strftime(STAMP),
        "date_modified_gmt": modified.strftime(STAMP),
        "date_paid_gmt": gmt.strftime(STAMP) if order.paid else None,
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": text(order.shipping - tax_of(order.shipping)),
        "shipping_tax": text(tax_of(order.shipping)),
        "total": text(order.total),
        "total_tax": text(tax),
        "customer_id": 0,
        "billing": {
            "first_name": first,
            "last_name": last,
            "email": order.email,
            "phone": "",
            "country": "DE",
        },
        "payment_method": "stripe",
        "meta_data": [
            {"id": n, "key": key, "value": value} for n, (key, value) in enumerate(order.meta.items())
        ],
        "line_items": [line_json(line) for line in order.lines],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [
            {"id": one["id"], "reason": one["reason"], "total": f"-{text(one['minor'])}"}
            for one in order.refunds
        ],
    }


def line_json(line: Line) -> dict[str, Any]:
    """Without tax, as always; the notes say what became of the stock."""
    gross = line.item.minor * line.quantity
    tax, notes = tax_of(gross), {"_reduced_stock": line.reduced} if line.reduced or line.restocked else {}
    if line.restocked:
        notes["_restock_refunded_items"] = line.restocked
    return {
        "id": line.id,
        "name": line.item.title,
        "product_id": line.item.parent or line.item.id,
        "variation_id": line.item.id if line.item.parent else 0,
        "quantity": line.quantity,
        "subtotal": text(gross - tax),
        "subtotal_tax": text(tax),
        "total": text(gross - tax),
        "total_tax": text(tax),
        "meta_data": [
            {"id": n, "key": key, "value": str(value)} for n, (key, value) in enumerate(notes.items())
        ],
        "sku": line.item.sku,
        "price": (gross - tax) / 100 / max(1, line.quantity),
    }


def refund_json(refund: dict[str, Any]) -> dict[str, Any]:
    """As orders/ID/refunds spells it: pieces and their amounts are negative."""
    return {
        "id": refund["id"],
        "date_created_gmt": refund["at"].strftime(STAMP),
        "amount": text(refund["minor"]),
        "reason": refund["reason"],
        "refunded_payment": True,
        "line_items": [
            {
                "id": refund["id"] * 10 + place,
                "quantity": -quantity,
                "total": f"-{text(minor)}",
                "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": str(line_id)}],
            }
            for place, (line_id, quantity, minor) in enumerate(refund["pieces"])
        ],
    }


STAMP = "%Y-%m-%dT%H:%M:%S"


def text(minor: int) -> str:
    """A decimal with two digits."""
    return f"{minor // 100}.{minor % 100:02d}"


def tax_of(gross: int) -> int:
    """19 % inside of it."""
    return gross - round(gross / 1.19)
