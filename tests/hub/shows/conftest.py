"""A planned show with two platforms, a media worker that moves nothing, and somebody signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hub.app import services
from hub.demo.fakes import environment_for
from restream.api import LiveSpec, TargetSpec
from tests.hub.conftest import settings_for
from tests.hub.market import Market, MovableClock, Trade, trading
from tests.hub.platforms import standing_fakes
from tests.hub.shop import open_shop
from tests.hub.shows.places import PLACES
from tests.hub.site import Client
from tests.hub.worker import Worker, media_worker, status_of, target_status


@dataclass
class Studio:
    """What a test needs."""

    market: Market
    worker: Worker
    owner: Client
    show: str
    slug: str

    async def call(self, method: str, path: str, body: object = None, ok: int = 202) -> Any:
        return await self.owner.call(method, f"/api/v1/shows/{self.show}{path}", body, ok=ok)

    async def snapshot(self) -> Any:
        return await self.call("GET", "", ok=200)

    async def target(self, connector: str) -> Any:
        return next(t for t in (await self.snapshot())["targets"] if t["connector"] == connector)

    async def live(self) -> None:
        await self.call("POST", "/start")
        await self.market.work()

    async def there(self) -> list[Any]:
        """Every broadcast on the platforms of `places`, oldest first."""
        found: list[Any] = (await self.market.fakes["_template"].state())["broadcasts"]
        return found

    async def receive(self, connector: str) -> None:
        """Our push has reached the platform."""
        key = self.worker.keys(self.slug)[connector]
        await self.market.fakes[connector].control("ingest", {"event": "publish", "key": key})

    async def on_air(self, connector: str) -> None:
        """Pushed, received, and taken live."""
        await self.receive(connector)
        await self.says(connector, "live")
        await self.market.work()
        await self.market.later()

    async def says(self, connector: str, state: str, **more: Any) -> None:
        """The worker's word on one target."""
        target = await self.target(connector)
        status = target_status(target["id"], target["name"], state, **more)
        await self.market.hub.media.heard(self.worker.event(self.slug, "target.changed", target=status))

    async def stats(self, *targets: Any, **more: Any) -> None:
        """The worker's word on everything, as it comes once a second."""
        self.worker.targets = [*targets]
        status = status_of(self.spec).model_copy(update={"targets": [*targets], **more})
        await self.market.hub.media.heard(self.worker.event(self.slug, "live.stats", status=status))

    @property
    def spec(self) -> LiveSpec:
        """What the worker was told last."""
        return self.worker.specs[self.slug]

    def told(self, target_id: str) -> TargetSpec | None:
        """What it was told of one target."""
        return next((one for one in self.spec.targets if one.id == target_id), None)


@asynccontextmanager
async def studio_of(market: Market) -> AsyncIterator[Studio]:
    """A show planned through the API, and known to the worker."""
    async with media_worker() as worker:
        await market.hub.media.register()
        await market.sql("UPDATE media_worker SET address = :address", address=worker.address)
        owner = await market.owner()
        connector = market.hub.connections.connector
        places = [str(one) for name, one in market.connections.items() if connector(name).destination]
        plan = {
            "title": "Evening",
            "slug": "evening",
            "product_ids": [str(market.shop.product_id)] * 2,
            "target_connection_ids": places,
        }
        show = await owner.call("POST", "/api/v1/shows", plan, ok=201)
        await market.work()
        yield Studio(market, worker, owner, show["id"], "evening")


@pytest.fixture
async def studio(trade: Trade) -> AsyncIterator[Studio]:
    async with studio_of(await trade("youtube", "facebook")) as made:
        yield made


@pytest.fixture
async def staged(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Studio]:
    """The same with the two platforms of `places`, told apart by their accounts alone."""
    clock = MovableClock()
    async with standing_fakes("_template") as fakes:
        fake = fakes["_template"]
        environ = {f"SIMULCAST_{name.upper()}_BASE_URL": f"{fake.base_url}v1/" for name in PLACES}
        settings = settings_for(tmp_path, database_url, nats_url)
        async with services(settings, environ, clock, PLACES) as hub:
            shown = {name: replace(fake, name=name) for name in PLACES}
            async with trading(hub, await open_shop(hub), shown, clock) as market, studio_of(market) as made:
                yield made


@pytest.fixture
async def doubled(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Studio]:
    """The same with the addresses the platforms themselves give out: nothing stands in for their ingest."""
    clock = MovableClock()
    async with standing_fakes("youtube", "facebook") as fakes:
        environ = environment_for(fakes)
        for name in fakes:
            del environ[f"SIMULCAST_{name.upper()}_INGEST_URL"]
        settings = settings_for(tmp_path, database_url, nats_url)
        async with (
            services(settings, environ, clock) as hub,
            trading(hub, await open_shop(hub), fakes, clock) as market,
            studio_of(market) as made,
        ):
            yield made
