"""Every fake on a port of its own, and an RTMP(S) receiver for each that takes a stream."""

from __future__ import annotations

import asyncio
import importlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

import connectors
from hub.demo.http import Outside, Unexpected
from hub.engines.nats import free_port
from hub.engines.process import Child, run, start
from hub.engines.ready import ready
from hub.engines.supervisor import Service

PLATFORMS = {"youtube": "rtmps", "facebook": "rtmps", "twitch": "rtmp", "tiktok": "rtmp"}
"""Destinations of the demo, and how they are pushed to."""
SHOPS = ("tiktok_shop", "shopify", "stripe")
APPS = {"youtube": "live2", "facebook": "rtmp", "twitch": "app", "tiktok": "stage"}


@dataclass(frozen=True)
class Standing:
    """One fake: where it answers, and what a person would enter to link it."""

    name: str
    base_url: str
    ingest_url: str | None
    config: dict[str, Any]
    tokens: dict[str, Any] | None
    http: Outside

    async def control(self, what: str, body: dict[str, Any] | None = None, **how: Any) -> Any:
        """POST to one of its control endpoints."""
        return await self.http.call("POST", f"_ctl/{what}", body or {}, **how)

    async def state(self) -> Any:
        """What happened on this platform, by its own account."""
        return await self.http.call("GET", "_ctl/state")


class Server(uvicorn.Server):
    """Leaves Ctrl-C to the demo: a fake that took it would be all that stops."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


@asynccontextmanager
async def standing(receiver_ports: dict[str, int]) -> AsyncIterator[dict[str, Standing]]:
    """All fakes, running in this process."""
    servers: list[tuple[Server, asyncio.Task[None]]] = []
    fakes: dict[str, Standing] = {}
    try:
        for name in (*PLATFORMS, *SHOPS):
            ingest = ingest_address(name, receiver_ports)
            fake = importlib.import_module(f"connectors.{name}.fake").Fake(seed=0, ingest_url=ingest)
            # With the protocol named: asyncio leaves Nagle's 40 ms on for sockets that don't say TCP.
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            listener.bind(("127.0.0.1", 0))
            listener.listen(512)
            base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            fake.set_base_url(base_url)
            server = Server(
                uvicorn.Config(
                    fake.app, log_level="warning", timeout_graceful_shutdown=1, ws="websockets-sansio"
                )
            )
            servers.append(
                (server, asyncio.create_task(server.serve(sockets=[listener]), name=f"fake {name}"))
            )
            config, tokens = fake.connection()
            fakes[name] = Standing(name, base_url, ingest, config, revealed(tokens), Outside(base_url))
        yield fakes
    finally:
        for fake in fakes.values():
            await fake.http.__aexit__(None, None, None)
        for server, _ in servers:
            server.should_exit = True
        await asyncio.gather(*(task for _, task in servers), return_exceptions=True)


def revealed(tokens: Any) -> dict[str, Any] | None:
    """Tokens as a person would paste them."""
    if tokens is None:
        return None
    return {
        "access": tokens.access.get_secret_value(),
        "refresh": tokens.refresh.get_secret_value() if tokens.refresh else None,
        "expires_at": tokens.expires_at.isoformat() if tokens.expires_at else None,
    }


def ingest_address(name: str, ports: dict[str, int]) -> str | None:
    """Where a platform takes its stream, without the key."""
    if name not in PLATFORMS:
        return None
    return f"{PLATFORMS[name]}://127.0.0.1:{ports[name]}/{APPS[name]}"


def environment_for(fakes: dict[str, Standing]) -> dict[str, str]:
    """The settings that make the connectors talk to the fakes."""
    env = {}
    known = connectors.load()
    for name, fake in fakes.items():
        prefix = f"SIMULCAST_{name.upper()}"
        env[f"{prefix}_BASE_URL"] = fake.base_url
        push = known[name].addresses.ws_url or ""
        if push.startswith("wss:"):
            env[f"{prefix}_WS_URL"] = fake.base_url.replace("http://", "ws://") + "ws"
        elif push:  # pushed over plain HTTP (server-sent events)
            env[f"{prefix}_WS_URL"] = fake.base_url
        if page := known[name].addresses.consent_url:
            # The fake's page is where the platform's is, on the fake's host.
            where = urlsplit(fake.base_url)
            moved = urlsplit(page)._replace(scheme=where.scheme, netloc=where.netloc)
            env[f"{prefix}_CONSENT_URL"] = moved.geturl()
        if known[name].addresses.script_url:
            env[f"{prefix}_SCRIPT_URL"] = f"{fake.base_url}script.js"
        if fake.ingest_url:
            env[f"{prefix}_INGEST_URL"] = fake.ingest_url
    return env


async def make_certificate(folder: Path) -> tuple[Path, Path]:
    """For the receivers, so that pushes are verified even in the demo: (certificate file, key file)."""
    await run([sys.executable, "-m", "restream.certificate", str(folder)])
    return folder / "rtmps.pem", folder / "rtmps.key"


class Receivers:
    """One process per platform that receives, demuxes and decodes what we push."""

    def __init__(self, data: Path, certificate: tuple[Path, Path]) -> None:
        self._data = data
        self._certificate = certificate
        self.ports = {name: free_port() for name in PLATFORMS}
        self._status = {name: free_port() for name in PLATFORMS}

    def service(self, name: str, hook: str) -> Service:
        """The receiver of one platform; `hook` is asked whether a key may publish."""
        return Service(f"receiver {name}", lambda: self._start(name, hook))

    async def _start(self, name: str, hook: str) -> Child:
        certificate, key = self._certificate
        port_option = f"--{PLATFORMS[name]}-port"
        argv = [sys.executable, "-m", "restream.receiver", port_option, str(self.ports[name])]
        argv += ["--status-port", str(self._status[name]), "--hook", hook]
        argv += ["--cert", str(certificate), "--cert-key", str(key)]
        log = self._data / "logs" / f"receiver-{name}.log"
        return await ready(await start(f"receiver {name}", argv, log=log), self._address(name))

    async def received(self, name: str) -> list[dict[str, Any]]:
        """Every publish it has seen; empty while it is down."""
        async with Outside(self._address(name), patience=1) as http:
            try:
                sessions: list[dict[str, Any]] = await http.call("GET", "")
            except Unexpected:
                return []
            return sessions

    def _address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._status[name]}/"
