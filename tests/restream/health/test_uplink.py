"""The upload test over real sockets, and what is advised."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from restream.health.uplink import Bounds, UploadTest, advise
from restream.serving import serving

TOKEN = "studio-token"


def steady(step: float) -> Iterator[float]:
    """A clock that goes on by `step` whenever it is looked at."""
    return itertools.count(0.0, step)


@asynccontextmanager
async def client(test: UploadTest) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(test, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
    ):
        yield http


def handler(bounds: Bounds | None = None, step: float | None = None) -> UploadTest:
    if step is None:
        return UploadTest(lambda token: token == TOKEN, bounds)
    ticks = steady(step)
    return UploadTest(lambda token: token == TOKEN, bounds, lambda: next(ticks))


async def body(pieces: int, size: int = 64 << 10) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        yield bytes(size)
        await asyncio.sleep(0)


async def test_an_upload_is_measured() -> None:
    async with client(handler()) as http:
        answer = await http.post("/uplink", params={"token": TOKEN}, content=body(64))
    found = answer.json()
    assert answer.status_code == 200
    assert 3 << 20 <= found["bytes"] <= 4 << 20
    assert found["mbps"] == pytest.approx(found["bytes"] * 8 / found["seconds"] / 1e6, rel=0.02)
    assert found["sentence"].startswith("Your upload is about")
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_the_rate_is_bytes_over_time() -> None:
    """Pieces as ASGI hands them over, a second apart: 500 kB each second is 4 Mbit/s."""
    pieces = iter([(b"x" * 500_000, True)] * 5 + [(b"x" * 500_000, False)])
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        content, more = next(pieces)
        return {"type": "http.request", "body": content, "more_body": more}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"authorization", b"Bearer studio-token")]}
    await handler(step=1.0)(scope, receive, send)
    assert b'"mbps": 4.0' in bytes(sent[1]["body"])  # type: ignore[call-overload]
    assert b'"enough": false' in bytes(sent[1]["body"])  # type: ignore[call-overload]
    assert b"1280x720" in bytes(sent[1]["body"])  # type: ignore[call-overload]


async def test_a_stranger_measures_nothing() -> None:
    async with client(handler()) as http:
        for headers in ({}, {"Authorization": "Bearer guess"}):
            assert (await http.post("/uplink", headers=headers, content=b"x")).status_code == 401
        assert (await http.get("/uplink")).status_code == 405
        allowed = (await http.options("/uplink")).headers["access-control-allow-methods"]
        assert "POST" in allowed


async def test_a_measurement_ends_at_its_bounds() -> None:
    bounds = Bounds(bytes=1 << 20)
    pieces = 0

    async def receive() -> dict[str, object]:
        nonlocal pieces
        pieces += 1
        return {"type": "http.request", "body": bytes(64 << 10), "more_body": True}

    async def send(message: object) -> None:
        pass

    scope = {"type": "http", "method": "POST", "headers": [], "query_string": b"token=studio-token"}
    await handler(bounds, step=0.01)(scope, receive, send)
    assert pieces == 17
    pieces = 0
    await handler(Bounds(seconds=5), step=1.0)(scope, receive, send)
    assert pieces == 6


async def test_only_a_few_measure_at_once() -> None:
    release = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield bytes(1000)
        await release.wait()
        yield bytes(128 << 10)

    test = handler(Bounds(at_once=1))
    known = {"Authorization": f"Bearer {TOKEN}"}
    async with client(test) as http:
        first = asyncio.create_task(http.post("/uplink", headers=known, content=slowly()))
        async with asyncio.timeout(20):
            while not test._running:
                await asyncio.sleep(0.01)
        assert (await http.post("/uplink", headers=known, content=b"x")).status_code == 503
        release.set()
        assert (await first).status_code == 200


async def test_a_drop_of_data_is_no_measurement() -> None:
    async with client(handler()) as http:
        answer = await http.post("/uplink", params={"token": TOKEN}, content=b"x" * 100)
    assert answer.status_code == 422


@pytest.mark.parametrize("mbps", [0.3, 2.0, 4.9])
def test_under_five_megabits_720p_is_proposed(mbps: float) -> None:
    sentence = advise(mbps)
    assert "1280x720" in sentence
    bitrate = int(sentence.split("Video Bitrate to ")[1].split()[0].replace(",", ""))
    assert 500 <= bitrate <= 3000
    assert bitrate <= max(500, mbps * 1000)


@pytest.mark.parametrize("mbps", [5.0, 9.9, 10.0, 200.0])
def test_from_five_megabits_on_1080p_is_fine(mbps: float) -> None:
    assert "enough for 1080p" in advise(mbps)
