"""TikTok Shop as a sales channel: catalogue, orders, stock, and its webhooks."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.tiktok_shop.api import TIKTOK, Config, authorise, classify
from connectors.tiktok_shop.catalog import TikTokShopCatalog
from connectors.tiktok_shop.oauth import TikTokShopOAuth
from connectors.tiktok_shop.order_source import TikTokShopCancellations, TikTokShopOrders
from connectors.tiktok_shop.stock import TikTokShopStock
from connectors.tiktok_shop.subscriptions import TikTokShopSubscriptions
from connectors.tiktok_shop.webhooks import TikTokShopWebhooks

CONNECTOR = Connector(
    name="tiktok_shop",
    title="TikTok Shop",
    config=Config,
    addresses=Addresses(base_url=TIKTOK),
    token_help=(
        "The access_token and refresh_token from exchanging the auth_code of your app's consent page, "
        "opened as the shop's owner."
    ),
    oauth=TikTokShopOAuth(),
    authorise=authorise,
    classify=classify,
    webhooks=TikTokShopWebhooks,
    catalog_source=TikTokShopCatalog,
    order_source=TikTokShopOrders,
    order_sink=TikTokShopCancellations,
    stock_sink=TikTokShopStock,
    stock_source=TikTokShopStock,
    subscriptions=TikTokShopSubscriptions,
)
