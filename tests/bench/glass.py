"""From glass to glass: how old a picture is when Chromium shows it, by the clock burned into it.

Camera and screen are left out; drawing, encoding, RTMP, our worker, loopback, the player and its decoder are
in. The player is the one brands embed; a page and a document of a few lines stand in for the hub. There is no
peer: other servers' low-latency HLS cannot be installed here, and the player reads no MPEG-TS.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from hub.demo import clock, pictures
from restream.api import LiveSpec
from restream.client import WorkerClient
from tests.bench import media
from tests.bench.glass_page import Site, chromium
from tests.bench.rows import CannotMeasure, Row, free_port, listening, median, percentile, process, row

TOKEN: Final = "bench"
KEY: Final = "bench-key"
SETTLE: Final = 8.0
READ_EVERY: Final = 0.1
FIRST_PICTURE: Final = 30.0
BARS_MS: Final = {200: 1200, 333: 1600, 500: 2200, 1000: 3600}
"""Median by length of parts: players stay three of them behind. S6 allows 3 s at the 95th percentile; parts
of a second, meant for slow ways there, cannot keep that."""
WHEP_BAR_MS: Final = 100
READ_CLOCK: Final = """
(clock) => {
  const video = document.querySelector('simulcast-player')?.shadowRoot?.querySelector('video');
  if (!video || !video.videoWidth) return null;
  const canvas = new OffscreenCanvas(video.videoWidth, 1);
  const scale = video.videoWidth / clock.width;
  const y = Math.floor((clock.top + clock.square / 2) * scale);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, y, video.videoWidth, 1, 0, 0, video.videoWidth, 1);
  const now = Date.now();
  const row = context.getImageData(0, 0, video.videoWidth, 1).data;
  const luma = [];
  for (let n = 0; n < clock.bits; n++) {
    const x = Math.floor((clock.left + (n + 0.5) * clock.square) * scale);
    luma.push(row[4 * x + 1]);
  }
  return {now, luma};
}
"""
CLOCK: Final = {
    "width": pictures.WIDTH,
    "top": clock.TOP,
    "left": clock.LEFT,
    "square": clock.SQUARE,
    "bits": clock.BITS,
}


@dataclass(frozen=True)
class Seen:
    """Milliseconds: until the first picture, and how old pictures were."""

    first: float
    ages: list[float]


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of runs, rows)."""
    runs, seconds = (1, 5.0) if quick else (3, 10.0)
    presets = [333] if quick else list(BARS_MS)
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder, ExitStack() as stack:
        stage = Stage(Path(folder), stack)
        stage.start(presets)
        rows = []
        for part_ms in presets:
            rows += rows_of(
                f"LL-HLS, {part_ms} ms parts",
                [stage.watch(stage.hls(part_ms), None, seconds) for _ in range(runs)],
                BARS_MS[part_ms],
            )
        whep = [stage.watch(None, stage.whep(presets[0]), seconds) for _ in range(runs)]
        rows += rows_of("WHEP", whep, WHEP_BAR_MS)
    return runs, rows


def rows_of(case: str, found: list[Seen], bar: int) -> list[Row]:
    """Median, 95th percentile and first picture of one way to watch."""
    ages = [age for seen in found for age in seen.ages]
    late = percentile(ages, 95)
    middle = median(ages)
    first = median([seen.first for seen in found])
    late_bar = max(3000, bar + 400)
    return [
        row(case, "glass to glass, median", "ms", middle, {}, bar=f"<= {bar}", ok=middle <= bar),
        row(case, "glass to glass, p95", "ms", late, {}, bar=f"<= {late_bar}", ok=late <= late_bar),
        row(case, "first picture", "ms", first, {}, bar="<= 2000", ok=first <= 2000),
    ]


class Stage:
    """One worker with a show for each preset, the demo's camera for all of them, and a browser."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._rtmp, self._media, self._control, self._webrtc = (free_port() for _ in range(4))
        self._site: Site | None = None

    def start(self, presets: list[int]) -> None:
        """Everything up and playable."""
        self._start_ours()
        for part_ms in presets:
            asyncio.run(self._ask(part_ms))
        pushes = [f"rtmp://127.0.0.1:{self._rtmp}/live/{KEY}-{part_ms}" for part_ms in presets]
        camera = pushes[0] if len(pushes) == 1 else self._copied(pushes)
        env = os.environ | {"SIMULCAST_DEMO_INGEST": camera}
        self._stack.enter_context(process([sys.executable, "-m", "hub.demo.encoder"], env=env))
        self._site = self._stack.enter_context(Site.serving())
        asyncio.run(self._until_playable(len(presets)))

    def hls(self, part_ms: int) -> str:
        """A show's LL-HLS address."""
        return f"http://127.0.0.1:{self._media}/live/glass-{part_ms}/index.m3u8"

    def whep(self, part_ms: int) -> str:
        """A show's WebRTC address."""
        return f"http://127.0.0.1:{self._media}/live/glass-{part_ms}/whep"

    def watch(self, hls: str | None, whep: str | None, seconds: float) -> Seen:
        """One viewer in a fresh browser, from the address to the last reading."""
        if self._site is None:
            raise CannotMeasure("Nothing was started.")
        self._site.show(hls, whep)
        with sync_playwright() as playwright, chromium(playwright) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            began = time.time()
            page.goto(self._site.address)
            first = (until_seen(page) - began) * 1000
            time.sleep(SETTLE)
            ages = []
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                age = age_ms(page)
                if age is not None:
                    ages.append(float(age))
                time.sleep(READ_EVERY)
        if not ages:
            raise CannotMeasure("The clock in the picture could not be read.")
        return Seen(first, ages)

    def _start_ours(self) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "SIMULCAST_MEDIA_TOKEN": TOKEN,
            "SIMULCAST_DATA": str(self._folder / "ours"),
            "SIMULCAST_RTMP_PORT": str(self._rtmp),
            "SIMULCAST_RTMPS_PORT": str(free_port()),
            "SIMULCAST_SRT_PORT": str(free_port()),
            "SIMULCAST_WEBRTC_PORT": str(self._webrtc),
            "SIMULCAST_MEDIA_PORT": str(self._media),
            "SIMULCAST_MEDIA_CONTROL_PORT": str(self._control),
            "SIMULCAST_LOG_LEVEL": "ERROR",
        }
        worker = self._stack.enter_context(process([sys.executable, "-m", "restream"], env=env))
        listening(self._control, "The media worker")
        return worker

    def _copied(self, pushes: list[str]) -> str:
        """Two cores can draw and encode one camera beside a browser: it is copied to everybody."""
        camera = free_port()
        copies = " ".join(f"push {address};" for address in pushes)
        relay = f"server {{ listen {camera}; application live {{ live on; {copies} }} }}"
        self._stack.enter_context(process(media.nginx(self._folder, "camera", relay)))
        listening(camera, "The copier")
        return f"rtmp://127.0.0.1:{camera}/live/camera"

    async def _ask(self, part_ms: int) -> None:
        client = WorkerClient(f"http://127.0.0.1:{self._control}", TOKEN)
        hashed = hashlib.sha256(f"{KEY}-{part_ms}".encode()).hexdigest()
        await client.put(LiveSpec(slug=f"glass-{part_ms}", version=1, key_hashes=[hashed], part_ms=part_ms))
        await client.close()

    async def _until_playable(self, count: int) -> None:
        client = WorkerClient(f"http://127.0.0.1:{self._control}", TOKEN)
        playable = set()
        try:
            async with asyncio.timeout(60):
                async for event in client.events():
                    if event.status and event.status.playable:
                        playable.add(event.slug)
                    if len(playable) == count:
                        return
        except TimeoutError as error:
            raise CannotMeasure("The shows did not become playable within a minute.") from error
        finally:
            await client.close()


def until_seen(page: Page) -> float:
    """The wall time at which the first picture with a clock was on the screen."""
    deadline = time.monotonic() + FIRST_PICTURE
    while time.monotonic() < deadline:
        if age_ms(page) is not None:
            return time.time()
        time.sleep(0.02)
    raise CannotMeasure("No picture came within half a minute.")


def age_ms(page: Page) -> int | None:
    """How old the picture on the screen is; None when its clock can't be read (between two pictures)."""
    seen = page.evaluate(READ_CLOCK, CLOCK)
    if seen is None:
        return None
    word = 0
    for luma in seen["luma"]:
        word = word << 1 | (luma > 125)
    low, total = word >> 8, word & 0xFF
    if sum(low.to_bytes(4, "big")) & 0xFF != total:
        return None
    return clock.delay_ms(low, seen["now"])
