"""Buying as a whole: how soon viewers see a hold, and a rush of purchases from the click to the money.

Real processes (api, gateway, work), a real PostgreSQL and the fake of Stripe; the last runs with the buyers
in this process.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import TextClause, text

from connectors.types import Tokens
from hub.app import services
from hub.auth.tokens import Viewer
from hub.db import run as query
from hub.demo.fakes import Standing, environment_for
from hub.engines.nats import start_nats
from hub.engines.postgres import Postgres
from hub.migrate import migrate
from hub.settings import Settings
from tests.bench.rows import Row, free_port, listening, percentile, process, row
from tests.hub.gateway.screens import Screen, screen
from tests.hub.platforms import standing_fakes
from tests.hub.shop import Shop, open_shop
from tests.hub.stock.crowd import chat_of, comment

SECRET: Final = "the bench's own secret key"
BUYS: Final = 500
SECONDS: Final = 5.0
UNITS: Final = 10_000
SCREENS: Final = 20
SEEN_BAR_MS: Final = 250
HOLD_BAR_MS: Final = 300
PATIENCE: Final = 180.0
"""Seconds for all of the money to be taken, at the pace of a gateway."""
CLAIMS: Final = 3000
CLAIM_SECONDS: Final = 3
BATCH: Final = 100
"""Comments that a chat tells at once, as polling does."""
OPEN: Final = text("SELECT count(*) FROM claim WHERE state = 'waiting'")
JUDGED: Final = text("SELECT state FROM claim WHERE show_id = :show ORDER BY said_at")
UNPAID: Final = text("SELECT count(*) FROM orders WHERE state <> 'paid'")


@dataclass
class Rush:
    """What the buyers were told. Times in milliseconds."""

    hold_ms: list[float] = field(default_factory=list)
    holds: dict[str, str] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    refused: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass
class Claims:
    """What became of claims by comment. `unjust`: held though somebody who was earlier got nothing."""

    lost: int
    unjust: int
    seconds: float


@dataclass
class Till:
    """A live show, and how to buy in it."""

    settings: Settings
    shop: Shop
    stripe: Standing
    http: httpx.AsyncClient

    def token(self) -> str:
        """A viewer's that nobody has had."""
        shop = self.shop
        return shop.hub.tokens.viewer(Viewer(uuid4().hex, shop.show_id, shop.brand_id, shop.slug))

    async def hold(self, token: str, key: str) -> httpx.Response:
        """Press Buy."""
        wanted = {"show": self.shop.slug, "variant_id": str(self.shop.variant_id), "key": key}
        return await self.post("/api/v1/public/holds", wanted, token)

    async def post(self, path: str, body: dict[str, Any], token: str) -> httpx.Response:
        """As this viewer."""
        return await self.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


def rows(*, quick: bool) -> list[Row]:
    """News of holds, and the rush."""
    seen, rush, claims = asyncio.run(measure(30 if quick else 100))
    comments = f"{CLAIMS // CLAIM_SECONDS:,} claims by comment a second, {CLAIM_SECONDS} s"
    case = f"{BUYS} buys in {SECONDS:.0f} s, click to money"
    slow, late = percentile(rush.hold_ms, 95), percentile(seen, 95)
    wrong = rush.lost + rush.refused
    return [
        row(
            *(f"{SCREENS} viewers' screens", "hold -> viewer's socket, p95", "ms", late, {}),
            bar=f"<= {SEEN_BAR_MS}",
            ok=late <= SEEN_BAR_MS,
        ),
        row(
            case, "p95 of the hold's answer", "ms", slow, {}, bar=f"<= {HOLD_BAR_MS}", ok=slow <= HOLD_BAR_MS
        ),
        row(case, "lost", "buys", wrong, {}, bar="0", ok=wrong == 0),
        row(case, "doubled", "buys", rush.doubled, {}, bar="0", ok=rush.doubled == 0),
        row(comments, "lost", "claims", claims.lost, {}, bar="0", ok=claims.lost == 0),
        row(comments, "out of order", "claims", claims.unjust, {}, bar="0", ok=claims.unjust == 0),
        row(comments, "decided after the last one", "s", claims.seconds, {}, bar="-", ok=True),
    ]


async def measure(holds: int) -> tuple[list[float], Rush, Claims]:
    """(milliseconds from each click to each screen, the rush, the claims)."""
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder:
        async with standing_fakes("stripe") as fakes, open_till(Path(folder), fakes["stripe"]) as till:
            return await watched(till, holds), await rushed(till), await claimed(till)


@asynccontextmanager
async def open_till(data: Path, stripe: Standing) -> AsyncIterator[Till]:
    """Engines, a show, Stripe linked, and the three processes."""
    postgres, nats_port = Postgres(data), free_port()
    engines = [await postgres.start(), await start_nats(data, nats_port)]
    try:
        await migrate(postgres.url)
        settings = Settings(
            data=data,
            database_url=postgres.url,
            nats_url=f"nats://127.0.0.1:{nats_port}",
            secret_key=SecretStr(SECRET),
            media_token=SecretStr(SECRET),
            http_port=free_port(),
            gateway_port=free_port(),
            _env_file=None,
        )
        environ = environment_for({"stripe": stripe})
        origin = f"http://127.0.0.1:{settings.http_port}"
        async with services(settings, environ) as hub, httpx.AsyncClient(base_url=origin, timeout=30) as http:
            shop = await open_shop(hub, UNITS)
            async with hub.db.session() as session:
                tokens = Tokens.model_validate(stripe.tokens) if stripe.tokens else None
                account = (session, shop.brand_id, "Stripe", "stripe", stripe.config, tokens)
                linked = await hub.connections.add(*account)
            await stripe.control("webhook_url", {"url": f"{origin}/webhooks/stripe/{linked.id}"})
            with ExitStack() as stack:
                for name in ("api", "gateway", "work"):
                    argv = [sys.executable, "-m", "hub", "run", name]
                    env = environment(settings) | environ
                    stack.enter_context(process(argv, env=env, log=data / f"{name}.log"))
                for port in (settings.http_port, settings.gateway_port):
                    await asyncio.to_thread(listening, port, "A process of the hub", PATIENCE)
                yield Till(settings, shop, stripe, http)
    finally:
        for child in reversed(engines):
            await child.stop()


def environment(settings: Settings) -> dict[str, str]:
    """Of the processes."""
    return os.environ | {
        "DATABASE_URL": settings.database_url or "",
        "NATS_URL": settings.nats_url or "",
        "SIMULCAST_DATA": str(settings.data),
        "SIMULCAST_HTTP_PORT": str(settings.http_port),
        "SIMULCAST_GATEWAY_PORT": str(settings.gateway_port),
        "SIMULCAST_MEDIA_CONTROL_PORT": "9",
        "SIMULCAST_SECRET_KEY": SECRET,
        "SIMULCAST_MEDIA_TOKEN": SECRET,
        "SIMULCAST_LOG_LEVEL": "WARNING",
        # Five times twenty calls a second, or the money of 500 buyers would take a minute.
        "SIMULCAST_PAYMENT_PACE": "5",
    }


async def watched(till: Till, holds: int) -> list[float]:
    """Milliseconds from a click to the news of it, for every hold and screen."""
    address = f"ws://127.0.0.1:{till.settings.gateway_port}/ws"
    async with AsyncExitStack() as stack:
        screens = [await stack.enter_async_context(screen(address, till.token())) for _ in range(SCREENS)]
        for one in screens:
            await one.hears("hello")
        took: list[float] = []
        left = UNITS
        for _ in range(holds):
            token, began = till.token(), time.perf_counter()
            hearing = [asyncio.create_task(sees(one, began, left)) for one in screens]
            answer = await till.hold(token, uuid4().hex)
            answer.raise_for_status()
            left = answer.json()["available"]
            took += await asyncio.gather(*hearing)
        return took


async def sees(one: Screen, began: float, before: int) -> float:
    """When there is news that fewer than `before` are left."""
    while (await one.hears("stock.changed"))["data"]["available"] >= before:
        pass
    return (time.perf_counter() - began) * 1000


async def rushed(till: Till) -> Rush:
    """Everybody in five seconds, at an even pace, whether or not those before have been answered."""
    rush, began = Rush(), time.monotonic()
    buying = []
    for n in range(BUYS):
        await asyncio.sleep(max(0.0, began + n * SECONDS / BUYS - time.monotonic()))
        buying.append(asyncio.create_task(buy(till, rush)))
    await asyncio.gather(*buying)
    patient_until = time.monotonic() + PATIENCE
    while (waiting := await count(till, UNPAID)) and time.monotonic() < patient_until:
        await asyncio.sleep(0.5)
    intents = (await till.stripe.state())["intents"]
    captured = sum(one["captured"] for one in intents)
    rush.lost = BUYS - rush.refused - len(rush.orders) + waiting
    # Money is the last word: 49 euros for each order, once.
    rush.doubled = max(len(rush.holds) - len({*rush.holds.values()}), captured // 4900 - len(rush.orders))
    return rush


async def buy(till: Till, rush: Rush) -> None:
    """One buyer: hold, order, card."""
    token, key, began = till.token(), uuid4().hex, time.perf_counter()
    held = await till.hold(token, key)
    rush.hold_ms.append((time.perf_counter() - began) * 1000)
    if held.status_code != 201:
        rush.refused += 1
        return
    rush.holds[key] = held.json()["hold_id"]
    buyer = {"email": f"{key}@example.com", "name": "Ana", "payment": {"source": "pm_card_visa"}}
    body = buyer | {"hold_id": rush.holds[key], "key": uuid4().hex}
    ordered = await till.post("/api/v1/public/orders", body, token)
    if ordered.status_code == 202:
        rush.orders.add(ordered.json()["order_id"])


async def claimed(till: Till) -> Claims:
    """More claims than there is, as fast as a huge chat talks; the work process decides them."""
    hub, units = till.shop.hub, CLAIMS // 3
    shop = await open_shop(hub, units)
    chat, began = await chat_of(hub, shop), time.monotonic()
    for first in range(0, CLAIMS, BATCH):
        await asyncio.sleep(max(0.0, began + first * CLAIM_SECONDS / CLAIMS - time.monotonic()))
        now = datetime.now(UTC)
        said = [
            comment(first + n).model_copy(update={"sent_at": now - timedelta(milliseconds=BATCH - n)})
            for n in range(BATCH)
        ]
        async with hub.db.session() as session:
            await hub.chat.receive(session, chat, said)
    last = time.monotonic()
    while await count(till, OPEN) and time.monotonic() < last + PATIENCE:
        await asyncio.sleep(0.2)
    seconds = time.monotonic() - last
    async with hub.db.session() as session:
        states = [one.state for one in await query(session, JUDGED, {"show": shop.show_id})]
    known = states.count("held") + states.count("sold_out")
    return Claims(CLAIMS - known, states[units:].count("held"), seconds)


async def count(till: Till, what: TextClause) -> int:
    """One number from the tables."""
    async with till.shop.hub.db.session() as session:
        return int((await query(session, what)).scalar_one())
