"""The receiver as a process of its own: asks its platform, decodes what comes, counts it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from restream.certificate import development_certificate
from restream.rtmp.address import parse
from restream.rtmp.client import PublishRejected, publish
from restream.serving import serving
from restream.tls import client_context
from tests.restream.test_worker import encoder, free_port

Sessions = list[dict[str, Any]]


class Platform:
    """Knows one key, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.app = Starlette(routes=[Route("/hook", self._hook, methods=["POST"])])

    async def _hook(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.asked.append(body)
        return JSONResponse({}, 200 if body["key"] == "good?x=1" else 403)


@asynccontextmanager
async def receiver(*options: str) -> AsyncIterator[Callable[[Callable[[Sessions], bool]], Any]]:
    """A receiver process; yields how to wait for its status."""
    port = free_port()
    argv = [sys.executable, "-m", "restream.receiver", "--status-port", str(port), *options]
    process = await asyncio.create_subprocess_exec(*argv)

    async def until(true: Callable[[Sessions], bool]) -> Sessions:
        async with asyncio.timeout(30), httpx.AsyncClient() as http:
            while True:
                try:
                    sessions: Sessions = (await http.get(f"http://127.0.0.1:{port}/")).json()
                except httpx.TransportError:
                    sessions = []
                    await asyncio.sleep(0.05)
                    continue
                if true(sessions):
                    return sessions
                await asyncio.sleep(0.05)

    try:
        await until(lambda _: True)
        yield until
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_it_decodes_what_comes_and_tells_the_platform() -> None:
    platform, port = Platform(), free_port()
    async with (
        serving(platform.app, "127.0.0.1", 0) as hook,
        receiver("--rtmp-port", str(port), "--hook", f"http://127.0.0.1:{hook}/hook") as until,
    ):
        async with encoder(port, "good?x=1"):
            (session,) = await until(lambda found: bool(found) and found[0]["decoded_frames"] >= 30)
            assert session["connected"]
        (session,) = await until(lambda found: not found[0]["connected"])
        assert session["decode_errors"] == 0
        assert session["backwards"] == 0
        assert session["starts_with_keyframe"] is True
        assert session["audio_frames"] > 0
        assert session["app"] == "live"
        while len(platform.asked) < 2:
            await until(lambda _: True)
    assert [ask["event"] for ask in platform.asked] == ["publish", "done"]
    assert platform.asked[0]["key"] == "good?x=1"


async def test_a_key_the_platform_does_not_know_is_refused_over_tls_too(tmp_path: Path) -> None:
    certificate, key = development_certificate(tmp_path)
    platform, port = Platform(), free_port()
    async with serving(platform.app, "127.0.0.1", 0) as hook:
        options = ["--rtmps-port", str(port), "--hook", f"http://127.0.0.1:{hook}/hook"]
        options += ["--cert", str(certificate), "--cert-key", str(key)]
        async with receiver(*options) as until:
            context = client_context(certificate)
            address = parse(f"rtmps://127.0.0.1:{port}/app", "bad")
            with pytest.raises(PublishRejected) as refused:
                await publish(address, chunk_size=4096, context=context)
            assert refused.value.auth
            client = await publish(
                parse(f"rtmps://127.0.0.1:{port}/app", "good?x=1"), chunk_size=4096, context=context
            )
            (session,) = await until(lambda found: len(found) == 1)
            assert session["connected"]
            await client.close(polite=True)
            await until(lambda found: not found[0]["connected"])


async def test_a_platform_that_does_not_answer_lets_nobody_in() -> None:
    port = free_port()
    async with receiver("--rtmp-port", str(port), "--hook", f"http://127.0.0.1:{free_port()}/") as until:
        with pytest.raises(PublishRejected):
            await publish(parse(f"rtmp://127.0.0.1:{port}/app", "good?x=1"), chunk_size=4096)
        assert await until(lambda _: True) == []
