"""A brand that sells on several channels at once: the hub with its real API in front and fakes of the
shops and the gateway behind, all in one process, so that a test decides when jobs run and what time it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from procrastinate import App
from sqlalchemy import text

from connectors.types import Tokens
from hub.app import create_app
from hub.auth.guard import COOKIE
from hub.auth.models import Brand, Member, StaffSession
from hub.auth.service import SESSION_LASTS, digest
from hub.db import run
from hub.demo.fakes import Standing
from hub.services import Services
from hub.stock.fast import protocol_of
from hub.work.jobs import job_app
from tests.hub.platforms import until
from tests.hub.shop import Shop
from tests.hub.site import Client, no_authorities, watch

SKU = "BAG-RED"
DUE = "SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()"


class MovableClock:
    """The real time, so that fakes and we agree, and as far ahead of it as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._stopped: datetime | None = None

    def __call__(self) -> datetime:
        return (self._stopped or datetime.now(UTC)) + self.ahead

    def stop(self) -> None:
        """Only `tick` moves it from now on."""
        self._stopped = datetime.now(UTC)

    def tick(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Market:
    """What a test needs: `work` runs the jobs that are due, `later` lets the pauses between tries pass."""

    hub: Services
    shop: Shop
    origin: str
    fakes: dict[str, Standing]
    connections: dict[str, UUID]
    jobs: App
    clock: MovableClock

    async def work(self) -> None:
        """Run every job that is due, and those that follow from them."""
        while await self.sql(DUE):
            await self.jobs.run_worker_async(
                wait=False,
                concurrency=4,
                listen_notify=False,
                delete_jobs="successful",
                install_signal_handlers=False,
            )

    async def later(self) -> None:
        """However long the pauses before the next tries are, they are over; then work."""
        await self.sql("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
        await self.work()

    async def arrived(self, *names: str) -> None:
        """Every webhook these platforms had to send was taken, and what it says is done."""
        for name in names or self.fakes:
            await until(lambda name=name: self.sent(name))  # type: ignore[misc]
        await self.work()

    async def sent(self, name: str) -> bool:
        return bool((await self.fakes[name].state())["webhooks"]["waiting"] == 0)

    async def fill(self, name: str, quantity: int) -> None:
        """Give a shop its own shelf, tell it where we are, and tie its listing to our SKU."""
        item = {"sku": SKU, "title": "Bag", "price_minor": 4900, "currency": "EUR", "quantity": quantity}
        await self.fakes[name].control("catalog", {"items": [item]})
        await self.fakes[name].control("webhook_url", {"url": self.hook(name)})
        row = await self.connection(name)
        assert await self.hub.catalog.import_listings(row) == (1, 0)

    def hook(self, name: str) -> str:
        return f"{self.origin}/webhooks/{name}/{self.connections[name]}"

    async def connection(self, name: str) -> Any:
        async with self.hub.db.session() as session:
            return await self.hub.connections.get(session, self.shop.brand_id, self.connections[name])

    async def viewer(self) -> Buyer:
        client, page = await watch(self.origin, self.shop.slug)
        return Buyer(self, client, page)

    async def owner(self, brand: str = "") -> Client:
        """Somebody signed in for this brand, or for a new one with a name."""
        token, brand_id = uuid4().hex, self.shop.brand_id
        async with self.hub.db.session() as session:
            if brand:
                other = Brand(name=brand, slug=uuid4().hex)
                session.add(other)
                await session.flush()
                brand_id = other.id
            # Without a password: its hashing would cost more than most tests.
            member = Member(brand_id=brand_id, email=f"{token}@example.com", name="Ana", password_hash="")
            session.add(member)
            await session.flush()
            lasts = self.clock() + SESSION_LASTS
            session.add(
                StaffSession(
                    brand_id=brand_id, member_id=member.id, token_hash=digest(token), expires_at=lasts
                )
            )
        client = Client(self.origin)
        client.http.cookies.set(COOKIE, token)
        return client

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.hub.db.session() as session:
            result = await run(session, text(statement), values)
            return [row._mapping for row in result.all()] if result.returns_rows else []

    async def states(self, table: str) -> dict[str, int]:
        """How many rows of a table are in which state."""
        rows = await self.sql(f"SELECT state, count(*) AS n FROM {table} GROUP BY state")  # noqa: S608
        return {row["state"]: row["n"] for row in rows}

    async def intents(self) -> list[Any]:
        """The gateway's own books."""
        intents: list[Any] = (await self.fakes["stripe"].state())["intents"]
        return intents

    async def sweep(self) -> None:
        """What the clockwork does every second."""
        async with self.hub.db.session() as session:
            await self.hub.stock.expire_holds(session)
        await self.hub.payments.sweep.let_go_of_late()


@dataclass
class Buyer:
    """A viewer with the watch page open."""

    market: Market
    http: Client
    page: Any

    async def hold(self, ok: int = 201, key: str = "", quantity: int = 1) -> Any:
        body = {
            "show": self.market.shop.slug,
            "variant_id": str(self.market.shop.variant_id),
            "key": key or uuid4().hex,
            "quantity": quantity,
        }
        return await self.http.call("POST", "/api/v1/public/holds", body, ok=ok)

    async def order(self, hold: Any, card: str = "pm_card_visa", ok: int = 202, email: str = "") -> Any:
        body = {
            "hold_id": hold["hold_id"],
            "email": email or f"{uuid4().hex}@example.com",
            "name": "Ana",
            "payment": {"source": card},
        }
        return await self.http.call("POST", "/api/v1/public/orders", body, ok=ok)

    async def status(self, order: Any) -> Any:
        return await self.http.call("GET", f"/api/v1/public/orders/{order['order_id']}")


@asynccontextmanager
async def fronted(hub: Services) -> AsyncIterator[str]:
    """The real HTTP application around services that a test holds in its hands."""
    app = create_app(hub.settings, {})
    app.state.services = hub
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none", http=protocol_of(app))
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def trading(
    hub: Services, shop: Shop, fakes: dict[str, Standing], clock: MovableClock
) -> AsyncIterator[Market]:
    """Accounts linked, jobs ready to be run by hand."""
    connections = {}
    async with hub.db.session() as session:
        for name, fake in fakes.items():
            tokens = Tokens.model_validate(fake.tokens) if fake.tokens else None
            row = await hub.connections.add(session, shop.brand_id, name, name, fake.config, tokens)
            connections[name] = row.id
    jobs = job_app(hub)
    async with fronted(hub) as origin, jobs.open_async():
        market = Market(hub, shop, origin, fakes, connections, jobs, clock)
        if "stripe" in fakes:
            await fakes["stripe"].control("webhook_url", {"url": market.hook("stripe")})
        yield market


Trade = Callable[..., Awaitable[Market]]


async def post(url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """A delivery as anybody might send it."""
    async with httpx.AsyncClient(timeout=20, verify=no_authorities()) as client:
        return await client.post(url, content=body, headers=headers)
