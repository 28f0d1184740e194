"""What the fake does after the sale, and the addresses it sends its webhooks to."""

from __future__ import annotations

import time
from typing import Any

from connectors.tiktok_shop.fake_gate import No
from connectors.tiktok_shop.fake_shop import Placed, Shop
from connectors.types import Money

LONGEST = 255
KNOWN = frozenset(
    {"ORDER_STATUS_CHANGE", "CANCELLATION_STATUS_CHANGE", "RETURN_STATUS_CHANGE"}
    | {"PACKAGE_UPDATE", "REFUND_SUCCESS", "PRODUCT_STATUS_CHANGE"}
)


def give_back(shop: Shop, order: Placed, body: dict[str, Any]) -> None:
    """A return, or money alone: "pieces" [place, …], "type", "status", "minor" instead of the price."""
    pieces, currency = list(body.get("pieces", ())), order.pieces[0].price.currency
    minor = body.get("minor", sum(order.pieces[place].price.amount for place in pieces))
    now = int(time.time())
    order.returns.append(
        {
            "return_id": str(4_035_500_000_000_000_000 + order.number * 100 + len(order.returns)),
            "order_id": order.id,
            "return_type": body.get("type", "RETURN_AND_REFUND"),
            "return_status": body.get("status", "RETURN_OR_REFUND_REQUEST_COMPLETE"),
            "role": "BUYER",
            "refund_amount": {
                "currency": currency,
                "refund_total": Money(amount=minor, currency=currency).decimal(),
            },
            "return_line_items": [
                {
                    "return_line_item_id": f"{order.line_id(place)}9",
                    "order_line_item_id": order.line_id(place),
                    "sku_id": order.pieces[place].sku_id,
                }
                for place in pieces
            ],
            "create_time": now,
            "update_time": now,
        }
    )
    # The order itself keeps its time: only the notification tells.
    shop.tell_of(order)


def subscribed(topics: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """PUT: another address for a topic."""
    topic, url = str(body.get("event_type")), str(body.get("address") or "")
    if topic not in KNOWN:
        raise No(36009004, "Invalid parameter. `event_type` is invalid.", 400)
    if not url or len(url) > LONGEST:
        raise No(36009004, "Invalid parameter. `address` is invalid.", 400)
    topics[topic] = url
    return {}


def listed(topics: dict[str, str]) -> dict[str, Any]:
    """GET: every topic with an address."""
    found = [{"event_type": topic, "address": url, "create_time": 1} for topic, url in topics.items()]
    return {"webhooks": found, "total_count": len(found)}
