"""What a buyer is told by mail when they go back on an order. The law wants it in writing, with the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.aftersale.deadlines import zone_of
from hub.aftersale.models import AftersaleTerms, ReturnLine, ReturnRequest
from hub.mail.letters import Letter, Link, Rows
from hub.orders.models import Order, OrderLine

MONEY_BACK = (
    "You get back what you paid for these goods within 14 days, by the way you paid; the delivery too when "
    "you withdrew from the whole order."
)
UNTIL_BACK = " We may wait until the goods, or proof that you sent them, have reached us."


@dataclass(frozen=True)
class Case:
    """A request with all that a letter says of it."""

    shop: str
    order: Order
    request: ReturnRequest
    pieces: Sequence[tuple[ReturnLine, OrderLine]]
    terms: AftersaleTerms
    link: str


def withdrawn(case: Case, *, name: str, sent_back: bool) -> Letter:
    """The acknowledgement of a withdrawal (Directive 2011/83/EU, Art. 11a (4): content, date and time)."""
    order = case.order
    return Letter.of(
        f"We received your withdrawal from order {order.number}",
        f"{case.shop} confirms: on {said_at(case.request.created_at, order.country)}, {name} withdrew from "
        f"the contract of order {order.number}, placed {said_at(order.placed_at, order.country)}. The goods:",
        Rows([(f"{line.quantity} × {of.title}", "") for line, of in case.pieces]),
        f"The reference of your withdrawal is {case.request.number}.",
        go_back(case) if sent_back else "The order is cancelled. You don't need to send anything back.",
        MONEY_BACK + (UNTIL_BACK if sent_back else ""),
        Link("See your order", case.link),
        case.shop,
    )


def cancelled(case: Case, *, charged: bool) -> Letter:
    """The 24-hour cancel."""
    order = case.order
    money = (
        "Your money goes back the way you paid. Most banks show it within a few days."
        if charged
        else "Nothing was charged. An amount your bank had set aside is set free."
    )
    return Letter.of(
        f"Your order {order.number} is cancelled",
        f"You cancelled your order {order.number} at {case.shop} on "
        f"{said_at(case.request.created_at, order.country)}. It costs you nothing.",
        money,
        Link("See your order", case.link),
        case.shop,
    )


def returning(case: Case) -> Letter:
    """A return that was asked for or decided."""
    words = {
        "asked": "We have your return and will answer soon.",
        "approved": go_back(case),
        "rejected": f"We can't take these goods back: {case.request.answer}",
        "received": "Your return has arrived.",
    }
    return Letter.of(
        f"Your return {case.request.number} of order {case.order.number}",
        Rows([(f"{line.quantity} × {of.title}", "") for line, of in case.pieces]),
        words.get(case.request.state, ""),
        Link("See your order", case.link),
        case.shop,
    )


def go_back(case: Case) -> str:
    """Where to send the goods."""
    where = case.terms.return_address or case.terms.legal_address
    to = " to: " + ", ".join(line.strip() for line in where.splitlines() if line.strip()) if where else ""
    put_in = f"Put the reference {case.request.number} into the parcel."
    return f"Please send the goods back within 14 days{to}. {put_in}"


def said_at(at: datetime, country: str | None) -> str:
    """A moment as the buyer's clock said it, with the zone."""
    local = at.astimezone(zone_of(country))
    return f"{local:%Y-%m-%d %H:%M:%S} ({local:%z})"
