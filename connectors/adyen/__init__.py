"""Adyen as a payment gateway: hold, take, let go, give back, stored cards, and its webhooks."""

from __future__ import annotations

from datetime import timedelta

from connectors.adyen.api import REAL, Config
from connectors.adyen.payments import AdyenPayments
from connectors.adyen.webhooks import AdyenWebhooks
from connectors.base import Addresses, Connector, PaymentPace

CONNECTOR = Connector(
    name="adyen",
    title="Adyen",
    config=Config,
    addresses=Addresses(
        base_url=REAL,
        script_url="https://checkoutshopper-test.cdn.adyen.com/checkoutshopper/sdk/6.31.1/adyen.js",
    ),
    webhooks=AdyenWebhooks,
    payments=AdyenPayments,
    payment_pace=PaymentPace(per_second=20, at_once=30),
    payment_seconds=2.0,
    payment_life=timedelta(days=5),
    payment_memory=timedelta(days=7),
    tells_payments=True,
)
