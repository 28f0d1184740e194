"""Puts this room together; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from hub.aftersale.detail import Details
from hub.aftersale.invoices import Invoices
from hub.aftersale.refunds import Refunds
from hub.aftersale.returns import Returns
from hub.aftersale.rights import Buyers
from hub.aftersale.terms import Terms
from hub.auth.tokens import Tokens
from hub.clock import Clock
from hub.db import Database
from hub.mail.service import Mailroom
from hub.offers.service import Offers
from hub.orders.models import Order
from hub.orders.service import Orders
from hub.payments.service import Payments
from hub.secrets import Vault
from hub.stock.service import StockRoom


@dataclass(frozen=True)
class Aftersale:
    """What routes and the clockwork are given of this room."""

    refunds: Refunds
    returns: Returns
    buyers: Buyers
    invoices: Invoices
    terms: Terms
    details: Details


def aftersale(
    site: str,
    clock: Clock,
    vault: Vault,
    db: Database,
    *,
    orders: Orders,
    stock: StockRoom,
    payments: Payments,
    offers: Offers,
    mail: Mailroom,
) -> Aftersale:
    """Every service of the room. `site`: the origin that links in letters lead to."""
    tokens = Tokens(vault, clock)

    def link_of(order: Order) -> str:
        return f"{site}/orders/{tokens.order(order.id)}"

    refunds = Refunds(payments, stock)
    returns = Returns(clock, refunds, stock)
    invoices = Invoices(db, clock, vault)
    buyers = Buyers(
        clock,
        vault,
        orders,
        stock,
        payments=payments,
        offers=offers,
        refunds=refunds,
        returns=returns,
        mail=mail,
        link_of=link_of,
    )
    return Aftersale(
        refunds=refunds,
        returns=returns,
        buyers=buyers,
        invoices=invoices,
        terms=Terms(clock),
        details=Details(vault, buyers, invoices),
    )
