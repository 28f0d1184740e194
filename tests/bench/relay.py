"""What one more destination costs: our worker beside nginx-rtmp and beside an ffmpeg for each destination.

All three relay the same 1080p30 feed at about 5 Mbit/s at the same time into nginx-rtmp as the sink; the
CPU time of the relay alone is counted, over the same windows.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from restream.api import LiveSpec, LiveStatus, TargetSpec
from restream.client import WorkerClient, WorkerUnreachable
from tests.bench import media
from tests.bench.rows import (
    CannotMeasure,
    Row,
    cpu_seconds,
    free_port,
    listening,
    median,
    process,
    resident_mib,
    row,
)

TOKEN: Final = "bench"
KEY: Final = "bench-key"
NGINX: Final = "nginx-rtmp"
FFMPEG: Final = "ffmpeg for each"
NGINX_BARS: Final = {5: 2.5, 20: 1.6}
FFMPEG_BAR: Final = 0.25
MEMORY_BAR_MIB: Final = 80
SETTLE: Final = 4.0


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of windows, rows)."""
    windows, seconds = (1, 4.0) if quick else (3, 8.0)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder:
        file = media.sample(Path(folder))
        for count in NGINX_BARS:
            with_ffmpeg = count == max(NGINX_BARS)
            rows += Setting(Path(folder), file, count, with_ffmpeg=with_ffmpeg).measure(windows, seconds)
    return windows, rows


class Setting:
    """The three relays, their encoders and the sink, for one number of destinations."""

    def __init__(self, folder: Path, file: Path, count: int, *, with_ffmpeg: bool) -> None:
        self._folder = folder
        self._file = file
        self._count = count
        self._with_ffmpeg = with_ffmpeg
        self._sink, self._peer, self._rtmp, self._control = (free_port() for _ in range(4))

    def measure(self, windows: int, seconds: float) -> list[Row]:
        """Everything up, then CPU per second of each relay in each window."""
        with ExitStack() as stack:
            sink = f"server {{ listen {self._sink}; chunk_size 60000; application sink {{ live on; }} }}"
            stack.enter_context(process(media.nginx(self._folder, f"sink{self._count}", sink)))
            listening(self._sink, "The sink")
            relays = {"ours": self._start_ours(stack), NGINX: self._start_nginx(stack)}
            copiers = self._start_copiers(stack) if self._with_ffmpeg else []
            asyncio.run(self._until_live())
            time.sleep(SETTLE)
            spent: dict[str, list[float]] = {name: [] for name in relays}
            if copiers:
                spent[FFMPEG] = []
            for _ in range(windows):
                before = {name: cpu_seconds(one.pid) for name, one in relays.items()}
                copied = sum(cpu_seconds(one.pid) for one in copiers)
                time.sleep(seconds)
                for name, one in relays.items():
                    spent[name].append((cpu_seconds(one.pid) - before[name]) / seconds * 1000)
                if copiers:
                    now = sum(cpu_seconds(one.pid) for one in copiers)
                    spent[FFMPEG].append((now - copied) / seconds * 1000)
            memory = resident_mib(relays["ours"].pid)
        return self._rows({name: median(values) for name, values in spent.items()}, memory)

    def _rows(self, spent: dict[str, float], memory: float) -> list[Row]:
        case = f"{self._count} destinations, 1080p30 at 5 Mbit/s"
        ours, unit = spent.pop("ours"), "ms CPU/s"
        nginx = {NGINX: spent.pop(NGINX)}
        bar = NGINX_BARS[self._count]
        rows = [row(case, "CPU", unit, ours, nginx, bar=f"<= {bar} x {NGINX}", ok=ours <= bar * nginx[NGINX])]
        if spent:
            within = ours <= FFMPEG_BAR * spent[FFMPEG]
            rows.append(row(case, "CPU", unit, ours, spent, bar=f"<= {FFMPEG_BAR} x ffmpeg", ok=within))
            memory_ok = memory <= MEMORY_BAR_MIB
            rows.append(row(case, "memory", "MiB", memory, {}, bar=f"<= {MEMORY_BAR_MIB} MiB", ok=memory_ok))
        return rows

    def _start_ours(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "SIMULCAST_MEDIA_TOKEN": TOKEN,
            "SIMULCAST_DATA": str(self._folder / "ours"),
            "SIMULCAST_RTMP_PORT": str(self._rtmp),
            "SIMULCAST_RTMPS_PORT": str(free_port()),
            "SIMULCAST_MEDIA_PORT": str(free_port()),
            "SIMULCAST_MEDIA_CONTROL_PORT": str(self._control),
            "SIMULCAST_LOG_LEVEL": "ERROR",
        }
        worker = stack.enter_context(process([sys.executable, "-m", "restream"], env=env))
        listening(self._control, "The media worker")
        asyncio.run(self._ask())
        stack.enter_context(process(media.encoder(self._file, f"rtmp://127.0.0.1:{self._rtmp}/live/{KEY}")))
        return worker

    async def _ask(self) -> None:
        client = WorkerClient(f"http://127.0.0.1:{self._control}", TOKEN)
        url = f"rtmp://127.0.0.1:{self._sink}/sink"
        targets = [
            TargetSpec(id=str(n), name=str(n), url=url, key=SecretStr(f"ours-{self._count}-{n}"))
            for n in range(self._count)
        ]
        hashed = hashlib.sha256(KEY.encode()).hexdigest()
        await client.put(LiveSpec(slug="bench", version=1, key_hashes=[hashed], targets=targets))
        await client.close()

    def _start_nginx(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        pushes = " ".join(
            f"push rtmp://127.0.0.1:{self._sink}/sink/nginx-{self._count}-{n};" for n in range(self._count)
        )
        relay = f"server {{ listen {self._peer}; application live {{ live on; {pushes} }} }}"
        peer = stack.enter_context(process(media.nginx(self._folder, f"peer{self._count}", relay)))
        listening(self._peer, "nginx-rtmp")
        stack.enter_context(process(media.encoder(self._file, f"rtmp://127.0.0.1:{self._peer}/live/{KEY}")))
        return peer

    def _start_copiers(self, stack: ExitStack) -> list[subprocess.Popen[bytes]]:
        """They pull from a server of their own, whose cost is not counted."""
        hub = free_port()
        source = f"server {{ listen {hub}; application live {{ live on; wait_key on; }} }}"
        stack.enter_context(process(media.nginx(self._folder, "hub", source)))
        listening(hub, "The copiers' source")
        address = f"rtmp://127.0.0.1:{hub}/live/{KEY}"
        stack.enter_context(process(media.encoder(self._file, address)))
        sink = f"rtmp://127.0.0.1:{self._sink}/sink"
        return [
            stack.enter_context(process(media.copier(address, f"{sink}/ffmpeg-{n}")))
            for n in range(self._count)
        ]

    async def _until_live(self) -> None:
        client = WorkerClient(f"http://127.0.0.1:{self._control}", TOKEN)
        try:
            async with asyncio.timeout(60):
                async for event in client.events():
                    if event.status and all_live(event.status):
                        return
        except (TimeoutError, WorkerUnreachable) as error:
            raise CannotMeasure(f"Our targets did not all go live ({type(error).__name__}).") from error
        finally:
            await client.close()


def all_live(status: LiveStatus) -> bool:
    """Whether every target's far end takes the feed."""
    return all(target.state == "live" for target in status.targets)
