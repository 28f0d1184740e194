"""TikTok's Events API 2.0: purchases for the ads on TikTok, beside the page's own pixel."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.tiktok_events.api import Config, authorise, classify
from connectors.tiktok_events.events import LIMITS, TikTokEvents

CONNECTOR = Connector(
    name="tiktok_events",
    title="TikTok Events API",
    config=Config,
    addresses=Addresses(
        base_url="https://business-api.tiktok.com/",
        script_url="https://analytics.tiktok.com/i18n/pixel/events.js",
    ),
    token_help=(
        "The pixel's access token, from TikTok Ads Manager: Tools → Events → your pixel → Settings → "
        "Events API → Generate access token. It is shown once."
    ),
    authorise=authorise,
    classify=classify,
    conversions=TikTokEvents,
    conversion_limits=LIMITS,
    pixel=lambda config: config.pixel_code,
)
