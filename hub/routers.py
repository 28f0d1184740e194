"""Every room that answers over HTTP, in the order in which their addresses are tried."""

from __future__ import annotations

from typing import Final

from hub.aftersale import public_routes as buyers_routes
from hub.aftersale import routes as aftersale_routes
from hub.aftersale import terms_routes
from hub.analytics import cohort_routes
from hub.analytics import routes as analytics_routes
from hub.attribution import routes as attribution_routes
from hub.auth import member_routes
from hub.auth import routes as auth
from hub.benefits import routes as benefit_routes
from hub.carts import routes as cart_routes
from hub.carts import staff_routes as checkout_routes
from hub.catalog import intake_routes
from hub.catalog import routes as catalog
from hub.chat import routes as chat_routes
from hub.claims import public_routes as public_claims
from hub.claims import routes as claim_routes
from hub.connections import consent_routes
from hub.connections import routes as connections_routes
from hub.consent import routes as choice_routes
from hub.conversions import routes as conversion_routes
from hub.customers import people_routes
from hub.customers import routes as customers
from hub.events import routes as event_routes
from hub.links import public_routes as link_doors
from hub.links import routes as link_routes
from hub.offers import routes as offer_routes
from hub.orders import routes as order_routes
from hub.orders import shop_routes
from hub.payments import routes as payment_routes
from hub.playback import routes as playback
from hub.privacy import public_routes as own_copies
from hub.privacy import routes as privacy_routes
from hub.probe import routes as probe_routes
from hub.public import orders as public_orders
from hub.public import routes as public
from hub.quality import routes as quality_routes
from hub.risk import routes as risk_routes
from hub.shoppers import routes as shopper_routes
from hub.shows import archive_routes, edit_routes, feed_routes, target_routes
from hub.shows import routes as shows
from hub.stock import public_routes as public_stock
from hub.stock import routes as stock
from hub.troubles import routes as troubles
from hub.visits import routes as visit_routes
from hub.webhooks import routes as webhooks

ROOMS: Final = (
    auth,
    member_routes,
    privacy_routes,
    own_copies,
    connections_routes,
    consent_routes,
    catalog,
    intake_routes,
    shows,
    chat_routes,
    edit_routes,
    target_routes,
    feed_routes,
    playback,
    archive_routes,
    customers,
    people_routes,
    conversion_routes,
    analytics_routes,
    benefit_routes,
    cohort_routes,
    attribution_routes,
    order_routes,
    aftersale_routes,
    terms_routes,
    buyers_routes,
    checkout_routes,
    payment_routes,
    risk_routes,
    troubles,
    shop_routes,
    stock,
    public_orders,
    cart_routes,
    shopper_routes,
    public_stock,
    claim_routes,
    public_claims,
    public,
    visit_routes,
    choice_routes,
    event_routes,
    link_doors,
    link_routes,
    webhooks,
    quality_routes,
    probe_routes,
    offer_routes,
)
