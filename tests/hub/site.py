"""The HTTP process for tests: a real server on a real socket, and people who use it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn

from hub.app import create_app
from hub.seed import seed_brand
from hub.settings import Settings

OWNER = "owner@example.com"


@asynccontextmanager
async def serving(settings: Settings, environ: dict[str, str]) -> AsyncIterator[str]:
    """The API's origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(settings, environ), log_level="warning", lifespan="on", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def no_authorities() -> ssl.SSLContext:
    """Nothing here speaks TLS, and reading the list of authorities takes longer than most tests."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Client:
    """One person's browser: cookies, JSON, and the status checked with every call."""

    def __init__(self, origin: str, token: str = "") -> None:
        headers = {"X-Requested-With": "simulcast"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self.http = httpx.AsyncClient(base_url=origin, headers=headers, timeout=20, verify=no_authorities())

    async def call(self, method: str, path: str, json: object = None, ok: int = 200) -> Any:
        response = await self.http.request(method, path, json=json)
        assert response.status_code == ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None


async def sign_in(settings: Settings, origin: str, brand: str = "Linnea") -> Client:
    """The owner of a fresh brand."""
    assert settings.database_url
    email = f"{brand.lower()}@example.com"
    password = await seed_brand(settings, email, brand, settings.database_url)
    client = Client(origin)
    await client.call("POST", "/api/v1/auth/session", {"email": email, "password": password})
    return client


async def watch(origin: str, slug: str) -> tuple[Client, Any]:
    """A viewer who opened the watch page, and the page's document."""
    client = Client(origin)
    page = await client.call("GET", f"/api/v1/public/shows/{slug}")
    client.http.headers["Authorization"] = f"Bearer {page['viewer_token']}"
    return client, page
