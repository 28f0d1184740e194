"""A shop with a delivery and a tax, whose buyers order, pay and change their minds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hub.market import Buyer, Market, Trade
from tests.hub.site import Client

PARCEL = 500
BAG = 4_900
ADDRESS = {"line1": "Straße 1", "city": "Berlin", "postcode": "10115", "country": "DE"}


@dataclass
class Bought:
    """A buyer and their order."""

    store: Store
    buyer: Buyer
    id: str
    email: str

    @property
    def path(self) -> str:
        """By the link in the buyer's mail, as days later nobody has the watch page open."""
        return f"/api/v1/public/orders/{self.store.market.hub.tokens.order(UUID(self.id))}"

    async def after(self) -> Any:
        return await self.buyer.http.call("GET", f"{self.path}/after")

    async def cancel(self, ok: int = 200) -> Any:
        return await self.buyer.http.call("POST", f"{self.path}/cancel", ok=ok)

    async def withdraw(self, ok: int = 200, **wish: Any) -> Any:
        body = {"key": uuid4().hex, "name": "Ana Ek", "confirm": True} | wish
        return await self.buyer.http.call("POST", f"{self.path}/withdrawal", body, ok=ok)

    async def send_back(self, pieces: int, ok: int = 201, key: str = "") -> Any:
        [line] = (await self.after())["lines"]
        lines = [{"line_id": line["id"], "quantity": pieces}]
        body = {"key": key or uuid4().hex, "lines": lines, "reason": "Too red"}
        return await self.buyer.http.call("POST", f"{self.path}/returns", body, ok=ok)

    async def detail(self) -> Any:
        return await self.store.owner.call("GET", f"/api/v1/orders/{self.id}")

    async def refund(self, ok: int = 202, key: str = "", **wish: Any) -> Any:
        body = {"key": key or uuid4().hex, "reason": "Scratched"} | wish
        return await self.store.owner.call("POST", f"/api/v1/orders/{self.id}/refunds", body, ok=ok)

    async def sent(self, arrived: bool = True) -> Any:
        """Sent two hours ago, and arrived now."""
        now = self.store.market.clock()
        body = {
            "sent_at": (now - timedelta(hours=2)).isoformat(),
            "delivered_at": now.isoformat() if arrived else None,
        }
        return await self.store.owner.call("PUT", f"/api/v1/orders/{self.id}/delivery", body)


@dataclass
class Store:
    """What a test needs."""

    market: Market
    owner: Client
    parcel: UUID

    async def buys(
        self, quantity: int = 1, *, name: str = "Ana Ek", email: str = "", pay: bool = True
    ) -> Bought:
        buyer = await self.market.viewer()
        hold = await buyer.hold(quantity=quantity)
        # Not by chance one with many digits: together with one home for all, a person would have to look.
        email = email or f"ana.{uuid4().hex[:4]}@example.com"
        body = {
            "hold_id": hold["hold_id"],
            "email": email,
            "name": name,
            "address": ADDRESS,
            "shipping_method_id": str(self.parcel),
            "payment": {"source": "pm_card_visa"},
        }
        order = await buyer.http.call("POST", "/api/v1/public/orders", body, ok=202)
        if pay:
            await self.settle()
        return Bought(self, buyer, order["order_id"], email)

    async def settle(self) -> None:
        """Every job that is due is done, and what follows from it."""
        await self.market.work()
        await self.market.hub.aftersale.invoices.sweep()

    async def letters(self, kind: str) -> list[str]:
        """Letters of a kind as they were written, oldest first."""
        where = self.market.hub.settings.data / "mail"
        rows = await self.market.sql("SELECT id FROM mail WHERE kind = :kind ORDER BY id", kind=kind)
        return [(where / f"{row['id']}.eml").read_text() for row in rows]

    async def money(self) -> list[tuple[int, int]]:
        """The gateway's own books: (captured, refunded) of each payment."""
        return [(one["captured"], one["refunded"]) for one in await self.market.intents()]


@pytest.fixture
async def store(trade: Trade) -> Store:
    market = await trade("stripe", units=10)
    parcel, brand = uuid4(), market.shop.brand_id
    await market.sql(
        "INSERT INTO shipping_method (id, brand_id, title, countries, price_minor, currency, position, days)"
        " VALUES (:id, :brand, 'Parcel', '[]', :price, 'EUR', 0, '2–4 days')",
        id=parcel,
        brand=brand,
        price=PARCEL,
    )
    await market.sql(
        "INSERT INTO tax_rate (id, brand_id, country, tax_class, percent, title)"
        " VALUES (:id, :brand, 'DE', 'standard', 19, 'VAT')",
        id=uuid4(),
        brand=brand,
    )
    return Store(market, await market.owner(), parcel)
