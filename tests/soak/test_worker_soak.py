"""A media worker through an evening of trouble: its memory and its open files stay flat."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from restream.api import LiveSpec, TargetSpec
from restream.client import WorkerClient
from tests.bench.rows import free_port, resident_mib
from tests.restream.encoder import publishing
from tests.restream.hls.feed import Shape
from tests.restream.targets.servers import nginx
from tests.soak.worker import KEY, TOKEN, Ports, worker

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("SOAK_SECONDS", "1200"))
SAMPLE_EVERY = 2.0
ENCODER_STAYS = 15.0
MOST_GROWTH_MIB = 6.0
MOST_MORE_FILES = 8
"""Connections that happen to be open when a sample is taken come and go; a leak goes one way."""


@dataclass(frozen=True)
class Sample:
    """One look at the worker."""

    mib: float
    files: int


@asynccontextmanager
async def resetting() -> AsyncIterator[int]:
    """A far end that hangs up on everybody after a moment."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(4000)
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def over_and_over(step: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Until cancelled; a step that fails is what an evening is like."""
    while True:
        with contextlib.suppress(OSError, httpx.HTTPError, TimeoutError):
            await step()
        await asyncio.sleep(0.1)


def looked_at(pid: int) -> Sample:
    """Resident memory and open files."""
    return Sample(resident_mib(pid), len(list(Path(f"/proc/{pid}/fd").iterdir())))


@pytest.fixture
def ports() -> Ports:
    """Where the worker listens."""
    return Ports()


@pytest.fixture
def pid(tmp_path: Path, ports: Ports) -> Iterator[int]:
    """The worker."""
    with worker(tmp_path / "data", ports) as started:
        yield started


async def test_memory_and_open_files_stay_flat_over_an_evening_of_trouble(
    tmp_path: Path, pid: int, ports: Ports
) -> None:
    samples: list[Sample] = []
    async with nginx(tmp_path) as sink, resetting() as bad:
        good = f"rtmp://127.0.0.1:{sink}/live"
        targets = [TargetSpec(id=f"t{n}", name=f"t{n}", url=good, key=SecretStr(f"t{n}")) for n in range(5)]
        for name, port in (("reset", bad), ("nobody", free_port())):
            url = f"rtmp://127.0.0.1:{port}/live"
            targets.append(TargetSpec(id=name, name=name, url=url, key=SecretStr(name)))
        hashed = hashlib.sha256(KEY.encode()).hexdigest()
        spec = LiveSpec(slug="show", version=1, key_hashes=[hashed], targets=targets)
        client = WorkerClient(f"http://127.0.0.1:{ports.control}", TOKEN)
        await client.put(spec)

        async def encode() -> None:
            async with publishing(Shape(), ports.ingest, live=True):
                await asyncio.sleep(ENCODER_STAYS)

        async def intrude() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", ports.rtmp)
            writer.write(os.urandom(2000))
            await asyncio.sleep(0.2)
            writer.close()

        async def watch() -> None:
            async with httpx.AsyncClient(timeout=10) as http:
                index = f"http://127.0.0.1:{ports.media}/live/show/source/live.m3u8"
                for _ in range(20):
                    (await http.get(index)).raise_for_status()

        version = 1

        async def change() -> None:
            nonlocal version
            version += 1
            wanted = version % 2 == 0
            edited = [one.model_copy(update={"wanted": wanted or one.id != "t0"}) for one in targets]
            await client.put(spec.model_copy(update={"version": version, "targets": edited}))
            await asyncio.sleep(5)

        async with asyncio.TaskGroup() as group:
            trouble = [group.create_task(over_and_over(step)) for step in (encode, intrude, watch, change)]
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                await asyncio.sleep(SAMPLE_EVERY)
                samples.append(looked_at(pid))
            for task in trouble:
                task.cancel()
        await client.close()
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    growth = statistics.median(s.mib for s in late) - statistics.median(s.mib for s in early)
    more = statistics.median(s.files for s in late) - statistics.median(s.files for s in early)
    assert growth <= MOST_GROWTH_MIB, f"{growth:.1f} MiB more"
    assert more <= MOST_MORE_FILES, f"{more} more open files"
