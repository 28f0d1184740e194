"""kill -9 of a media worker in mid-show: the next one carries on with every target."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pydantic import SecretStr

from restream.api import LiveSpec, LiveStatus, TargetSpec
from restream.client import WorkerClient, WorkerUnreachable
from restream.media import Frame, Kind
from tests.bench.rows import ROOT, free_port, listening
from tests.restream.encoder import publishing
from tests.restream.hls.feed import Shape, frames_of, stream
from tests.restream.targets.servers import nginx

BACK_SECONDS = 3.0
TOKEN = "token"
KEY = "stream-key"
TARGETS = 5
SHAPE = Shape(gop=30)
MEDIA_SECONDS = 3
"""Recorded after the new worker is up, to look at."""


class Worker:
    """A media worker as a process, always on the same ports."""

    def __init__(self, folder: Path) -> None:
        self.rtmp, self.control = free_port(), free_port()
        ports = {"RTMP": self.rtmp, "RTMPS": free_port(), "SRT": free_port(), "MEDIA": free_port()}
        self._env = os.environ | {f"SIMULCAST_{name}_PORT": str(port) for name, port in ports.items()}
        self._env |= {
            "SIMULCAST_MEDIA_TOKEN": TOKEN,
            "SIMULCAST_DATA": str(folder),
            "SIMULCAST_MEDIA_CONTROL_PORT": str(self.control),
        }
        self._log = folder.with_suffix(".log")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "restream"], cwd=ROOT, env=self._env, stdout=out, stderr=out
            )

    def start_again(self) -> None:
        """As its supervisor would."""
        self.process.wait(10)
        self.process = self._start()

    async def until_all_live(self) -> LiveStatus:
        """Its status, when every target is live."""
        client = WorkerClient(f"http://127.0.0.1:{self.control}", TOKEN)
        try:
            async with asyncio.timeout(30):
                async for event in client.events():
                    if event.status and all(target.state == "live" for target in event.status.targets):
                        return event.status
        finally:
            await client.close()
        raise AssertionError("the news ended")


async def tell_again_and_again(worker: Worker, spec: LiveSpec) -> None:
    """What the hub does: the whole wanted state to whatever worker answers."""
    client = WorkerClient(f"http://127.0.0.1:{worker.control}", TOKEN)
    try:
        while True:
            with contextlib.suppress(WorkerUnreachable):
                await client.put(spec)
            await asyncio.sleep(0.5)
    finally:
        await client.close()


async def encode_again_and_again(worker: Worker) -> None:
    """An encoder that connects anew when it was cut."""
    while True:
        address = f"rtmp://127.0.0.1:{worker.rtmp}/live/{KEY}"
        async with publishing(SHAPE, address, live=True) as encoder:
            await encoder.wait()
        await asyncio.sleep(0.3)


async def test_a_killed_worker_is_back_with_all_targets_within_three_seconds(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "data")
    async with nginx(tmp_path) as sink, asyncio.TaskGroup() as group:
        url = f"rtmp://127.0.0.1:{sink}/live"
        targets = [
            TargetSpec(id=str(n), name=str(n), url=url, key=SecretStr(f"t{n}")) for n in range(TARGETS)
        ]
        hashed = hashlib.sha256(KEY.encode()).hexdigest()
        # Without a slate: every frame at the far ends is then one that the encoder sent.
        spec = LiveSpec(slug="show", version=1, key_hashes=[hashed], targets=targets, slate=None)
        helpers = [
            group.create_task(tell_again_and_again(worker, spec)),
            group.create_task(encode_again_and_again(worker)),
        ]
        try:
            await asyncio.to_thread(listening, worker.control, "The worker")
            await worker.until_all_live()
            worker.process.send_signal(signal.SIGKILL)
            worker.start_again()
            await asyncio.to_thread(listening, worker.control, "The next worker")
            up = time.monotonic()
            status = await worker.until_all_live()
            took = time.monotonic() - up
            await asyncio.sleep(MEDIA_SECONDS)
        finally:
            for helper in helpers:
                helper.cancel()
            worker.process.terminate()
            await asyncio.to_thread(worker.process.wait, 15)
    assert len(status.targets) == TARGETS
    assert took <= BACK_SECONDS
    for name in range(TARGETS):
        whole(list(frames_of((tmp_path / f"t{name}.flv").read_bytes())))


def whole(received: list[Frame]) -> None:
    """What the far end recorded from the new worker is the encoder's own, from a keyframe on, no hole."""
    pictures = [frame for frame in received if frame.kind is Kind.VIDEO and not frame.header]
    assert pictures[0].keyframe
    assert len(pictures) >= MEDIA_SECONDS * 15
    sent = [frame.body for frame in stream(SHAPE) if frame.kind is Kind.VIDEO and not frame.header]
    first = sent.index(pictures[0].body)
    for number, picture in enumerate(pictures):
        assert picture.body == sent[(first + number) % len(sent)], number
    times = [picture.dts for picture in pictures]
    assert all(before < after for before, after in itertools.pairwise(times))
