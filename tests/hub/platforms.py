"""Fakes on real sockets for the hub's tests, and the settings that lead to them."""

from __future__ import annotations

import asyncio
import importlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette

from hub.demo.fakes import Standing, ingest_address, revealed
from hub.demo.http import Outside
from tests.hub.site import Client

NOWHERE = {"youtube": 9, "facebook": 9, "twitch": 9, "tiktok": 9}
"""Nobody pushes in these tests: the ingest's port is the discard port."""


@asynccontextmanager
async def platform(name: str) -> AsyncIterator[Standing]:
    """One fake."""
    async with platform_with(name) as (fake, _):
        yield fake


@asynccontextmanager
async def platform_with(name: str) -> AsyncIterator[tuple[Standing, Starlette]]:
    """One fake, and the application behind its socket."""
    ingest = ingest_address(name, NOWHERE)
    fake = importlib.import_module(f"connectors.{name}.fake").Fake(seed=1, ingest_url=ingest)
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    fake.set_base_url(base_url)
    config = uvicorn.Config(
        fake.app, log_level="warning", timeout_graceful_shutdown=1, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    settings, tokens = fake.connection()
    async with Outside(base_url) as http:
        yield Standing(name, base_url, ingest, settings, revealed(tokens), http), fake.app
    server.should_exit = True
    await task


@asynccontextmanager
async def standing_fakes(*names: str) -> AsyncIterator[dict[str, Standing]]:
    """Several fakes."""
    if not names:
        yield {}
        return
    async with platform(names[0]) as first, standing_fakes(*names[1:]) as rest:
        yield {names[0]: first, **rest}


async def link(owner: Client, fake: Standing) -> str:
    """Link the fake's account; the connection's id."""
    body: dict[str, Any] = {"connector": fake.name, "name": fake.name.title(), "config": fake.config}
    if fake.tokens:
        body["tokens"] = fake.tokens
    made = await owner.call("POST", "/api/v1/connections", body, ok=201)
    return str(made["id"])


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """Wait until `condition()` is true; its value."""
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
        return found
