"""Puts together what stands between a cart and a paid order; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from hub.aftersale.service import Aftersale, aftersale
from hub.attribution.service import Attribution
from hub.auth.tokens import Tokens
from hub.carts.calculator import calculator
from hub.carts.quote import Quotes
from hub.carts.reserving import Reserving
from hub.carts.service import Carts
from hub.clock import Clock
from hub.customers.service import Customers
from hub.db import Database
from hub.mail.post import Files, Post, Smtp
from hub.mail.service import Mailroom
from hub.offers.service import Offers
from hub.orders.checkout import Checkout
from hub.orders.listing import OrderList
from hub.orders.models import Order
from hub.orders.outcomes import Outcomes
from hub.orders.service import Orders
from hub.payments.service import Payments
from hub.risk.reviews import Reviews
from hub.risk.service import Risk
from hub.secrets import Vault
from hub.settings import Settings
from hub.shoppers.passkeys import Passkeys
from hub.shoppers.service import Shoppers
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom


class Counter(TypedDict):
    """The services of the checkout, by the names they have in `Services`."""

    payments: Payments
    mail: Mailroom
    carts: Carts
    quotes: Quotes
    reserving: Reserving
    outcomes: Outcomes
    risk: Risk
    checkout: Checkout
    shoppers: Shoppers
    passkeys: Passkeys
    order_list: OrderList
    aftersale: Aftersale


def post_of(settings: Settings) -> Post:
    """The mail server, or files in the data folder where there is none."""
    return Smtp(settings.smtp_url) if settings.smtp_url else Files(settings.data / "mail")


def links(site: str, tokens: Tokens) -> Callable[[Order], str]:
    """Makes the address of an order's status page."""

    def link_of(order: Order) -> str:
        return f"{site}/orders/{tokens.order(order.id)}"

    return link_of


def counter(
    settings: Settings,
    clock: Clock,
    vault: Vault,
    db: Database,
    *,
    orders: Orders,
    stock: StockRoom,
    reservations: Reservations,
    payments_of: Callable[[Outcomes], Payments],
    offers: Offers,
    customers: Customers,
    attribution: Attribution,
) -> Counter:
    """Every service of the checkout, each given what it needs; payments report to the outcomes."""
    site = settings.site_url()
    mail = Mailroom(db, clock, vault, post_of(settings), settings.mail_from)
    carts, quotes = Carts(clock), Quotes(calculator(settings.taxes))
    shoppers = Shoppers(clock, vault, mail, customers)
    link_of = links(site, Tokens(vault, clock))
    outcomes = Outcomes(clock, vault, orders, stock, mail=mail, give_back=offers.give_back, link_of=link_of)
    payments = payments_of(outcomes)
    reviews = Reviews(
        *(db, clock, vault),
        orders=orders,
        stock=stock,
        payments=payments,
        outcomes=outcomes,
        mail=mail,
        give_back=offers.give_back,
        site=site,
        link_of=link_of,
    )
    risk = Risk(db, clock, vault, reviews)
    return Counter(
        payments=payments,
        mail=mail,
        carts=carts,
        quotes=quotes,
        reserving=Reserving(db, carts, stock, reservations, settings.hold_seconds),
        outcomes=outcomes,
        risk=risk,
        checkout=Checkout(
            *(clock, vault, orders, stock),
            customers=customers,
            attribution=attribution,
            quotes=quotes,
            offers=offers,
            payments=payments,
            outcomes=outcomes,
            risk=risk,
        ),
        shoppers=shoppers,
        passkeys=Passkeys(db, clock, shoppers, site),
        order_list=OrderList(vault),
        aftersale=aftersale(
            *(site, clock, vault, db), orders=orders, stock=stock, payments=payments, offers=offers, mail=mail
        ),
    )
