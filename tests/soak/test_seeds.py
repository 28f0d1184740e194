"""A thousand seeded drops: fifty units are sold fifty times, also when processes are killed in the middle."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from connectors.types import ChatMessage, Tokens
from hub.app import services
from hub.auth.tokens import Viewer
from hub.db import run
from hub.demo.fakes import Standing, environment_for
from hub.engines.nats import start_nats
from hub.engines.postgres import Postgres
from hub.errors import Unavailable
from hub.migrate import migrate
from hub.services import Services
from hub.settings import Settings
from tests.bench.rows import free_port, listening, process
from tests.hub.market import SKU
from tests.hub.platforms import standing_fakes, until
from tests.hub.shop import SetClock, Shop, open_shop
from tests.hub.stock.crowd import chat_of, comment, play

pytestmark = pytest.mark.soak

SEEDS = int(os.environ.get("SOAK_SEEDS", "1000"))
KILLS = int(os.environ.get("SOAK_KILLS", "20"))
ACCOUNTS = ("stripe", "shopify", "tiktok_shop")
VICTIMS = (("api", "work", "postgres"), ("api",), ("work",), ("postgres",))
OWN, COMMENTS, EACH_SHOP = 34, 20, 15
"""Eighty-four want one of fifty. Every second of those on the own site pays."""
CROWD_SECONDS = 4.0
"""They come over as long: a comment is decided two seconds after it was said."""
PATIENCE = 600.0
"""Seconds, on a slow machine: a job whose process died is taken up after 45, a shop is read every 60."""
SECRET = "a soak's own secret key"


class Ground:
    """PostgreSQL and NATS of this test's own, in a folder that PostgreSQL's user may enter."""

    def __init__(self, data: Path) -> None:
        self.postgres = Postgres(data)
        self.nats_port = free_port()
        self.settings = Settings(
            data=data,
            database_url=self.postgres.url,
            nats_url=f"nats://127.0.0.1:{self.nats_port}",
            secret_key=SecretStr(SECRET),
            media_token=SecretStr("a soak's own media token"),
            payment_pace=100.0,
            http_port=free_port(),
            _env_file=None,
        )

    async def __aenter__(self) -> Ground:
        self._nats = await start_nats(self.settings.data, self.nats_port)
        self._database = await self.postgres.start()
        await migrate(self.postgres.url)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.stop()
        await self._nats.stop()

    async def kill_postgres(self) -> None:
        """kill -9, and the start after it."""
        os.kill(self._database.pid, signal.SIGKILL)
        await self._database.stop()
        self._database = await self.postgres.start()


async def test_a_thousand_drops_sell_fifty_of_fifty() -> None:
    """Own site, comments, TikTok Shop and Shopify, with duplicates and disorder: never 49, never 51."""
    with tempfile.TemporaryDirectory(prefix="simulcast-soak-") as folder:
        async with Ground(Path(folder)) as ground, services(ground.settings, {}, SetClock()) as hub:
            for seed in range(SEEDS):
                await play(hub, seed)


class Processes:
    """The api and the work process, real ones, and what they are started with."""

    def __init__(self, ground: Ground, environ: dict[str, str], stack: ExitStack) -> None:
        self._ground = ground
        self._stack = stack
        given = ground.settings
        self._env = os.environ | environ
        self._env |= {
            "DATABASE_URL": given.database_url or "",
            "NATS_URL": given.nats_url or "",
            "SIMULCAST_DATA": str(given.data),
            "SIMULCAST_HTTP_PORT": str(given.http_port),
            "SIMULCAST_SECRET_KEY": SECRET,
            "SIMULCAST_MEDIA_TOKEN": "a soak's own media token",
            "SIMULCAST_MEDIA_CONTROL_PORT": "9",
            "SIMULCAST_PAYMENT_PACE": "100",
        }
        self._running = {name: self._started(name) for name in ("api", "work")}

    def _started(self, name: str) -> Any:
        argv = [sys.executable, "-m", "hub", "run", name]
        return self._stack.enter_context(
            process(argv, env=self._env, log=self._ground.settings.data / f"{name}.log")
        )

    async def serving(self) -> None:
        """The api takes requests."""
        await asyncio.to_thread(listening, self._ground.settings.http_port, "The HTTP process", PATIENCE)

    async def kill(self, *names: str) -> None:
        """kill -9 of all of them at once, and the start after it."""
        for name in names:
            if name != "postgres":
                self._running[name].kill()
        if "postgres" in names:
            await self._ground.kill_postgres()
        for name in names:
            if name != "postgres":
                self._running[name].wait()
                self._running[name] = self._started(name)


@dataclass
class Drop:
    """One show, and buyers everywhere who ask again until they are answered; what they were told."""

    hub: Services
    shop: Shop
    fakes: dict[str, Standing]
    http: httpx.AsyncClient
    chat: UUID
    holds: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    comments: set[str] = field(default_factory=set)
    sold: dict[str, set[str]] = field(default_factory=lambda: {"shopify": set(), "tiktok_shop": set()})
    refused: Counter[str] = field(default_factory=Counter)

    async def ask(self, path: str, body: dict[str, Any], token: str, ok: int) -> Any:
        """What was answered; None when it is sold out."""
        while True:
            try:
                answer = await self.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 503:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == ok:
                return answer.json()
            assert answer.json()["code"] == "sold_out", answer.text
            return None

    async def buy(self, *, pays: bool) -> None:
        """One buyer on the own site, with one key for each thing they do."""
        shop, key = self.shop, uuid4().hex
        token = shop.hub.tokens.viewer(Viewer(uuid4().hex, shop.show_id, shop.brand_id, shop.slug))
        wanted = {"show": shop.slug, "variant_id": str(shop.variant_id), "key": key}
        hold = await self.ask("/api/v1/public/holds", wanted, token, 201)
        if hold is None:
            self.refused["own"] += 1
            return
        self.holds[key] = hold["hold_id"]
        if pays:
            buyer = {"email": f"{key}@example.com", "name": "Ana", "payment": {"source": "pm_card_visa"}}
            body = buyer | {"hold_id": hold["hold_id"], "key": uuid4().hex}
            order = await self.ask("/api/v1/public/orders", body, token, 202)
            self.orders[order["order_id"]] = hold["hold_id"]

    async def claim(self, number: int) -> None:
        """Somebody's comment; the reader of a chat keeps it until it is stored."""
        said: ChatMessage = comment(number)
        while True:
            try:
                async with self.hub.db.session() as session:
                    await self.hub.chat.receive(session, self.chat, [said])
            except Unavailable:
                await asyncio.sleep(0.1)
                continue
            self.comments.add(said.id)
            return

    async def order(self, name: str) -> None:
        """A buyer in a shop, which believes that it has all fifty."""
        wanted = {"sku": SKU, "quantity": 1, "email": f"{uuid4().hex}@example.com", "name": "Ana"}
        made = await self.fakes[name].control("order", wanted, ok=(200, 409))
        if "order_id" in made:
            self.sold[name].add(made["order_id"])
        else:
            self.refused[name] += 1

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.hub.db.session() as session:
            rows = await run(session, text(statement), values | {"brand": self.shop.brand_id})
            return [*rows.all()] if rows.returns_rows else []


WAITING = """
    SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
              AND task_name SIMILAR TO '(webhook|payment|order).%')
         + (SELECT count(*) FROM claim WHERE brand_id = :brand AND state = 'waiting')
         + (SELECT count(*) FROM orders WHERE brand_id = :brand AND channel = 'own' AND state <> 'paid')
"""


async def test_what_was_acknowledged_is_there_after_kill_9_of_api_work_and_postgres() -> None:
    """Each round: a crowd buys on four channels; one of the three, or all, die at a random moment."""
    with tempfile.TemporaryDirectory(prefix="simulcast-soak-") as folder:
        async with Ground(Path(folder)) as ground:
            for seed in range(KILLS):
                async with standing_fakes(*ACCOUNTS) as fakes:
                    await killed_in_the_middle(ground, fakes, seed)


async def killed_in_the_middle(ground: Ground, fakes: dict[str, Standing], seed: int) -> None:
    """One drop."""
    rng, environ = random.Random(seed), environment_for(fakes)
    origin = f"http://127.0.0.1:{ground.settings.http_port}"
    limits = httpx.Limits(max_connections=60)
    async with (
        services(ground.settings, environ) as hub,
        httpx.AsyncClient(base_url=origin, timeout=20, limits=limits) as http,
    ):
        drop = await opened(hub, fakes, http)
        with ExitStack() as stack:
            processes = Processes(ground, environ, stack)
            await processes.serving()
            acts = [drop.buy(pays=n % 2 == 0) for n in range(OWN)]
            acts += [drop.claim(n) for n in range(COMMENTS)]
            acts += [drop.order(name) for name in drop.sold for _ in range(EACH_SHOP)]
            crowd = [asyncio.create_task(after(rng.uniform(0, CROWD_SECONDS), one)) for one in acts]
            await until(lambda: answered(drop), PATIENCE)
            await asyncio.wait(crowd, timeout=rng.uniform(0, CROWD_SECONDS))
            await processes.kill(*VICTIMS[seed % len(VICTIMS)])
            await asyncio.gather(*crowd)
            await until(lambda: settled(drop), PATIENCE)
        await check(drop, f"seed {seed}")
        # Nobody works for this brand any more.
        await drop.sql("UPDATE connection SET state = 'off' WHERE brand_id = :brand")
        await drop.sql("UPDATE show SET state = 'ended' WHERE brand_id = :brand")


async def after(seconds: float, act: Coroutine[Any, Any, None]) -> None:
    """Somebody who comes a little later."""
    await asyncio.sleep(seconds)
    await act


async def opened(hub: Services, fakes: dict[str, Standing], http: httpx.AsyncClient) -> Drop:
    """A live show of fifty, accounts linked, and each shop with fifty of its own."""
    shop = await open_shop(hub)
    drop = Drop(hub, shop, fakes, http, await chat_of(hub, shop))
    # Whoever holds one keeps it, however slow this machine is.
    await drop.sql("UPDATE show SET hold_seconds = 3600 WHERE brand_id = :brand")
    for name, fake in fakes.items():
        async with hub.db.session() as session:
            tokens = Tokens.model_validate(fake.tokens) if fake.tokens else None
            row = await hub.connections.add(session, shop.brand_id, name, name, fake.config, tokens)
        await fake.control("webhook_url", {"url": str(http.base_url.join(f"/webhooks/{name}/{row.id}"))})
        if name in drop.sold:
            item = {"sku": SKU, "title": "Bag", "price_minor": 4900, "currency": "EUR", "quantity": 50}
            await fake.control("catalog", {"items": [item]})
            assert await hub.catalog.import_listings(row) == (1, 0)
    return drop


async def answered(drop: Drop) -> bool:
    """Somebody was."""
    return bool(drop.holds)


async def settled(drop: Drop) -> bool:
    """Nothing is on its way any more, from anywhere."""
    try:
        [[waiting]] = await drop.sql(WAITING)
        known = {
            row.external_id
            for row in await drop.sql("SELECT external_id FROM orders WHERE brand_id = :brand")
        }
    except Unavailable:
        return False
    if waiting or not set().union(*drop.sold.values()) <= known:
        return False
    refused = await drop.sql("SELECT 1 FROM orders WHERE brand_id = :brand AND state = 'sold_out'")
    return await cancelled(drop) == len(refused)


async def cancelled(drop: Drop) -> int:
    """Orders that the shops were told to cancel, by their own books."""
    found = [one for name in drop.sold for one in (await drop.fakes[name].state())["orders"]]
    return sum(bool(one.get("cancelled") or one.get("status") == "CANCELLED") for one in found)


async def check(drop: Drop, where: str) -> None:
    """Everything that anybody was told is true, and fifty were sold."""
    on_hand, held, committed = await drop.shop.stock()
    assert (on_hand, held + committed) == (50, 50), where
    await drop.shop.check_ledger()

    holds = await drop.sql("SELECT key, group_id::text, state, channel FROM hold WHERE brand_id = :brand")
    own = {row.key: row.group_id for row in holds if row.channel == "own"}
    assert own == drop.holds, where
    assert {row.state for row in holds} <= {"held", "committed"}, where
    paid = {row.group_id for row in holds if row.state == "committed"}
    assert paid == {*drop.orders.values()}, where

    claims = await drop.sql("SELECT hold_id::text, state FROM claim WHERE brand_id = :brand")
    won = [row.hold_id for row in claims if row.state == "held"]
    assert len(claims) == len(drop.comments) == COMMENTS, where
    assert {row.state for row in claims} <= {"held", "sold_out"}, where
    assert sorted(won) == sorted(row.group_id for row in holds if row.channel == "claim"), where

    orders = await drop.sql(
        "SELECT id::text, channel, external_id, state FROM orders WHERE brand_id = :brand"
    )
    assert {row.id for row in orders if row.channel == "own"} == drop.orders.keys(), where
    assert {row.state for row in orders if row.channel == "own"} <= {"paid"}, where
    for name, sold in drop.sold.items():
        assert sorted(row.external_id for row in orders if row.channel == name) == sorted(sold), where
    shops = Counter(row.state for row in orders if row.channel != "own")
    assert shops == Counter(paid=committed - len(paid), sold_out=shops["sold_out"]) + Counter(), where
    everybody = (
        len(holds) + shops["paid"] + shops["sold_out"] + (len(claims) - len(won)) + drop.refused.total()
    )
    assert everybody == OWN + COMMENTS + 2 * EACH_SHOP, where

    intents = (await drop.fakes["stripe"].state())["intents"]
    assert sum(one["captured"] for one in intents) == 4900 * len(drop.orders), where
