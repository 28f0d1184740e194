"""A brand at work on its catalogue: the API in front, jobs run by hand, shops and a feed behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.hub.market import Market, Trade
from tests.hub.site import Client


@dataclass
class Desk:
    """The merchandiser's: `call` as the owner, `work` runs the jobs."""

    market: Market
    owner: Client

    async def call(self, method: str, path: str, json: object = None, ok: int = 200) -> Any:
        return await self.owner.call(method, f"/api/v1{path}", json, ok)

    async def add(self, **given: Any) -> Any:
        """A product with one variant; `sku` and `price_minor` are its variant's."""
        own = {"sku": given.pop("sku", "CAP"), "price_minor": given.pop("price_minor", 1900)}
        variant = {"currency": "EUR", "on_hand": given.pop("on_hand", 5), **own}
        return await self.call("POST", "/products", {"title": "Cap", "variants": [variant], **given}, ok=201)

    async def change(self, product: Any, ok: int = 200, **given: Any) -> Any:
        body = {"version": product["version"], **given}
        return await self.call("PATCH", f"/products/{product['id']}", body, ok)

    async def read(self, product: Any) -> Any:
        return await self.call("GET", f"/products/{product['id']}")

    async def public(self) -> list[Any]:
        """The products on the show's watch page."""
        page = await Client(self.market.origin).call("GET", f"/api/v1/public/shows/{self.market.shop.slug}")
        products: list[Any] = page["products"]
        return products

    async def offer(self, text: str | bytes) -> Any:
        """Upload a file and let it be looked at."""
        body = text.encode() if isinstance(text, str) else text
        answer = await self.owner.http.post("/api/v1/product-imports", content=body)
        assert answer.status_code == 202, answer.text
        await self.market.work()
        return await self.call("GET", f"/product-imports/{answer.json()['id']}")

    async def take(self, intake: Any, ok: int = 202, *, only_good: bool = False) -> Any:
        await self.call("POST", f"/product-imports/{intake['id']}/take", {"only_good": only_good}, ok)
        await self.market.work()
        return await self.call("GET", f"/product-imports/{intake['id']}")

    async def export(self) -> str:
        answer = await self.owner.http.get("/api/v1/products.csv")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/csv")
        return answer.content.decode("utf-8-sig")

    async def sync(self, name: str, **wish: bool) -> Any:
        """Read a shop's catalogue; the result."""
        path = f"/connections/{self.market.connections[name]}/sync"
        await self.call("POST", path, wish, ok=202)
        await self.market.work()
        return await self.call("GET", path)


@pytest.fixture
async def desk(trade: Trade) -> Desk:
    """The brand of `open_shop`, signed in."""
    market = await trade()
    return Desk(market, await market.owner())
