"""An order as WooCommerce tells it, in our words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

from connectors.errors import Refused
from connectors.types import Buyer, Listing, Money, Order, OrderLine, OrderRefund, RefundLine
from connectors.woocommerce.money import each, money

State = Literal["pending", "paid", "failed", "cancelled", "refunded"]
STATES: dict[str, State] = {
    "pending": "pending",
    "on-hold": "pending",
    "processing": "paid",
    "completed": "paid",
    "failed": "failed",
    "cancelled": "cancelled",
    "trash": "cancelled",
    "refunded": "refunded",
}
CARTS = frozenset({"checkout-draft", "auto-draft"})
"""Not orders yet: somebody is filling in a form."""
TAG = "_wc_order_attribution_"
SHELVED = "_restock_refunded_items"
"""How many refunded pieces of a line WooCommerce itself put back on the shelf, all refunds together."""
TAKEN = "_reduced_stock"
NOT_OURS = "WooCommerce sent an order that does not look like one. A plugin may have changed it."


def order_of(order: dict[str, Any], refunds: Sequence[dict[str, Any]], site: str) -> Order | None:
    """One order and its refunds in full; None for a cart. Refused when it cannot be read."""
    try:
        return None if order["status"] in CARTS else read(order, refunds, site)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        # The original quotes the order, which is a buyer's business.
        raise Refused(NOT_OURS) from None


def read(order: dict[str, Any], refunds: Sequence[dict[str, Any]], site: str) -> Order:
    """KeyError, TypeError, ValueError … when it is none."""
    currency, gross = order["currency"], bool(order.get("prices_include_tax"))
    shelves = {str(line["id"]): shelf_of(line) for line in order["line_items"]}
    given = tuple(refund_of(one, currency, shelves, refunds) for one in refunds)
    landing, hint = landing_of(order, site)
    return Order(
        id=str(order["id"]),
        number=f"#{order.get('number') or order['id']}",
        state=state_of(order),
        placed_at=moment(order["date_created_gmt"]),
        updated_at=moment(order["date_modified_gmt"]),
        total=money(order["total"], currency),
        lines=tuple(
            line_of(line, currency, gross, given) for line in order["line_items"] if int(line["quantity"]) > 0
        ),
        refunded=Money(amount=sum(one.amount.amount for one in given), currency=currency),
        refunds=given,
        shipping=part(order, "shipping", currency, gross),
        discount=part(order, "discount", currency, gross),
        tax=money(order.get("total_tax", "0"), currency),
        taxes_included=gross,
        buyer=buyer_of(order),
        landing_url=landing,
        show_hint=hint,
    )


def state_of(order: dict[str, Any]) -> State:
    """Our word for WooCommerce's status; plugins add more of them, which the money tells apart."""
    known = STATES.get(str(order["status"]))
    return known or ("paid" if order.get("date_paid_gmt") else "pending")


def line_of(line: dict[str, Any], currency: str, gross: bool, refunds: Sequence[OrderRefund]) -> OrderLine:
    """One line. Its own amounts are without tax, whatever the shop shows to buyers."""
    name, quantity = str(line["id"]), int(line["quantity"])
    listing = None
    if line.get("product_id"):
        variant = str(line.get("variation_id") or line["product_id"])
        listing = Listing(sku=line.get("sku") or "", product_id=str(line["product_id"]), variant_id=variant)
    before, after = money(line["subtotal"], currency), money(line["total"], currency)
    tax_before = money(line.get("subtotal_tax", "0"), currency)
    tax = money(line.get("total_tax", "0"), currency)
    off = before.amount - after.amount + (tax_before.amount - tax.amount if gross else 0)
    shown = before.amount + (tax_before.amount if gross else 0)
    shelved = shelf_of(line)
    return OrderLine(
        id=name,
        sku=line.get("sku") or None,
        title=str(line["name"]),
        quantity=quantity,
        restocked=min(quantity, shelved or 0),
        unit_price=each(Money(amount=shown, currency=currency), quantity),
        tax=tax,
        discount=Money(amount=off, currency=currency),
        listing=listing,
    )


def refund_of(
    refund: dict[str, Any],
    currency: str,
    shelves: dict[str, int | None],
    refunds: Sequence[dict[str, Any]],
) -> OrderRefund:
    """One refund of /orders/ID/refunds, where pieces are negative numbers."""
    lines = [(line_named(line), -int(line["quantity"])) for line in refund.get("line_items") or ()]
    return OrderRefund(
        id=str(refund["id"]),
        at=moment(refund["date_created_gmt"]),
        amount=Money(amount=abs(money(refund["amount"], currency).amount), currency=currency),
        lines=tuple(
            RefundLine(
                line_id=name,
                quantity=pieces,
                restocked=all_or_none(shelves.get(name), pieces_of(name, refunds)),
            )
            for name, pieces in lines
            if name and pieces > 0
        ),
    )


def line_named(line: dict[str, Any]) -> str:
    """The line of the order that a line of a refund is about."""
    return str(meta_of(line).get("_refunded_item_id") or "")


def pieces_of(name: str, refunds: Sequence[dict[str, Any]]) -> int:
    """Refunded pieces of a line, all refunds together."""
    lines = (line for refund in refunds for line in refund.get("line_items") or ())
    return sum(-int(line["quantity"]) for line in lines if line_named(line) == name)


def shelf_of(line: dict[str, Any]) -> int | None:
    """Pieces of a line that WooCommerce put back; None where its own notes are hidden from us."""
    notes = meta_of(line)
    if SHELVED not in notes and TAKEN not in notes:
        return None
    return max(0, int(notes.get(SHELVED) or 0))


def all_or_none(shelved: int | None, pieces: int) -> bool | None:
    """Whether refunded pieces are on the shelf. The tally is a line's: of some pieces nobody knows which."""
    if shelved is None:
        return None
    return True if shelved >= pieces else False if shelved == 0 else None


def part(order: dict[str, Any], name: str, currency: str, gross: bool) -> Money:
    """Shipping or discount, with its tax where prices include it."""
    net = money(order.get(f"{name}_total", "0"), currency)
    tax = money(order.get(f"{name}_tax", "0"), currency)
    return Money(amount=net.amount + (tax.amount if gross else 0), currency=currency)


def buyer_of(order: dict[str, Any]) -> Buyer:
    """A guest is customer 0, which is nobody in particular."""
    billing = order.get("billing") or {}
    name = " ".join(word for word in (billing.get("first_name"), billing.get("last_name")) if word)
    return Buyer(
        external_id=str(order["customer_id"]) if order.get("customer_id") else None,
        name=name or None,
        email=billing.get("email") or None,
        phone=billing.get("phone") or None,
    )


def landing_of(order: dict[str, Any], site: str) -> tuple[str | None, str | None]:
    """The visit's first page with its tags, and the show: by a field of its own, or by the campaign."""
    notes = meta_of(order)
    tags = {
        name.removeprefix(TAG): str(value) for name, value in notes.items() if name.startswith(TAG + "utm_")
    }
    entry = str(notes.get(f"{TAG}session_entry") or "") or None
    if tags and not (entry and "utm_source=" in entry):
        entry = (entry or f"{site.rstrip('/')}/").partition("?")[0] + f"?{urlencode(tags)}"
    hint = notes.get("show") or tags.get("utm_campaign")
    return entry, str(hint) if hint else None


def meta_of(thing: dict[str, Any]) -> dict[str, Any]:
    """Its own notes and those of plugins; a value may be anything."""
    return {str(one["key"]): one.get("value") for one in thing.get("meta_data") or () if one.get("key")}


def moment(text: str) -> datetime:
    """A time in UTC, which carries no sign of that."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
