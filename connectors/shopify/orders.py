"""Shopify's two spellings of an order, REST-shaped in webhooks and GraphQL-shaped in answers, as one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from connectors.errors import Refused
from connectors.types import Buyer, Listing, Money, Order, OrderHint, OrderLine, OrderRefund, RefundLine

State = Literal["pending", "paid", "cancelled", "refunded"]

# Both spellings in lower case; what is neither here nor paid has no money yet.
PAID = frozenset({"paid", "partially_refunded"})
ENDED: dict[str, State] = {"refunded": "refunded", "voided": "cancelled"}
SHELVED = frozenset({"cancel", "return", "legacy_restock"})
"""How a refunded piece came back on sale; the fourth way is `no_restock`."""


def gid(kind: str, number: Any) -> str:
    """GraphQL's name of a thing, our name for it everywhere: gid://shopify/Order/6123450000001."""
    return f"gid://shopify/{kind}/{number}"


def from_webhook(order: dict[str, Any], shop: str) -> Order | OrderHint:
    """The body of orders/*. KeyError, TypeError or ValueError when it is none.

    A hint where money went back in another currency than the shop's: only GraphQL tells what that was here.
    """
    state = state_of(order["financial_status"], order["cancelled_at"])
    currency, customer = order["currency"], order.get("customer") or {}
    if any(move["currency"] != currency for one in order.get("refunds") or () for move in paid_back(one)):
        return OrderHint(order_id=gid("Order", order["id"]))
    refunds = tuple(webhook_refund(one, currency) for one in order.get("refunds") or ())
    attributes = {item["name"]: item["value"] for item in order.get("note_attributes") or ()}
    landing = landing_of(order.get("landing_site"), attributes, shop)
    lines = (webhook_line(line, currency, state == "cancelled", refunds) for line in order["line_items"])
    whole, left = (Money.of(order[name], currency) for name in ("total_price", "current_total_price"))
    shipping = (order.get("total_shipping_price_set") or {}).get("shop_money") or {}
    return Order(
        id=gid("Order", order["id"]),
        number=order["name"],
        state=state,
        placed_at=datetime.fromisoformat(order["created_at"]),
        updated_at=datetime.fromisoformat(order["updated_at"]),
        total=charged(whole, left, refunds, state),
        lines=tuple(line for line in lines if line),
        refunded=total_of(refunds, currency),
        refunds=refunds,
        shipping=Money.of(shipping.get("amount", "0"), currency),
        tax=Money.of(order.get("total_tax") or "0", currency),
        discount=Money.of(order.get("total_discounts") or "0", currency),
        taxes_included=bool(order.get("taxes_included", True)),
        paid=presented((order.get("total_price_set") or {}).get("presentment_money"), currency),
        buyer=Buyer(
            external_id=gid("Customer", customer["id"]) if customer.get("id") else None,
            name=name_of(customer.get("first_name"), customer.get("last_name")),
            email=order.get("email") or order.get("contact_email") or customer.get("email"),
            phone=order.get("phone") or customer.get("phone"),
        ),
        landing_url=landing,
        show_hint=hint_of(landing, attributes),
        test=bool(order.get("test")),
    )


def from_graph(order: dict[str, Any], shop: str) -> Order:
    """An order as the Facts fragment gives it, with all its lines and refunds."""
    state = state_of(order["displayFinancialStatus"], order["cancelledAt"])
    currency, customer = order["currencyCode"], order["customer"] or {}
    refunds = tuple(graph_refund(one, currency) for one in order["refunds"])
    attributes = {item["key"]: item["value"] for item in order["customAttributes"]}
    visit = (order["customerJourneySummary"] or {}).get("lastVisit") or {}
    landing = landing_of(visit.get("landingPage"), attributes, shop)
    lines = (
        graph_line(line, currency, state == "cancelled", refunds) for line in order["lineItems"]["nodes"]
    )
    whole, left = shop_money(order["totalPriceSet"]), shop_money(order["currentTotalPriceSet"])
    return Order(
        id=order["id"],
        number=order["name"],
        state=state,
        placed_at=datetime.fromisoformat(order["createdAt"]),
        updated_at=datetime.fromisoformat(order["updatedAt"]),
        total=charged(whole, left, refunds, state),
        lines=tuple(line for line in lines if line),
        refunded=total_of(refunds, currency),
        refunds=refunds,
        shipping=shop_money(order["totalShippingPriceSet"]),
        tax=shop_money(order["totalTaxSet"]),
        discount=shop_money(order["totalDiscountsSet"]),
        taxes_included=order["taxesIncluded"],
        paid=presented(order["totalPriceSet"]["presentmentMoney"], currency),
        buyer=Buyer(
            external_id=customer.get("id"),
            name=name_of(customer.get("firstName"), customer.get("lastName")),
            email=order["email"],
            phone=order["phone"],
        ),
        landing_url=landing,
        show_hint=hint_of(landing, attributes),
        test=order["test"],
    )


def webhook_line(
    line: dict[str, Any], currency: str, whole: bool, refunds: tuple[OrderRefund, ...]
) -> OrderLine | None:
    """One line; None for one that was taken out of the order."""
    name = gid("LineItem", line["id"])
    quantity = bought(line["quantity"], line.get("current_quantity"), back(refunds, name), whole)
    if not quantity:
        return None
    listing = None
    if line.get("variant_id") and line.get("product_id"):
        product, variant = gid("Product", line["product_id"]), gid("ProductVariant", line["variant_id"])
        listing = Listing(sku=line["sku"] or "", product_id=product, variant_id=variant)
    return OrderLine(
        id=name,
        sku=line["sku"] or None,
        title=line["title"],
        quantity=quantity,
        restocked=shelved(refunds, name, quantity),
        unit_price=Money.of(line["price"], currency),
        listing=listing,
    )


def graph_line(
    line: dict[str, Any], currency: str, whole: bool, refunds: tuple[OrderRefund, ...]
) -> OrderLine | None:
    """One line; None for one that was taken out of the order."""
    quantity = bought(line["quantity"], line["currentQuantity"], back(refunds, line["id"]), whole)
    if not quantity:
        return None
    listing = None
    if line["variant"] and line["product"]:
        product, variant = line["product"]["id"], line["variant"]["id"]
        listing = Listing(sku=line["sku"] or "", product_id=product, variant_id=variant)
    return OrderLine(
        id=line["id"],
        sku=line["sku"] or None,
        title=line["title"],
        quantity=quantity,
        restocked=shelved(refunds, line["id"], quantity),
        unit_price=Money.of(line["originalUnitPriceSet"]["shopMoney"]["amount"], currency),
        listing=listing,
    )


def webhook_refund(refund: dict[str, Any], currency: str) -> OrderRefund:
    """One refund of the webhook's list; money that is still on its way is not given back yet."""
    amounts = [Money.of(str(move["amount"]), currency).amount for move in paid_back(refund)]
    lines = (
        refund_line(gid("LineItem", one["line_item_id"]), one["quantity"], one["restock_type"])
        for one in refund.get("refund_line_items") or ()
    )
    return OrderRefund(
        id=gid("Refund", refund["id"]),
        at=datetime.fromisoformat(refund["created_at"]),
        amount=Money(amount=sum(amounts), currency=currency),
        lines=tuple(lines),
    )


def graph_refund(refund: dict[str, Any], currency: str) -> OrderRefund:
    """One refund as the Refunds query gives it; Refused when it has more lines than we ask for."""
    items = refund["refundLineItems"]
    if items["pageInfo"]["hasNextPage"]:
        raise Refused("A refund of this Shopify order has more lines than can be read.")
    lines = (
        refund_line(one["lineItem"]["id"], one["quantity"], one["restockType"]) for one in items["nodes"]
    )
    return OrderRefund(
        id=refund["id"],
        at=datetime.fromisoformat(refund["createdAt"]),
        amount=shop_money(refund["totalRefundedSet"]),
        lines=tuple(lines),
    )


def refund_line(line_id: str, quantity: int, restock_type: str) -> RefundLine:
    """Pieces of one line; a way that is new to us is not known to have put anything back."""
    way = restock_type.lower()
    known = way in SHELVED or way == "no_restock"
    return RefundLine(line_id=line_id, quantity=quantity, restocked=way in SHELVED if known else None)


def paid_back(refund: dict[str, Any]) -> list[dict[str, Any]]:
    """The transactions that gave money back."""
    moves = refund.get("transactions") or ()
    return [move for move in moves if move["kind"] == "refund" and move["status"] == "success"]


def back(refunds: tuple[OrderRefund, ...], line_id: str) -> int:
    """Pieces of a line that were refunded or edited out."""
    return sum(one.quantity for refund in refunds for one in refund.lines if one.line_id == line_id)


def shelved(refunds: tuple[OrderRefund, ...], line_id: str, most: int) -> int:
    """Those of them that are on the shelf again."""
    lines = (one for refund in refunds for one in refund.lines if one.line_id == line_id)
    return min(most, sum(one.quantity for one in lines if one.restocked))


def bought(ordered: int, current: int | None, returned: int, whole: bool) -> int:
    """Pieces that count: what is in the order now and what was refunded out of it. `whole`: all of them."""
    return ordered if whole or current is None else min(ordered, current + returned)


def charged(whole: Money, left: Money, refunds: tuple[OrderRefund, ...], state: State) -> Money:
    """What was to be paid before anything was given back.

    Shopify's current total falls with edits, which give nothing back, and with refunds, which do; whether it
    falls with a refund of a free amount is not documented. Never more than was ever asked for.
    """
    returned = sum(one.amount.amount for one in refunds)
    if over(state) and not returned:
        return whole
    amount = min(left.amount + returned, max(whole.amount, left.amount))
    return Money(amount=amount, currency=whole.currency)


def total_of(refunds: tuple[OrderRefund, ...], currency: str) -> Money:
    """All that was given back."""
    return Money(amount=sum(one.amount.amount for one in refunds), currency=currency)


def shop_money(bag: dict[str, Any]) -> Money:
    """The shop's side of a MoneyBag."""
    return Money.of(bag["shopMoney"]["amount"], bag["shopMoney"]["currencyCode"])


def presented(money: dict[str, Any] | None, currency: str) -> Money | None:
    """What the buyer saw, where that is another currency than the shop's; either spelling."""
    code = (money or {}).get("currencyCode") or (money or {}).get("currency_code")
    return Money.of(str((money or {})["amount"]), code) if code and code != currency else None


def state_of(financial: str | None, cancelled_at: str | None) -> State:
    """Our word for Shopify's two. An authorised order waits for its money."""
    if cancelled_at:
        return "cancelled"
    word = (financial or "").lower()
    return ENDED.get(word, "paid" if word in PAID else "pending")


def over(state: State) -> bool:
    """Whether the total is told as it was ordered: what is left of a dead order is nothing."""
    return state in ("cancelled", "refunded")


def name_of(first: str | None, last: str | None) -> str | None:
    """A person's name, if any part of it is told."""
    return " ".join(part for part in (first, last) if part) or None


def landing_of(landing: str | None, attributes: dict[str, str], shop: str) -> str | None:
    """The page the visit began on, absolute. Tags the shop's theme noted on the order fill missing ones."""
    noted = {name: value for name, value in attributes.items() if name.lower().startswith("utm_") and value}
    if not landing and not noted:
        return None
    try:
        address = urljoin(f"https://{shop}/", landing or "/")
        if noted and "utm_source=" not in address:
            address += ("&" if urlsplit(address).query else "?") + urlencode(noted)
        urlsplit(address)
    except ValueError:
        # Buyers can write what they like into an address; that must not cost an order.
        return None
    return address


def hint_of(landing: str | None, attributes: dict[str, str]) -> str | None:
    """The show, by the order's `show` attribute or by the campaign its link named."""
    if attributes.get("show"):
        return attributes["show"]
    campaign = parse_qs(urlsplit(landing or "").query).get("utm_campaign")
    return campaign[0] if campaign else None
