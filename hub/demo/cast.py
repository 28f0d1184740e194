"""Sets the stage through the same HTTP API a brand would use: accounts, products, the show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import connectors
from hub.demo import pictures
from hub.demo.fakes import PLATFORMS, SHOPS, Standing
from hub.demo.http import Outside

STOCK = 50
"""Units of the product everybody wants."""
HOT = "BAG-RED"
STEPPED = "SCARF-BLUE"
"""Sold in steps."""
STEPS = [(40, 2), (30, 3), (20, None)]
"""Percent off, and for how many; the last step is for all the rest."""

PRODUCTS = [
    ("bag", "Linnea bag, red", "Vegetable-tanned leather, one evening only.", HOT, 4900, STOCK),
    ("scarf", "Fjord scarf", "Lambswool, woven in a small mill.", STEPPED, 3500, 120),
    ("mug", "Ember mug", "Stoneware, 350 ml, dishwasher safe.", "MUG-AMBER", 1900, 200),
]


@dataclass(frozen=True)
class Stage:
    """What was made, by the names the API gave."""

    show_id: str
    slug: str
    stream_key: str
    variants: dict[str, str]
    products: dict[str, str]
    connections: dict[str, str]
    links: dict[str, str]
    """The path of each platform's tracked link."""


async def set_stage(studio: Outside, fakes: dict[str, Standing], slug: str) -> Stage:
    """Link every account, stock the shop, plan the show."""
    products, variants = await make_products(studio)
    for shop in ("tiktok_shop", "shopify"):
        await fakes[shop].control("catalog", {"items": catalogue()})
    connections = {name: await link(studio, fakes[name]) for name in (*PLATFORMS, *SHOPS)}
    for shop in ("tiktok_shop", "shopify"):
        await studio.call("POST", f"/api/v1/connections/{connections[shop]}/listings")
        hook = f"/webhooks/{shop}/{connections[shop]}"
        await fakes[shop].control("webhook_url", {"url": f"{studio.base_url}{hook}"})
    await fakes["stripe"].control(
        "webhook_url", {"url": f"{studio.base_url}/webhooks/stripe/{connections['stripe']}"}
    )
    show = await studio.call(
        "POST",
        "/api/v1/shows",
        {
            "title": "Autumn evening: bags, scarves, mugs",
            "slug": slug,
            "product_ids": list(products.values()),
            "target_connection_ids": [connections[name] for name in PLATFORMS],
        },
    )
    snapshot = await studio.call("GET", f"/api/v1/shows/{show['id']}")
    key = snapshot["show"]["ingest"]["key"]
    links = {one["connector"]: urlsplit(one["link_url"]).path for one in snapshot["targets"]}
    return Stage(show["id"], show["slug"], key, variants, products, connections, links)


async def make_products(studio: Outside) -> tuple[dict[str, str], dict[str, str]]:
    """The catalogue: ({sku: product id}, {sku: variant id})."""
    products, variants = {}, {}
    for picture, title, description, sku, price, on_hand in PRODUCTS:
        made = await studio.call(
            "POST",
            "/api/v1/products",
            {
                "title": title,
                "description": description,
                "image_url": pictures.product(picture),
                "variants": [
                    {"sku": sku, "title": "", "price_minor": price, "currency": "EUR", "on_hand": on_hand}
                ],
            },
        )
        products[sku], variants[sku] = made["id"], made["variants"][0]["id"]
    return products, variants


async def link(studio: Outside, fake: Standing) -> str:
    """Link one account as a person would: by its connector's form."""
    title = connectors.load()[fake.name].title
    body: dict[str, Any] = {"connector": fake.name, "name": f"{title} (demo)", "config": fake.config}
    if fake.tokens:
        body["tokens"] = fake.tokens
    made = await studio.call("POST", "/api/v1/connections", body)
    return str(made["id"])


def catalogue() -> list[dict[str, Any]]:
    """The same products as the shops list them."""
    return [
        {"sku": sku, "title": title, "price_minor": price, "currency": "EUR", "quantity": on_hand}
        for _, title, _, sku, price, on_hand in PRODUCTS
    ]
