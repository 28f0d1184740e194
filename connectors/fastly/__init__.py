"""Fastly as the CDN in front of playback: purges by show or address, and signed addresses."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.fastly.delivery import Config, FastlyDelivery, authorise, classify

CONNECTOR = Connector(
    name="fastly",
    title="Fastly",
    config=Config,
    addresses=Addresses(base_url="https://api.fastly.com/"),
    authorise=authorise,
    classify=classify,
    delivery=FastlyDelivery,
)
