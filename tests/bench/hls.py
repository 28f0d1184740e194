"""How late a frame is listed, beside nginx-rtmp's HLS; what playlists and parts cost, beside Starlette and
nginx's files; what thousands of blocked players cost and how late they are, beside Starlette.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import httpx

from restream.api import LiveSpec
from restream.client import WorkerClient
from tests.bench import hls_crowd, media
from tests.bench.hls_crowd import SERVERS_CORE, on_core
from tests.bench.publisher import Publisher
from tests.bench.rows import (
    CannotMeasure,
    Row,
    cpu_seconds,
    free_port,
    listening,
    median,
    needed,
    percentile,
    process,
    row,
)

TOKEN: Final = "bench"
KEY: Final = "bench-key"
FPS: Final = 30
OURS: Final = "ours"
NGINX: Final = "nginx-rtmp HLS, 1 s"
STARLETTE: Final = "Starlette responses"
FILES: Final = "nginx, files"
CROWDS: Final = (1000, 5000)
LATE_BAR_MS: Final = 15
RATE_BARS: Final = {"playlist": 15_000, "part": 8_000}
POLL: Final = 0.01
WARM_UP: Final = 6.0


@dataclass
class Edge:
    """How late each picture was listed (ms): the newest of each change, and the oldest."""

    newest: list[float] = field(default_factory=list)
    oldest: list[float] = field(default_factory=list)
    _listed: int = 0
    _segments: dict[int, float] = field(default_factory=dict)

    def see(self, playlist: str, sent: list[float]) -> None:
        """A playlist; `sent` has the wall time of each picture since the beginning."""
        pictures = self._pictures(playlist, sent)
        if pictures <= self._listed:
            return
        now = time.time()
        if self._listed:
            self.newest.append((now - sent[pictures - 1]) * 1000)
            self.oldest.append((now - sent[self._listed]) * 1000)
        self._listed = pictures

    def _pictures(self, playlist: str, sent: list[float]) -> int:
        """How many there were from the beginning to the end of a playlist."""
        if "#EXT-X-PROGRAM-DATE-TIME" in playlist:
            # By its dates: durations add up to more than the pictures, as the file lasts longer than they do.
            return bisect_left(sent, hls_crowd.end_of(playlist) - 0.5 / FPS)
        self._segments |= segments_of(playlist)  # nginx-rtmp tells no dates; it has no parts either
        return min(round(sum(self._segments.values()) * FPS), len(sent))


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of windows, rows)."""
    windows, seconds = (1, 5.0) if quick else (3, 10.0)
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder, ExitStack() as stack:
        found = asyncio.run(Stage(Path(folder), stack).measure(windows, seconds))
    return windows, found


class Stage:
    """Our worker, nginx-rtmp and a Starlette server, with one publisher for both origins."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._rtmp, self._media, self._control = (free_port() for _ in range(3))
        self._peer_rtmp, self._peer_http, self._starlette = (free_port() for _ in range(3))

    async def measure(self, windows: int, seconds: float) -> list[Row]:
        """First how late, then how dear."""
        file = await asyncio.to_thread(media.sample, self._folder)
        worker = self._start_ours()
        files = self._start_nginx()
        await self._ask()
        addresses = [f"rtmp://127.0.0.1:{port}/live/{KEY}" for port in (self._rtmp, self._peer_rtmp)]
        publisher = Publisher(file, addresses)
        publishing = asyncio.create_task(publisher.run())
        try:
            rows = await self._lateness(publisher, windows * seconds)
            await self._save_samples()
            argv = [sys.executable, "-m", "tests.bench.hls_peer", str(self._starlette), str(self._folder)]
            peer = self._stack.enter_context(process(on_core(SERVERS_CORE, argv)))
            listening(self._starlette, "The Starlette server")
            pids = {OURS: worker.pid, STARLETTE: peer.pid, FILES: files.pid}
            for what in RATE_BARS:
                rows.append(await self._cost(what, pids, windows, seconds / 2))
            for count in CROWDS:
                rows += await self._crowd(count, pids, seconds)
        finally:
            publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publishing
        return rows

    def _start_ours(self) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "SIMULCAST_MEDIA_TOKEN": TOKEN,
            "SIMULCAST_DATA": str(self._folder / "ours"),
            "SIMULCAST_RTMP_PORT": str(self._rtmp),
            "SIMULCAST_RTMPS_PORT": str(free_port()),
            "SIMULCAST_SRT_PORT": str(free_port()),
            "SIMULCAST_MEDIA_PORT": str(self._media),
            "SIMULCAST_MEDIA_CONTROL_PORT": str(self._control),
            "SIMULCAST_LOG_LEVEL": "ERROR",
        }
        argv = on_core(SERVERS_CORE, [sys.executable, "-m", "restream"])
        worker = self._stack.enter_context(process(argv, env=env))
        listening(self._control, "The media worker")
        return worker

    def _start_nginx(self) -> subprocess.Popen[bytes]:
        (self._folder / "hls").mkdir()
        rtmp = (
            f"server {{ listen {self._peer_rtmp}; application live {{ live on; hls on; "
            f"hls_path {self._folder}/hls; hls_fragment 1s; hls_playlist_length 60s; }} }}"
        )
        http = f"server {{ listen 127.0.0.1:{self._peer_http}; root {self._folder}; }}"
        argv = media.nginx(self._folder, "peer", rtmp, http)
        nginx = self._stack.enter_context(process(on_core(SERVERS_CORE, argv)))
        listening(self._peer_rtmp, "nginx-rtmp")
        return nginx

    async def _ask(self) -> None:
        client = WorkerClient(f"http://127.0.0.1:{self._control}", TOKEN)
        hashed = hashlib.sha256(KEY.encode()).hexdigest()
        await client.put(LiveSpec(slug="bench", version=1, key_hashes=[hashed]))
        await client.close()

    async def _lateness(self, publisher: Publisher, seconds: float) -> list[Row]:
        ours, peer = Edge(), Edge()
        async with httpx.AsyncClient(timeout=10) as http:
            following = [
                asyncio.create_task(forever(lambda: self._see_ours(http, ours, publisher.sent))),
                asyncio.create_task(forever(lambda: self._see_peer(http, peer, publisher.sent))),
            ]
            await asyncio.sleep(WARM_UP + seconds)
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        if not ours.newest or not peer.newest:
            raise CannotMeasure("One of the origins listed no media.")
        case = "1080p30 at 5 Mbit/s, 333 ms parts"
        newest = percentile(ours.newest, 95)
        rows = [
            row(
                case,
                "newest frame sent to listed, p95",
                "ms",
                newest,
                {NGINX: percentile(peer.newest, 95)},
                bar=f"<= {LATE_BAR_MS}",
                ok=newest <= LATE_BAR_MS,
            )
        ]
        oldest, theirs = median(ours.oldest), median(peer.oldest)
        rows.append(
            row(
                case,
                "oldest frame sent to listed, median",
                "ms",
                oldest,
                {NGINX: theirs},
                bar="below the peer",
                ok=oldest < theirs,
            )
        )
        return rows

    async def _see_ours(self, http: httpx.AsyncClient, edge: Edge, sent: list[float]) -> None:
        """One blocking reload, or a plain one as long as nothing is listed."""
        base = await self._address(http)
        text = ""
        while True:
            answer = await http.get(base + wanted(text))
            if answer.status_code != 200:
                text = ""
                await asyncio.sleep(POLL)
                continue
            text = answer.text
            edge.see(text, sent)

    async def _see_peer(self, http: httpx.AsyncClient, edge: Edge, sent: list[float]) -> None:
        answer = await http.get(f"http://127.0.0.1:{self._peer_http}/hls/{KEY}.m3u8")
        if answer.status_code == 200:
            edge.see(answer.text, sent)
        await asyncio.sleep(POLL)

    async def _address(self, http: httpx.AsyncClient) -> str:
        """Our media playlist, as soon as the multivariant one names it."""
        index = f"http://127.0.0.1:{self._media}/live/bench/index.m3u8"
        while (answer := await http.get(index)).status_code != 200:
            await asyncio.sleep(POLL)
        return urljoin(index, next(line for line in answer.text.splitlines() if line[:1] not in ("#", "")))

    async def _save_samples(self) -> None:
        """The same bytes for the peers: a playlist, and a part of about 200 kB."""
        async with httpx.AsyncClient(timeout=30) as http:
            base = await self._address(http)
            playlist = (await http.get(base)).text
            part = (await http.get(urljoin(base, part_of(playlist)))).content
        (self._folder / "playlist").write_text(playlist)
        (self._folder / "part").write_bytes(part)

    async def _cost(self, what: str, pids: dict[str, int], windows: int, seconds: float) -> Row:
        """Requests for each second of CPU time the server used; ours carries the show meanwhile."""
        rates: dict[str, list[float]] = {name: [] for name in pids}
        for _ in range(windows):
            async with httpx.AsyncClient(timeout=30) as http:
                playlist = await self._address(http)
                fresh = urljoin(playlist, part_of((await http.get(playlist)).text))
            addresses = {
                OURS: {"playlist": playlist, "part": fresh}[what],
                STARLETTE: f"http://127.0.0.1:{self._starlette}/{what}",
                FILES: f"http://127.0.0.1:{self._peer_http}/{what}",
            }
            for name, address in addresses.items():
                before = cpu_seconds(pids[name])
                requests = await load(address, seconds)
                rates[name].append(requests / (cpu_seconds(pids[name]) - before))
        mine, bar = median(rates.pop(OURS)), RATE_BARS[what]
        return row(
            f"{what}, 64 connections",
            "requests per CPU second",
            "1/s",
            mine,
            {name: median(values) for name, values in rates.items()},
            bar=f">= {bar}",
            ok=mine >= bar,
        )

    async def _crowd(self, count: int, pids: dict[str, int], seconds: float) -> list[Row]:
        """A crowd at our worker, then the same at the Starlette server."""

        async with httpx.AsyncClient(timeout=30) as http:
            ours = await self._address(http)
        theirs = f"http://127.0.0.1:{self._starlette}/blocking"
        return hls_crowd.rows(
            await hls_crowd.watch(ours, count, seconds, pids[OURS], self._folder, hls_crowd.end_of),
            await hls_crowd.watch(theirs, count, seconds, pids[STARLETTE], self._folder, hls_crowd.rung),
            STARLETTE,
        )


async def forever(step: Callable[[], Awaitable[None]]) -> None:
    """Again and again, until cancelled."""
    while True:
        await step()


async def load(address: str, seconds: float) -> int:
    """How many requests were answered with 200 in that time."""
    argv = [
        *on_core(hls_crowd.VIEWERS_CORE, []),
        needed("wrk", "wrk"),
        "-t1",
        "-c64",
        f"-d{max(1, round(seconds))}s",
        address,
    ]
    done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout:
        raise CannotMeasure(f"{address} did not answer with 200.")
    return int(re.findall(r"(\d+) requests in", done.stdout)[0])


def segments_of(playlist: str) -> dict[int, float]:
    """Seconds of each finished segment, by media sequence number."""
    first = int(re.findall(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", playlist)[0])
    durations = re.findall(r"#EXTINF:([\d.]+)", playlist)
    return {first + index: float(seconds) for index, seconds in enumerate(durations)}


def wanted(playlist: str) -> str:
    """The directives that ask for what comes next."""
    hint = re.findall(r'PRELOAD-HINT:TYPE=PART,URI="s(\d+)\.(\d+)\.m4s"', playlist)
    return f"?_HLS_msn={hint[0][0]}&_HLS_part={hint[0][1]}" if hint else ""


def part_of(playlist: str) -> str:
    """A part that is listed."""
    return str(re.findall(r'#EXT-X-PART:[^\n]*URI="([^"]+)"', playlist)[-1])
