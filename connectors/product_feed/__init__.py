"""A product feed: the file a shop makes for Google, Meta and others, read from its address."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.product_feed.catalog import ANY_FEED, Config, FeedCatalog, authorise, classify

CONNECTOR = Connector(
    name="product_feed",
    title="Product feed",
    config=Config,
    addresses=Addresses(base_url=ANY_FEED),
    authorise=authorise,
    classify=classify,
    catalog_source=FeedCatalog,
)
