"""Stripe as a payment gateway: hold, take, let go, give back, and its webhooks."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.stripe.api import Config
from connectors.stripe.payments import StripePayments
from connectors.stripe.webhooks import StripeWebhooks

CONNECTOR = Connector(
    name="stripe",
    title="Stripe",
    config=Config,
    addresses=Addresses(base_url="https://api.stripe.com/"),
    webhooks=StripeWebhooks,
    payments=StripePayments,
)
