"""An order as TikTok Shop tells it, in our words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from connectors.errors import Refused
from connectors.types import Buyer, Listing, Money, Order, OrderLine, OrderRefund

State = Literal["pending", "paid", "cancelled", "refunded"]

BOUGHT = frozenset(
    {"ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING"}
    | {"AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"}
)
DEAD = "CANCEL"
"""Begins both spellings, CANCELLED in orders and CANCEL in old webhooks."""


def order_of(order: dict[str, Any], refunds: tuple[OrderRefund, ...] = ()) -> Order:
    """One order of the search or the detail, and what was given back; Refused when it cannot be read."""
    try:
        return read(order, refunds)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        # The original quotes the order, which is a buyer's business.
        raise Refused(f"An order of TikTok Shop cannot be read ({type(error).__name__}).") from None


def read(order: dict[str, Any], refunds: tuple[OrderRefund, ...]) -> Order:
    """KeyError, TypeError, ValueError … when it is none."""
    state, payment = state_of(order), order["payment"]
    currency = payment["currency"]
    total = Money.of(payment["total_amount"], currency)
    given = sum(one.amount.amount for one in refunds)
    if state == "paid" and given >= total.amount > 0:
        state = "refunded"
    return Order(
        id=str(order["id"]),
        number=str(order["id"]),
        state=state,
        placed_at=moment(order["create_time"]),
        # A return may leave its order's time as it was.
        updated_at=max([moment(order["update_time"]), *(one.at for one in refunds)]),
        total=total,
        refunded=Money(amount=given, currency=currency),
        refunds=refunds,
        shipping=Money.of(payment.get("shipping_fee") or "0", currency),
        discount=Money.of(payment.get("seller_discount") or "0", currency),
        tax=Money.of(payment.get("tax") or "0", currency),
        lines=tuple(line_of(line) for line in order["line_items"] if state == "cancelled" or lives(line)),
        buyer=buyer_of(order),
    )


def line_of(line: dict[str, Any]) -> OrderLine:
    """One piece: TikTok gives every piece a line of its own."""
    sku = line.get("seller_sku") or None
    listing = None
    if line.get("product_id") and line.get("sku_id"):
        product, variant = str(line["product_id"]), str(line["sku_id"])
        listing = Listing(sku=sku or "", product_id=product, variant_id=variant)
    return OrderLine(
        id=str(line["id"]),
        sku=sku,
        title=line["product_name"],
        quantity=1,
        unit_price=Money.of(line["sale_price"], line["currency"]),
        listing=listing,
    )


def lives(line: dict[str, Any]) -> bool:
    """False for a piece that was taken out of an order that goes on without it."""
    return not str(line.get("display_status") or "").startswith(DEAD)


def state_of(order: dict[str, Any]) -> State:
    """Our word for TikTok's status. Paid on delivery is paid when TikTok has the money."""
    status = str(order["status"])
    if status.startswith(DEAD):
        return "cancelled"
    if order.get("paid_time") or (status in BOUGHT and not order.get("is_cod")):
        return "paid"
    return "pending"


def buyer_of(order: dict[str, Any]) -> Buyer:
    """What TikTok tells of the buyer; masked parts are no use to anybody and are left out."""
    address = order.get("recipient_address") or {}
    email = unmasked(order.get("buyer_email"))
    return Buyer(
        external_id=str(order["user_id"]) if order.get("user_id") else None,
        name=unmasked(address.get("name")) or unmasked(order.get("buyer_nickname")),
        email=email,
        phone=unmasked(address.get("phone_number")),
        proxy_email=bool(email) and relayed(str(email)),
    )


def unmasked(text: Any) -> str | None:
    """The text, or None where TikTok shows asterisks instead of a person."""
    return text if isinstance(text, str) and text and "*" not in text else None


def relayed(email: str) -> bool:
    """True for a forwarding address at TikTok (…@scs.tiktokw.us, …@scs3.tiktok.com)."""
    domain = email.rpartition("@")[2].lower()
    return any(label.startswith("tiktok") for label in domain.split("."))


def moment(seconds: Any) -> datetime:
    """A time in unix seconds."""
    return datetime.fromtimestamp(int(seconds), UTC)
