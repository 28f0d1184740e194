"""The relays side by side, their encoders and the sink, for one number of destinations."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from restream.api import LiveSpec, LiveStatus, TargetSpec
from restream.certificate import development_certificate
from restream.client import WorkerClient, WorkerUnreachable
from tests.bench import media
from tests.bench.rows import (
    CannotMeasure,
    cpu_seconds,
    free_port,
    listening,
    median,
    process,
    resident_mib,
)

TOKEN: Final = "bench"
KEY: Final = "bench-key"
NGINX: Final = "nginx-rtmp"
FFMPEG: Final = "ffmpeg for each"
SETTLE: Final = 4.0


@dataclass(frozen=True)
class Case:
    """How many destinations, by RTMP or RTMPS, with or without our own player's packaging."""

    count: int
    secure: bool = False
    player: bool = False

    @property
    def words(self) -> str:
        """For the row."""
        protocol = "RTMPS" if self.secure else "RTMP"
        packaged = " and LL-HLS packaged (nginx: not)" if self.player else ""
        return f"{self.count} {protocol} destinations{packaged}, 1080p30 at 5 Mbit/s"

    @property
    def name(self) -> str:
        """For folders and stream keys."""
        return f"{self.count}{'s' if self.secure else ''}{'p' if self.player else ''}"


@dataclass(frozen=True)
class Spent:
    """By relay: milliseconds of CPU per second, and resident MiB."""

    cpu: Mapping[str, float]
    memory: Mapping[str, float]


class Setting:
    """`measure` starts everything, measures, and stops it."""

    def __init__(self, folder: Path, file: Path, case: Case, *, copiers: bool) -> None:
        self._folder = folder / case.name
        self._folder.mkdir()
        self._file = file
        self._case = case
        self._with_copiers = copiers
        self._sink, self._secure_sink, self._peer, self._rtmp, self._control = (free_port() for _ in range(5))
        self._certificate, self._key = development_certificate(self._folder / "certificate")

    def measure(self, windows: int, seconds: float) -> Spent:
        """Everything up, then CPU per second of each relay in each window."""
        with ExitStack() as stack:
            stack.enter_context(process(self._sink_argv()))
            listening(self._sink, "The sink")
            relays = {"ours": [self._start_ours(stack)]}
            if not self._case.secure:
                # It cannot push RTMPS.
                relays[NGINX] = [self._start_nginx(stack)]
            if self._with_copiers:
                relays[FFMPEG] = self._start_copiers(stack)
            asyncio.run(self._until_live())
            time.sleep(SETTLE)
            spent: dict[str, list[float]] = {name: [] for name in relays}
            for _ in range(windows):
                before = {name: used(group) for name, group in relays.items()}
                time.sleep(seconds)
                for name, group in relays.items():
                    spent[name].append((used(group) - before[name]) / seconds * 1000)
            memory = {name: sum(resident_mib(one.pid) for one in group) for name, group in relays.items()}
        return Spent({name: median(values) for name, values in spent.items()}, memory)

    def _sink_argv(self) -> list[str]:
        sink = f"server {{ listen {self._sink}; chunk_size 60000; application sink {{ live on; }} }}"
        if not self._case.secure:
            return media.nginx(self._folder, "sink", sink)
        tls = f"ssl_certificate {self._certificate}; ssl_certificate_key {self._key};"
        stream = f"server {{ listen {self._secure_sink} ssl; {tls} proxy_pass 127.0.0.1:{self._sink}; }}"
        return media.nginx(self._folder, "sink", sink, stream=stream)

    def _sink_address(self) -> str:
        if self._case.secure:
            return f"rtmps://127.0.0.1:{self._secure_sink}/sink"
        return f"rtmp://127.0.0.1:{self._sink}/sink"

    def _start_ours(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "SIMULCAST_MEDIA_TOKEN": TOKEN,
            "SIMULCAST_DATA": str(self._folder / "ours"),
            "SIMULCAST_RTMP_PORT": str(self._rtmp),
            "SIMULCAST_RTMPS_PORT": str(free_port()),
            "SIMULCAST_SRT_PORT": str(free_port()),
            "SIMULCAST_MEDIA_PORT": str(free_port()),
            "SIMULCAST_MEDIA_CONTROL_PORT": str(self._control),
            "SIMULCAST_MEDIA_CA_FILE": str(self._certificate),
            "SIMULCAST_LOG_LEVEL": "ERROR",
        }
        worker = stack.enter_context(process([sys.executable, "-m", "restream"], env=env))
        listening(self._control, "The media worker")
        asyncio.run(self._ask())
        stack.enter_context(process(media.encoder(self._file, f"rtmp://127.0.0.1:{self._rtmp}/live/{KEY}")))
        return worker

    async def _ask(self) -> None:
        client = WorkerClient(f"http://127.0.0.1:{self._control}", TOKEN)
        targets = [
            TargetSpec(id=str(n), name=str(n), url=self._sink_address(), key=SecretStr(f"ours-{n}"))
            for n in range(self._case.count)
        ]
        hashed = hashlib.sha256(KEY.encode()).hexdigest()
        spec = LiveSpec(
            slug="bench",
            version=1,
            key_hashes=[hashed],
            targets=targets,
            player=self._case.player,
            slate=None,
        )
        await client.put(spec)
        await client.close()

    def _start_nginx(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        pushes = " ".join(
            f"push rtmp://127.0.0.1:{self._sink}/sink/nginx-{n};" for n in range(self._case.count)
        )
        relay = f"server {{ listen {self._peer}; application live {{ live on; {pushes} }} }}"
        peer = stack.enter_context(process(media.nginx(self._folder, "peer", relay)))
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
        return [
            stack.enter_context(process(media.copier(address, f"{self._sink_address()}/ffmpeg-{n}")))
            for n in range(self._case.count)
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


def used(group: list[subprocess.Popen[bytes]]) -> float:
    """CPU seconds so far of all of them."""
    return sum(cpu_seconds(one.pid) for one in group)


def all_live(status: LiveStatus) -> bool:
    """Whether every target's far end takes the feed."""
    return all(target.state == "live" for target in status.targets)
