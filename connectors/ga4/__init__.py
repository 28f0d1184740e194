"""Google Analytics 4: purchases and refunds through the Measurement Protocol, beside the page's own tag."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.ga4.events import LIMITS, Config, Ga4Events

CONNECTOR = Connector(
    name="ga4",
    title="Google Analytics 4",
    config=Config,
    addresses=Addresses(
        base_url="https://www.google-analytics.com/",
        script_url="https://www.googletagmanager.com/gtag/js",
    ),
    conversions=Ga4Events,
    conversion_limits=LIMITS,
    pixel=lambda config: config.measurement_id,
)
