"""Meta's Conversions API: purchases for the ads on Facebook and Instagram, beside the page's own pixel."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.meta_capi.api import Config, classify
from connectors.meta_capi.events import LIMITS, MetaEvents

CONNECTOR = Connector(
    name="meta_capi",
    title="Meta Conversions API",
    config=Config,
    addresses=Addresses(
        base_url="https://graph.facebook.com/",
        script_url="https://connect.facebook.net/en_US/fbevents.js",
    ),
    token_help=(
        "The dataset's access token, from Meta's Events Manager: your dataset → Settings → Conversions API → "
        "Generate access token."
    ),
    classify=classify,
    conversions=MetaEvents,
    conversion_limits=LIMITS,
    pixel=lambda config: config.pixel_id,
)
