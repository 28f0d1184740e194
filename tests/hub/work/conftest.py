"""A whole hub without its media worker: API and work process, with fakes of the platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from hub.demo.fakes import Standing, environment_for
from hub.settings import Settings
from hub.work.app import run_work
from tests.hub.platforms import link, standing_fakes
from tests.hub.site import Client, serving, sign_in


@dataclass
class Evening:
    """A running hub with a planned show."""

    origin: str
    owner: Client
    fakes: dict[str, Standing]
    connections: dict[str, str]
    show_id: str
    variant_id: str
    settings: Settings
    environ: dict[str, str]

    async def snapshot(self) -> Any:
        return await self.owner.call("GET", f"/api/v1/shows/{self.show_id}")

    async def go_live(self) -> None:
        await self.owner.call("POST", f"/api/v1/shows/{self.show_id}/start", ok=202)

    async def target(self, name: str) -> Any:
        return next(t for t in (await self.snapshot())["targets"] if t["connector"] == name)

    async def words(self) -> list[tuple[str, str]]:
        return [(m["platform"], m["text"]) for m in (await self.snapshot())["messages"]]


Begin = Callable[..., Awaitable[Evening]]

BAG = {"sku": "BAG-RED", "title": "", "price_minor": 4900, "currency": "EUR"}


@pytest.fixture
async def begin(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Begin]:
    """`await begin("youtube", "shopify", on_hand=50)` starts everything."""
    async with AsyncExitStack() as stack:

        async def start(*names: str, on_hand: int = 50, work: bool = True) -> Evening:
            fakes = await stack.enter_async_context(standing_fakes(*names))
            settings = Settings(
                data=tmp_path,
                database_url=database_url,
                nats_url=nats_url,
                secret_key=SecretStr("a test's own secret key"),
                media_token=SecretStr("a test's own media token"),
                media_control_port=9,
                _env_file=None,
            )
            environ = environment_for(fakes)
            # Facebook's push address is HTTP, and by default the fake's own.
            environ.pop("SIMULCAST_FACEBOOK_WS_URL", None)
            origin = await stack.enter_async_context(serving(settings, environ))
            owner = await sign_in(settings, origin)
            evening = await open_evening(settings, environ, (origin, owner, fakes, on_hand))
            if work:
                working = asyncio.create_task(run_work(settings, environ))
                stack.push_async_callback(stop, working)
            return evening

        yield start


async def stop(work: asyncio.Task[None]) -> None:
    """The work process, cleanly."""
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def open_evening(
    settings: Settings,
    environ: dict[str, str],
    made: tuple[str, Client, dict[str, Standing], int],
) -> Evening:
    """Products, accounts, show."""
    origin, owner, fakes, on_hand = made
    variants = [{**BAG, "on_hand": on_hand}]
    product = await owner.call("POST", "/api/v1/products", {"title": "Bag", "variants": variants}, ok=201)
    connections = {name: await link(owner, fake) for name, fake in fakes.items()}
    plan = {
        "title": "Evening",
        "slug": "evening",
        "product_ids": [product["id"]],
        "target_connection_ids": [
            connections[name] for name in ("youtube", "facebook", "twitch", "tiktok") if name in connections
        ],
    }
    show = await owner.call("POST", "/api/v1/shows", plan, ok=201)
    variant = product["variants"][0]["id"]
    return Evening(origin, owner, fakes, connections, show["id"], variant, settings, environ)
