"""WooCommerce as a sales channel: catalogue, orders, stock, and its webhooks."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.woocommerce.api import ANY_SITE, Config, authorise, classify
from connectors.woocommerce.catalog import WooCatalog
from connectors.woocommerce.order_source import WooCancellations, WooOrders
from connectors.woocommerce.stock import WooStock
from connectors.woocommerce.subscriptions import WooSubscriptions
from connectors.woocommerce.webhooks import WooWebhooks

CONNECTOR = Connector(
    name="woocommerce",
    title="WooCommerce",
    config=Config,
    addresses=Addresses(base_url=ANY_SITE),
    authorise=authorise,
    classify=classify,
    webhooks=WooWebhooks,
    catalog_source=WooCatalog,
    order_source=WooOrders,
    order_sink=WooCancellations,
    stock_sink=WooStock,
    stock_source=WooStock,
    subscriptions=WooSubscriptions,
)
