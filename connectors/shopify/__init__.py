"""Shopify as a sales channel: catalogue, orders, stock, and its webhooks."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.shopify.api import ANY_SHOP, Config, authorise, classify
from connectors.shopify.catalog import ShopifyCatalog
from connectors.shopify.order_source import ShopifyCancellations, ShopifyOrders
from connectors.shopify.stock import ShopifyStock
from connectors.shopify.subscriptions import ShopifySubscriptions
from connectors.shopify.webhooks import ShopifyWebhooks

CONNECTOR = Connector(
    name="shopify",
    title="Shopify",
    config=Config,
    addresses=Addresses(base_url=ANY_SHOP),
    token_help=(
        "The Admin API access token (shpat_…) of your Shopify app; "
        "connectors/shopify/README.md says how to get one."
    ),
    authorise=authorise,
    classify=classify,
    webhooks=ShopifyWebhooks,
    catalog_source=ShopifyCatalog,
    order_source=ShopifyOrders,
    order_sink=ShopifyCancellations,
    stock_sink=ShopifyStock,
    stock_source=ShopifyStock,
    subscriptions=ShopifySubscriptions,
)
