"""Amazon CloudFront as the CDN in front of playback: invalidations and signed addresses."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.cloudfront.delivery import CloudFrontDelivery, Config, classify

CONNECTOR = Connector(
    name="cloudfront",
    title="Amazon CloudFront",
    config=Config,
    addresses=Addresses(base_url="https://cloudfront.amazonaws.com/"),
    # Each request is signed by itself (signature.py); nothing is the same on all of them.
    authorise=lambda config, token: {},
    classify=classify,
    delivery=CloudFrontDelivery,
)
