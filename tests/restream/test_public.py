"""The media port as a whole: what is answered where, and who is asked first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from restream.api import LiveSpec
from restream.encode.encoders import Machine
from restream.hls.respond import Answer, Guard, Request, refusal
from restream.ingest.whip_door import Place, WhipDoor
from restream.journal import Journal
from restream.playback.doorkeeper import Doorkeeper
from restream.programme import House
from restream.public import Doors, MediaApp
from restream.replay.door import ReplayDoor
from restream.serving import serving
from restream.targets.target import Outfit
from restream.tls import client_context
from restream.webrtc.door import Terms, WhepDoor
from restream.worker import Worker

CLOSED = refusal(HTTPStatus.FORBIDDEN, "no-store", "This show is private.")


class Closed:
    """A guard that refuses one show and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def refusal(self, request: Request) -> Answer | None:
        """Guard."""
        self.asked.append(request.path)
        return CLOSED if request.path.startswith("/live/private/") else None


@asynccontextmanager
async def media_port(folder: Path, guard: Guard | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A worker with two shows that nobody publishes to."""
    outfit = Outfit(client_context(None), on_change=lambda status: None)
    worker = Worker(House(outfit, Journal(), Machine(), folder))
    for slug in ("open", "private"):
        await worker.put(LiveSpec(slug=slug, version=1, key_hashes=[]))
    guard = guard or Doorkeeper(worker.playback)
    whip, whep = WhipDoor(worker, Place("127.0.0.1", 0)), WhepDoor(worker.watched, Terms("127.0.0.1", 0, 1))
    app = MediaApp(worker, Doors(guard, whip, whep, ReplayDoor(worker.replays, guard)), SecretStr("x"))
    async with (
        serving(app, "127.0.0.1", 0, app.resolve) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
    ):
        yield http
    await worker.stop()


@pytest.mark.parametrize("usual", [{}, {"content-length": "0"}], ids=["fast", "asgi"])
async def test_both_ways_into_the_port_lead_to_the_same(tmp_path: Path, usual: dict[str, str]) -> None:
    guard = Closed()
    async with media_port(tmp_path, guard) as http:
        found = {
            path: (await http.get(path, headers=usual)).status_code
            for path in (
                "/live/open/index.m3u8",
                "/live/private/index.m3u8",
                "/live/nobody/index.m3u8",
                "/live/open/s1.0.m4s",
                "/live/open/whip",
                "/healthz",
                "/metrics",
                "/nothing",
                "/live/",
                "/live",
            )
        }
    assert found == {
        "/live/open/index.m3u8": 503,
        "/live/private/index.m3u8": 403,
        "/live/nobody/index.m3u8": 404,
        "/live/open/s1.0.m4s": 404,
        "/live/open/whip": 204,
        "/healthz": 200,
        "/metrics": 200,
        "/nothing": 404,
        "/live/": 404,
        "/live": 404,
    }
    assert "/live/open/index.m3u8" in guard.asked
    assert not any("/live/" not in path or path.endswith("/whip") for path in guard.asked)


async def test_without_a_guard_everything_is_open(tmp_path: Path) -> None:
    async with media_port(tmp_path) as http:
        assert (await http.get("/live/private/index.m3u8")).status_code == 503
