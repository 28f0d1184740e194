"""Shopify's two spellings of an order, REST-shaped in webhooks and GraphQL-shaped in answers, as one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from connectors.types import Buyer, Listing, Money, Order, OrderLine

State = Literal["pending", "paid", "cancelled", "refunded"]

# Both spellings in lower case; what is neither here nor paid has no money yet.
PAID = frozenset({"paid", "partially_refunded"})
ENDED: dict[str, State] = {"refunded": "refunded", "voided": "cancelled"}


def gid(kind: str, number: Any) -> str:
    """GraphQL's name of a thing, our name for it everywhere: gid://shopify/Order/6123450000001."""
    return f"gid://shopify/{kind}/{number}"


def from_webhook(order: dict[str, Any], shop: str) -> Order:
    """The body of orders/*. KeyError, TypeError or ValueError when it is none."""
    state = state_of(order["financial_status"], order["cancelled_at"])
    currency, customer = order["currency"], order.get("customer") or {}
    attributes = {item["name"]: item["value"] for item in order.get("note_attributes") or ()}
    landing = landing_of(order.get("landing_site"), attributes, shop)
    lines = (webhook_line(line, currency, over(state)) for line in order["line_items"])
    return Order(
        id=gid("Order", order["id"]),
        number=order["name"],
        state=state,
        placed_at=datetime.fromisoformat(order["created_at"]),
        updated_at=datetime.fromisoformat(order["updated_at"]),
        total=Money.of(order["total_price" if over(state) else "current_total_price"], currency),
        lines=tuple(line for line in lines if line),
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
    """An order as the Facts fragment gives it."""
    state = state_of(order["displayFinancialStatus"], order["cancelledAt"])
    currency, customer = order["currencyCode"], order["customer"] or {}
    attributes = {item["key"]: item["value"] for item in order["customAttributes"]}
    visit = (order["customerJourneySummary"] or {}).get("lastVisit") or {}
    landing = landing_of(visit.get("landingPage"), attributes, shop)
    total = order["totalPriceSet" if over(state) else "currentTotalPriceSet"]
    lines = (graph_line(line, currency, over(state)) for line in order["lineItems"]["nodes"])
    return Order(
        id=order["id"],
        number=order["name"],
        state=state,
        placed_at=datetime.fromisoformat(order["createdAt"]),
        updated_at=datetime.fromisoformat(order["updatedAt"]),
        total=Money.of(total["shopMoney"]["amount"], currency),
        lines=tuple(line for line in lines if line),
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


def webhook_line(line: dict[str, Any], currency: str, whole: bool) -> OrderLine | None:
    """One line; None for one that was taken out of the order."""
    quantity = line["quantity"] if whole else line.get("current_quantity", line["quantity"])
    if not quantity:
        return None
    listing = None
    if line.get("variant_id") and line.get("product_id"):
        product, variant = gid("Product", line["product_id"]), gid("ProductVariant", line["variant_id"])
        listing = Listing(sku=line["sku"] or "", product_id=product, variant_id=variant)
    return OrderLine(
        id=gid("LineItem", line["id"]),
        sku=line["sku"] or None,
        title=line["title"],
        quantity=quantity,
        unit_price=Money.of(line["price"], currency),
        listing=listing,
    )


def graph_line(line: dict[str, Any], currency: str, whole: bool) -> OrderLine | None:
    """One line; None for one that was taken out of the order."""
    quantity = line["quantity"] if whole else line["currentQuantity"]
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
        unit_price=Money.of(line["originalUnitPriceSet"]["shopMoney"]["amount"], currency),
        listing=listing,
    )


def state_of(financial: str | None, cancelled_at: str | None) -> State:
    """Our word for Shopify's two. An authorised order waits for its money."""
    if cancelled_at:
        return "cancelled"
    word = (financial or "").lower()
    return ENDED.get(word, "paid" if word in PAID else "pending")


def over(state: State) -> bool:
    """Whether lines and total are told as they were ordered: what is left of a dead order is nothing."""
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
