"""The fake's own shop: catalogue, stock in warehouses, orders; rendered as the Open API spells them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.tiktok_shop.fake_gate import No
from connectors.types import Money

Tell = Callable[[dict[str, Any]], None]

WAREHOUSE, OTHER = "7100000000000000001", "7100000000000000002"
CANCELLABLE = frozenset({"UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"})
MOST = 99_999


class SoldOut(Exception):
    """The shop's own stock does not cover an order."""


@dataclass
class Item:
    """One SKU of a product of its own, and what its warehouses hold."""

    number: int
    sku: str
    title: str
    price: Money
    levels: dict[str, int]
    campaign: int = 0

    @property
    def product_id(self) -> str:
        """As large as TikTok's numbers are."""
        return str(1_729_000_000_000_000_000 + self.number * 10)

    @property
    def sku_id(self) -> str:
        """The number of its only SKU."""
        return str(1_729_000_000_000_000_001 + self.number * 10)

    @property
    def quantity(self) -> int:
        """Sellable, wherever it lies."""
        return sum(self.levels.values())

    def take(self, quantity: int) -> None:
        """Sell from the first warehouse that has any."""
        for place in self.levels:
            taken = min(quantity, self.levels[place])
            self.levels[place] -= taken
            quantity -= taken


@dataclass
class Placed:
    """One order. `pieces` is one entry per piece, as TikTok lists them."""

    number: int
    pieces: list[Item]
    email: str
    name: str
    buyer: str
    status: str
    created: int
    updated: int
    shipping: int = 0
    taken_out: set[int] = field(default_factory=set)
    cancellations: list[dict[str, Any]] = field(default_factory=list)
    returns: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """TikTok's number of the order."""
        return str(577_000_000_000_000_000 + self.number * 1000)

    def line_id(self, place: int) -> str:
        """The number of a piece."""
        return str(int(self.id) + 1 + place)


class Shop:
    """What the shop holds. Every change of an order is told once it is done."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.items: dict[str, Item] = {}
        self.orders: list[Placed] = []
        self.country = "DE"

    def stock(self, items: list[dict[str, Any]]) -> None:
        """Fill or correct the catalogue; a SKU that is known keeps its numbers. "elsewhere" is a second
        warehouse's quantity; "campaign", how many of it only a campaign of TikTok's may sell."""
        for given in items:
            known = self.items.get(given["sku"])
            number = known.number if known else len(self.items) + 1
            price = Money(amount=given["price_minor"], currency=given["currency"])
            levels = {WAREHOUSE: int(given["quantity"])}
            if "elsewhere" in given:
                levels[OTHER] = int(given["elsewhere"])
            made = Item(number, given["sku"], given["title"], price, levels, given.get("campaign", 0))
            self.items[given["sku"]] = made

    def place(self, body: dict[str, Any]) -> Placed:
        """A buyer orders; KeyError for an unknown SKU, SoldOut when the shop's stock does not cover it.

        "relay" gives TikTok's forwarding address instead of the buyer's own; "status" is where it ends; "at",
        the time it was placed and last changed; "shipping", what the buyer pays for it, in cents.
        """
        item, quantity = self.items[body["sku"]], int(body.get("quantity", 1))
        if item.quantity < quantity:
            raise SoldOut
        item.take(quantity)
        number, now = len(self.orders) + 1, int(body.get("at", time.time()))
        email = body.get("email") or ""
        relay = f"v4b{number:026X}@scs3.tiktok.com"
        made = Placed(
            number=number,
            pieces=[item] * quantity,
            email=relay if body.get("relay") or not email else email,
            name=body.get("name") or "J** D**",
            buyer=buyer_id(email or str(number)),
            status="UNPAID",
            created=now,
            updated=now,
            shipping=int(body.get("shipping", 0)),
        )
        self.orders.append(made)
        self._told(made)
        if body.get("status", "AWAITING_SHIPMENT") != "UNPAID":
            self.move(made, body.get("status", "AWAITING_SHIPMENT"))
        made.updated = now if "at" in body else made.updated
        return made

    def move(self, order: Placed, status: str) -> None:
        """The order has come to another status."""
        order.status = status
        order.updated = max(order.updated, int(time.time()))
        self._told(order)

    def tell_of(self, order: Placed) -> None:
        """Something about it is told, though the order itself is as it was."""
        self._told(order)

    def find(self, order_id: str) -> Placed | None:
        """An order by its number."""
        return next((order for order in self.orders if order.id == order_id), None)

    def reason(self, order: Placed) -> str:
        """The name of "out of stock", which depends on status and country."""
        kind = "seller_cancel_unpaid_reason" if order.status == "UNPAID" else "seller_cancel_reason"
        return f"{kind}_out_of_stock" + ("_uk" if self.country == "GB" else "")

    def cancel(self, order: Placed, reason: str, *, slow: bool) -> dict[str, Any]:
        """The shop cancels a whole order. Nothing goes back on the shelf: it was out of stock."""
        if order.status not in CANCELLABLE or order.cancellations:
            raise No(25001001, "invalid order status")
        if reason != self.reason(order):
            raise No(25001021, "Reason not match order status")
        status = "CANCELLATION_REQUEST_PENDING" if slow else "CANCELLATION_REQUEST_COMPLETE"
        made = {
            "cancel_id": str(4_035_000_000_000_000_000 + order.number),
            "order_id": order.id,
            "cancel_type": "CANCEL",
            "cancel_status": status,
            "role": "SELLER",
            "cancel_reason": reason,
            "create_time": int(time.time()),
        }
        order.cancellations.append(made)
        if not slow:
            self.move(order, "CANCELLED")
        return {"cancel_id": made["cancel_id"], "cancel_status": status}

    def eligibility(self, order: Placed) -> dict[str, Any]:
        """Whether and why the shop may cancel, SKU by SKU."""
        able = order.status in CANCELLABLE and not order.cancellations
        part: dict[str, Any] = {"request_type": "CANCEL", "eligible": able}
        if able:
            part["available_reason_names"] = [self.reason(order), "seller_cancel_reason_wrong_price"]
        else:
            part |= {"ineligible_code": 25001001, "ineligible_reason": "invalid order status"}
        skus = dict.fromkeys(item.sku_id for item in order.pieces)
        return {"sku_eligibility": [{"sku_id": sku, "line_item_eligibility": [part]} for sku in skus]}

    def set_levels(self, product_id: str, skus: list[dict[str, Any]]) -> dict[str, Any]:
        """An inventory update: all or nothing per SKU, and its errors come with code 0."""
        errors = [error for sku in skus if (error := self._set_one(product_id, sku))]
        return {"errors": errors} if errors else {}

    def _set_one(self, product_id: str, sku: dict[str, Any]) -> dict[str, Any] | None:
        item = next((one for one in self.items.values() if one.sku_id == sku["id"]), None)
        if item is None or item.product_id != product_id:
            return partial(12019022, "sku ID is invalid", sku["id"])
        wanted = {level["warehouse_id"]: level["quantity"] for level in sku["inventory"]}
        for place, quantity in wanted.items():
            if type(quantity) is not int or not 0 <= quantity <= MOST:
                raise No(36009004, f"Invalid parameter. `quantity` must be between 0 and {MOST}.", 400)
            if place not in item.levels:
                return partial(12052990, "Check failed", sku["id"], place)
        if set(wanted) != set(item.levels):
            return partial(12019028, "Multiple warehouses detected.", sku["id"])
        item.levels |= wanted
        return None

    def _told(self, order: Placed) -> None:
        status = "CANCEL" if order.status == "CANCELLED" else order.status
        self._tell(
            {
                "order_id": order.id,
                "order_status": status,
                "is_on_hold_order": status == "ON_HOLD",
                "update_time": order.updated,
            }
        )


def buyer_id(person: str) -> str:
    """The same person is the same buyer in every order."""
    return str(7_490_000_000_000_000_000 + int.from_bytes(hashlib.sha256(person.encode()).digest()[:6]))


def partial(code: int, message: str, sku_id: str, place: str | None = None) -> dict[str, Any]:
    """One error of several that an update may have; the one about a warehouse is inside it."""
    detail: dict[str, Any] = {"sku_id": sku_id}
    if place is not None:
        why = "The warehouse does not exist"
        detail["extra_errors"] = [{"warehouse_id": place, "code": 12052097, "message": why}]
    return {"code": code, "message": message, "detail": detail}


def product_json(item: Item) -> dict[str, Any]:
    """As the product search spells it."""
    levels = [{"warehouse_id": place, "quantity": quantity} for place, quantity in item.levels.items()]
    price = {"currency": item.price.currency, "sale_price": item.price.decimal()}
    return {
        "id": item.product_id,
        "title": item.title,
        "status": "ACTIVATE",
        "create_time": 1_780_000_000,
        "update_time": 1_789_000_000,
        "sales_regions": ["DE"],
        "has_draft": False,
        "is_not_for_sale": False,
        "audit": {"status": "AUDITED", "pre_approved_reasons": []},
        "skus": [
            {
                "id": item.sku_id,
                "seller_sku": item.sku,
                "status_info": {"status": "NORMAL"},
                "price": price,
                "inventory": levels,
            }
        ],
    }


def inventory_json(item: Item) -> dict[str, Any]:
    """As the inventory search spells it."""
    levels = [
        {"warehouse_id": place, "available_quantity": quantity, "committed_quantity": 0}
        for place, quantity in item.levels.items()
    ]
    shares = {
        "in_shop_inventory": {"quantity": max(0, item.quantity - item.campaign)},
        "campaign_inventory": [{"quantity": item.campaign, "campaign_name": "Flash sale"}],
    }
    sku = {"id": item.sku_id, "seller_sku": item.sku, "total_available_quantity": item.quantity}
    if item.campaign:
        sku["total_available_inventory_distribution"] = shares
    return {"product_id": item.product_id, "skus": [sku | {"warehouse_inventory": levels}]}


def order_json(order: Placed) -> dict[str, Any]:
    """As search and detail spell it. An order that is not paid has no address yet."""
    currency, paid = order.pieces[0].price.currency, order.status != "UNPAID"
    goods = sum(item.price.amount for item in order.pieces)
    subtotal, fee, total = (
        Money(amount=minor, currency=currency).decimal()
        for minor in (goods, order.shipping, goods + order.shipping)
    )
    address = {"name": order.name, "phone_number": "(+49)17*****21", "region_code": "DE"}
    return {
        "id": order.id,
        "status": order.status,
        "order_type": "NORMAL",
        "create_time": order.created,
        "paid_time": order.created if paid else 0,
        "update_time": order.updated,
        "user_id": order.buyer,
        "buyer_email": order.email,
        "buyer_nickname": "b***r",
        "buyer_message": "",
        "fulfillment_type": "FULFILLMENT_BY_SELLER",
        "shipping_type": "TIKTOK",
        "warehouse_id": WAREHOUSE,
        "is_cod": False,
        "is_on_hold_order": order.status == "ON_HOLD",
        "is_sample_order": False,
        "payment": {
            "currency": currency,
            "sub_total": subtotal,
            "shipping_fee": fee,
            "seller_discount": "0.00",
            "platform_discount": "0.00",
            "total_amount": total,
            "tax": "0",
        },
        "recipient_address": address if paid else None,
        "packages": [],
        "line_items": [line_json(order, place, item) for place, item in enumerate(order.pieces)],
    }


def line_json(order: Placed, place: int, item: Item) -> dict[str, Any]:
    """One piece of an order."""
    return {
        "id": order.line_id(place),
        "product_id": item.product_id,
        "product_name": item.title,
        "sku_id": item.sku_id,
        "sku_name": "Default",
        "seller_sku": item.sku,
        "sku_type": "NORMAL",
        "sale_price": item.price.decimal(),
        "original_price": item.price.decimal(),
        "currency": item.price.currency,
        "seller_discount": "0",
        "platform_discount": "0",
        "display_status": "CANCELLED" if place in order.taken_out else order.status,
        "is_gift": False,
        "cancel_reason": "",
        "cancel_user": "",
        "rts_time": 0,
    }
