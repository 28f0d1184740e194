"""Orders that were paid, people who agreed, and three accounts that are told, on real sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from hub.consent.book import Purpose
from hub.conversions.ad_ids import Seen
from hub.customers.models import Customer
from hub.orders.models import Order, OrderLine
from tests.hub.market import Market

ADDRESS = '{"line1": "Weg 1", "city": "Berlin", "postcode": "10115", "country": "DE", "phone": "030 901820"}'
SEEN = Seen(ga_client="11.22", fbp="fb.1.1790000000000.77", fbclid="AbC-d", ttp="2Fttp", ttclid="E.C.P.Abc")


@dataclass(frozen=True)
class Agreed:
    """Consent that is written in no book: everything to everybody."""

    analytics: bool = True
    ads: bool = True
    gpc: bool = False


@dataclass
class Sales:
    """A shop whose orders are made here, whole."""

    market: Market
    known: dict[tuple[str, str], int] = field(default_factory=dict)

    async def sweep(self) -> None:
        """What the clockwork does, after the pause in which pages report, and the jobs that follow."""
        await self.market.hub.conversions.queue.sweep()
        await self.later(20)

    async def later(self, seconds: float) -> None:
        """Time passes, here and at the platforms."""
        self.market.clock.tick(seconds)
        for fake in self.market.fakes.values():
            await fake.control("clock", {"now": self.market.clock().isoformat()})
        await self.market.hub.conversions.sweep()
        await self.market.work()

    async def order(self, *, agreed: str = "analytics ads", email: str = "", **more: Any) -> Order:
        """Paid just now by somebody who agreed to this much, and whose browser is known."""
        hub, brand, visitor = self.market.hub, self.market.shop.brand_id, uuid4().hex
        customer = Customer(brand_id=brand, name="Jane Doe")
        now = self.market.clock()
        given = {
            "customer_id": customer.id,
            "channel": "own",
            "show_id": self.market.shop.show_id,
            "number": f"SH-{uuid4().hex[:6]}",
            "state": "paid",
            "currency": "EUR",
            "subtotal_minor": 4900,
            "total_minor": 5490,
            "shipping_minor": 590,
            "captured_minor": 5490,
            "address_sealed": self.seal(ADDRESS),
            "buyer_email_sealed": self.seal(email or "Jane.Doe@Example.com"),
            "buyer_name": "Jane Doe",
            "viewer_id": visitor,
            "placed_at": now,
            "updated_at": now,
        }
        order = Order(brand_id=brand, **{**given, **more})
        line = OrderLine(
            brand_id=brand,
            order_id=order.id,
            external_line_id="1",
            sku="BAG-RED",
            title="Bag",
            unit_minor=4900,
        )
        async with hub.db.session() as session:
            session.add(customer)
            await session.flush()
            session.add(order)
            await session.flush()
            session.add(line)
            if order.viewer_id:
                await hub.conversions.ad_ids.note(
                    *(session, brand, order.viewer_id, SEEN, Agreed()),
                    ip="203.0.113.9",
                    user_agent="Mozilla/5.0",
                )
        await self.says(order, agreed)
        return order

    def seal(self, text: str) -> bytes:
        sealed: bytes = self.market.hub.connections.sealed.seal_text(text)
        return sealed

    async def says(self, order: Order, agreed: str, *, gpc: bool = False) -> None:
        """The buyer's browser answers the banner (again)."""
        if not order.viewer_id:
            return
        said: dict[Purpose, bool] = {"analytics": "analytics" in agreed, "ads": "ads" in agreed}
        async with self.market.hub.db.session() as session:
            await self.market.hub.consent_book.note(
                *(session, order.brand_id, said), source="banner", visitor_id=order.viewer_id, gpc=gpc
            )

    async def gives_back(self, order: Order, minor: int, state: str = "paid") -> None:
        await self.market.sql(
            "UPDATE orders SET refunded_minor = :minor, state = :state, updated_at = :now WHERE id = :id",
            minor=minor,
            state=state,
            now=self.market.clock(),
            id=order.id,
        )

    async def rows(self, name: str, order: Order | None = None) -> list[Any]:
        """(event, state, reason) of one account, oldest first."""
        found = await self.market.sql(
            "SELECT event_name, state, reason FROM conversion WHERE connection_id = :connection"
            " AND (CAST(:order_id AS uuid) IS NULL OR order_id = :order_id) ORDER BY created_at, id",
            connection=self.connection(name),
            order_id=order.id if order else None,
        )
        return [tuple(row.values()) for row in found]

    def connection(self, name: str) -> UUID:
        return self.market.connections[name]

    async def heard(self, name: str, kind: str = "events") -> list[Any]:
        """What a platform has noted since `from_here`."""
        found: list[Any] = (await self.market.fakes[name].state())[kind]
        return found[self.known.get((name, kind), 0) :]

    async def from_here(self) -> None:
        """Another part of a test begins: what was heard before is not counted."""
        for name, fake in self.market.fakes.items():
            state = await fake.state()
            self.known |= {(name, kind): len(state[kind]) for kind in state}
