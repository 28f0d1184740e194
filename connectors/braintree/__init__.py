"""Braintree as a payment gateway: hold, take, let go, give back, vaulted cards, and its webhooks."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Addresses, Connector, PaymentPace
from connectors.braintree.api import REAL, Config
from connectors.braintree.payments import BraintreePayments
from connectors.braintree.webhooks import BraintreeWebhooks

CONNECTOR = Connector(
    name="braintree",
    title="Braintree",
    config=Config,
    addresses=Addresses(
        base_url=REAL, script_url="https://js.braintreegateway.com/web/3.133.0/js/client.min.js"
    ),
    webhooks=BraintreeWebhooks,
    payments=BraintreePayments,
    payment_pace=PaymentPace(per_second=10, at_once=20),
    payment_seconds=3.0,
    payment_life=timedelta(days=7),
    payment_memory=None,
)
