"""Every room that keeps personal data, in the order in which a person is erased from them.

First they are signed out, so that nothing new comes. The rooms that say who somebody is come last: until they
are through, the rest can still be found.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale import personal as aftersale
from hub.attribution import personal as attribution
from hub.benefits import personal as benefits
from hub.carts import personal as carts
from hub.chat import personal as chat
from hub.claims import personal as claims
from hub.consent import personal as consent
from hub.conversions import personal as conversions
from hub.customers import personal as customers
from hub.events import personal as events
from hub.links import personal as links
from hub.mail import personal as mail
from hub.offers import personal as offers
from hub.orders import personal as orders
from hub.payments import personal as payments
from hub.privacy import personal as privacy
from hub.privacy.who import Counts, Rows, Who
from hub.risk import personal as risk
from hub.shoppers import personal as shoppers
from hub.stock import personal as stock
from hub.visits import personal as visits
from hub.webhooks import personal as webhooks

Export = Callable[[AsyncSession, Who], Awaitable[Rows]]
Erase = Callable[[AsyncSession, Who], Awaitable[Counts]]


@dataclass(frozen=True)
class Area:
    """One room: its name in an export, what it is in words, and its two functions."""

    name: str
    title: str
    export: Export
    erase: Erase


ROOMS: Final[tuple[Area, ...]] = (
    Area("shoppers", "Signing in", shoppers.export, shoppers.erase),
    Area("webhooks", "What platforms told us", webhooks.export, webhooks.erase),
    Area("mail", "Letters", mail.export, mail.erase),
    Area("chat", "Chat", chat.export, chat.erase),
    Area("claims", "Claims by comment", claims.export, claims.erase),
    Area("carts", "Carts", carts.export, carts.erase),
    Area("stock", "Reservations", stock.export, stock.erase),
    Area("benefits", "Groups", benefits.export, benefits.erase),
    Area("offers", "Coupons", offers.export, offers.erase),
    Area("risk", "Risk checks", risk.export, risk.erase),
    Area("payments", "Payments", payments.export, payments.erase),
    Area("aftersale", "Returns and invoices", aftersale.export, aftersale.erase),
    Area("links", "Clicks that led to visits", links.export, links.erase),
    Area("attribution", "Credits of channels", attribution.export, attribution.erase),
    Area("consent", "What you agreed to", consent.export, consent.erase),
    Area("visits", "Visits", visits.export, visits.erase),
    Area("conversions", "Told to advertisers", conversions.export, conversions.erase),
    Area("events", "What you did in shows", events.export, events.erase),
    Area("orders", "Orders", orders.export, orders.erase),
    Area("privacy", "What you asked for", privacy.export, privacy.erase),
    Area("customers", "Who you are", customers.export, customers.erase),
)
