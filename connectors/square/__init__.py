"""Square as a payment gateway: hold, take, let go, give back, cards on file, and its webhooks."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Addresses, Connector, PaymentPace
from connectors.square.api import REAL, Config, classify
from connectors.square.payments import SquarePayments
from connectors.square.webhooks import SquareWebhooks

CONNECTOR = Connector(
    name="square",
    title="Square",
    config=Config,
    addresses=Addresses(base_url=REAL, script_url="https://web.squarecdn.com/v1/square.js"),
    classify=classify,
    webhooks=SquareWebhooks,
    payments=SquarePayments,
    payment_pace=PaymentPace(per_second=10, at_once=20),
    payment_seconds=4.0,
    payment_life=timedelta(days=7),
    # Square does not say how long keys are kept: less than the day that others promise.
    payment_memory=timedelta(hours=20),
    tells_payments=True,
)
