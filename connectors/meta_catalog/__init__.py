"""A Meta catalogue (Facebook and Instagram shops): its products, and our stock in them."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.meta_catalog.api import GRAPH, Config, classify
from connectors.meta_catalog.catalog import MetaCatalog
from connectors.meta_catalog.stock import MetaStock

CONNECTOR = Connector(
    name="meta_catalog",
    title="Meta catalogue",
    config=Config,
    addresses=Addresses(base_url=GRAPH),
    token_help=(
        "The access token of a system user of your Meta business with the permission catalog_management."
    ),
    classify=classify,
    gaps={
        "order_source": (
            "Meta ended checkout on Facebook and Instagram and removed its order API in October 2026; "
            "buyers pay on your own site."
        ),
        "order_sink": "There are no orders at Meta any more that could be cancelled.",
    },
    catalog_source=MetaCatalog,
    stock_sink=MetaStock,
    stock_source=MetaStock,
)
