"""Which of Twitch's servers to send to: the one a person named, or the one that answers first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.errors import ConnectorError
from connectors.http import Http
from connectors.twitch.api import INGEST, INGESTS, understood

NEAREST = 5
"""Servers that are tried: Twitch lists the nearest first, as far as it can tell from our address."""
PATIENCE = 1.0
"""Seconds for a connection; whoever needs longer is not near."""
ALIKE = 0.01
"""Seconds that don't matter. Within them Twitch's own order decides, so that the choice stays the same."""
KEY = "/{stream_key}"
PORTS = {"rtmp": 1935, "rtmps": 443}


@dataclass(frozen=True)
class Server:
    """One of Twitch's servers; `url` has no key in it."""

    name: str
    url: str


async def server_for(http: Http, name: str) -> str:
    """The address to push to. Never fails: without a list it is Twitch's own choice of a server.

    The hub keeps the address with the target, so this is asked once for each show.
    """
    try:
        servers = await servers_of(http)
    except ConnectorError:
        return INGEST
    for server in servers:
        if name and server.name.casefold() == name.strip().casefold():
            return server.url
    times = await asyncio.gather(*(connect_time(server.url) for server in servers[:NEAREST]))
    return nearest(servers, times) or INGEST


async def servers_of(http: Http) -> list[Server]:
    """Twitch's list, nearest first."""
    base = urlsplit(http.base_url)
    address = INGESTS if base.hostname == "api.twitch.tv" else f"{http.base_url.rstrip('/')}/ingests"
    response = await http.request("GET", address, login=False)
    with understood():
        found = [(int(raw.get("priority", 0)), server_of(raw)) for raw in response.json()["ingests"]]
    return [server for _, server in sorted(found, key=lambda each: each[0]) if server is not None]


def server_of(raw: dict[str, Any]) -> Server | None:
    """One entry of the list; None for one that is out of use or that we can't push to."""
    name = str(raw.get("name") or "")
    template = str(raw.get("url_template_secure") or raw.get("url_template") or "")
    url = template.removesuffix(KEY)
    known = url != template and urlsplit(url).scheme in PORTS and urlsplit(url).hostname
    if not known or "deprecated" in name.casefold() or raw.get("availability") == 0:
        return None
    return Server(name, url)


def nearest(servers: Sequence[Server], times: Sequence[float | None]) -> str | None:
    """The first in Twitch's order that is as quick as the quickest; None when nobody answered."""
    answered = [seconds for seconds in times if seconds is not None]
    for server, seconds in zip(servers, times, strict=False):
        if seconds is not None and seconds <= min(answered) + ALIKE:
            return server.url
    return None


async def connect_time(url: str, patience: float = PATIENCE) -> float | None:
    """Seconds until a TCP connection stands; None when it does not in time."""
    parts, loop = urlsplit(url), asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or PORTS[parts.scheme])
    except (OSError, TimeoutError):
        return None
    took = loop.time() - began
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return took
