"""Stripe as a payment gateway: hold, take, let go, give back, and its webhooks."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Addresses, Connector, PaymentPace
from connectors.stripe.api import Config
from connectors.stripe.payments import StripePayments
from connectors.stripe.webhooks import StripeWebhooks

CONNECTOR = Connector(
    name="stripe",
    title="Stripe",
    config=Config,
    addresses=Addresses(
        base_url="https://api.stripe.com/", script_url="https://js.stripe.com/clover/stripe.js"
    ),
    webhooks=StripeWebhooks,
    payments=StripePayments,
    # 25 a second of each kind, whoever asks; a little is left for the brand's other systems.
    payment_pace=PaymentPace(per_second=20, at_once=20),
    payment_seconds=2.0,
    payment_life=timedelta(days=7),
    # Keys are kept for 24 hours at least.
    payment_memory=timedelta(hours=20),
    tells_payments=True,
)
