"""Ten minutes of one show in every player there is, without a stall; and what a viewer sees of accidents.

Chromium and Firefox ESR with our player (by LL-HLS and by WebRTC), with hls.js, Shaka Player and Video.js as
they come from npm, and ffmpeg. The page of each player looks four times a second whether the picture moves.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import imageio_ffmpeg
import pytest

from restream.api import LadderSpec, LiveSpec, WhepSpec
from restream.client import WorkerClient
from tests.bench.rows import ROOT, process
from tests.restream.encoder import publishing
from tests.restream.hls.feed import Shape
from tests.soak.players.site import HERE, Site, serving
from tests.soak.worker import KEY, TOKEN, Ports, worker

pytestmark = pytest.mark.soak

SECONDS: Final = float(os.environ.get("SOAK_SECONDS", "600"))
SHAPE: Final = Shape(size="640x360", seconds=20.0, gop=30)
START_SECONDS: Final = 60.0
RECOVERY_SECONDS: Final = 20.0
AWAY_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 10.0
CHROMIUM_FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio"),
    *("--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"),
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
)
FIREFOX_PREFERENCES: Final = {
    "media.autoplay.default": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "dom.min_background_timeout_value": 4,
    "datareporting.policy.dataSubmissionEnabled": False,
    "browser.shell.checkDefaultBrowser": False,
}
HARMLESS: Final = ("whep_unplayable", "error 1001")
"""Firefox takes H.264 by WebRTC only with a plug-in it downloads; our player then stays with LL-HLS.
Shaka Player reports each hinted part that never comes, because its segment ended earlier."""
GROUPS: Final = {
    "ours": (("chromium", "ours"), ("firefox-esr", "ours")),
    "whep": (("chromium", "whep"), ("firefox-esr", "whep")),
    "shaka": (("chromium", "shaka"), ("firefox-esr", "shaka")),
    "videojs": (("chromium", "videojs"), ("firefox-esr", "videojs")),
    "hlsjs": (("chromium", "hlsjs"), ("firefox-esr", "hlsjs")),
}
"""Two at a time: two cores draw no more pictures than that."""


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Other people's players, fetched once."""
    if not (HERE / "node_modules").exists():
        npm = [sys.executable, str(ROOT / "scripts/npm.py"), "install", "--prefix", str(HERE)]
        subprocess.run([*npm, "--no-package-lock", "--no-audit", "--no-fund"], check=True, timeout=300)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@contextmanager
def browser(program: str, folder: Path, pages: list[str]) -> Iterator[None]:
    """A real browser with these pages open, each in a window of its own."""
    binary = shutil.which(program)
    if not binary:
        pytest.skip(f"{program} is missing. Run: apt-get install {program}")
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        if program == "chromium":
            for number, page in enumerate(pages):
                argv = [binary, *CHROMIUM_FLAGS, f"--user-data-dir={folder}/{number}", page]
                stack.enter_context(process(argv, log=folder / f"{number}.log"))
        for number, page in enumerate(pages if program != "chromium" else []):
            profile = folder / str(number)
            profile.mkdir()
            lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in FIREFOX_PREFERENCES.items()]
            (profile / "user.js").write_text("\n".join(lines))
            argv = [binary, "--headless", "--no-remote", "--profile", str(profile), page]
            stack.enter_context(process(argv, log=folder / f"{number}.log"))
        yield


async def wanted(ports: Ports, ladder: LadderSpec | None = None) -> None:
    """The worker is told of the show."""
    client = WorkerClient(f"http://127.0.0.1:{ports.control}", TOKEN)
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    spec = LiveSpec(slug="show", version=1, key_hashes=[hashed], whep=WhepSpec(), ladder=ladder)
    await client.put(spec)
    await client.close()


async def playable(ports: Ports) -> None:
    """Until there is something to see."""
    client = WorkerClient(f"http://127.0.0.1:{ports.control}", TOKEN)
    async with asyncio.timeout(START_SECONDS):
        async for event in client.events():
            if event.status and event.status.playable:
                break
    await client.close()


def page_of(site: Site, ports: Ports, program: str, engine: str) -> str:
    """The page of one player; our own learns its addresses from the document."""
    hls = f"http://127.0.0.1:{ports.media}/live/show/index.m3u8"
    slug = "by-webrtc" if engine == "whep" else "by-hls"
    site.show(slug, hls, f"http://127.0.0.1:{ports.media}/live/show/whep" if engine == "whep" else None)
    query = {
        "engine": "ours" if engine == "whep" else engine,
        "name": f"{program}/{engine}",
        "address": hls,
        "show": slug,
    }
    return f"{site.address}?{urlencode(query)}"


async def until(site: Site, true: Callable[[], object], seconds: float) -> None:
    """Wait until something is true of what processes and browsers do."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, json.dumps(site.told)
        await asyncio.sleep(0.25)


def playing(site: Site, names: list[str]) -> bool:
    """Whether the picture moves in all of them right now."""
    told = [site.told.get(name) for name in names]
    return all(one and one["first_ms"] is not None and one["still_ms"] < 1000 for one in told)


@asynccontextmanager
async def ffmpeg_watching(address: str) -> AsyncIterator[list[int]]:
    """ffmpeg decodes the show; the list gets its frame count in the end."""
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-progress", "pipe:1"]
    argv += ["-loglevel", "fatal", "-i", address, "-map", "0:v:0", "-map", "0:a:0", "-f", "null", "-"]
    child = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    counted: list[int] = []
    try:
        yield counted
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGINT)
        out, said = await child.communicate()
        counted += [int(line[6:]) for line in out.decode().splitlines() if line.startswith("frame=")][-1:]
        assert not said, said.decode()[:2000]


@pytest.mark.parametrize("group", list(GROUPS))
async def test_every_player_plays_ten_minutes_without_a_stall(tmp_path: Path, site: Site, group: str) -> None:
    ports, players = Ports(), GROUPS[group]
    names = [f"{program}/{engine}" for program, engine in players]
    address = f"http://127.0.0.1:{ports.media}/live/show/index.m3u8"
    with worker(tmp_path / "data", ports), ExitStack() as stack:
        await wanted(ports)
        async with publishing(SHAPE, ports.ingest, live=True):
            await playable(ports)
            await asyncio.sleep(SETTLE_SECONDS)  # Shaka Player fails on a show of less than two segments
            for program, engine in players:
                page = page_of(site, ports, program, engine)
                stack.enter_context(browser(program, tmp_path / program, [page]))
            await until(site, lambda: len(site.told) == len(names), START_SECONDS)
            await until(site, lambda: playing(site, names), START_SECONDS)
            await asyncio.sleep(SETTLE_SECONDS)
            began = {name: dict(site.told[name]) for name in names}
            async with ffmpeg_watching(address) as frames:
                await asyncio.sleep(SECONDS)
            ended = {name: dict(site.told[name]) for name in names}
    report = [{"began": began[name], "ended": ended[name]} for name in names]
    print(json.dumps(report))
    assert frames[0] >= 0.97 * 30 * SECONDS, frames
    for name in names:
        assert ended[name]["stalls"] == began[name]["stalls"], report
        assert ended[name]["watched_ms"] - began[name]["watched_ms"] >= 970 * SECONDS, report
        new = ended[name]["notes"][len(began[name]["notes"]) :]
        new = [one for one in new if not any(harmless in one for harmless in HARMLESS)]
        assert not new, report


async def test_players_come_back_after_accidents(tmp_path: Path, site: Site) -> None:
    """The worker is killed and started again, and the encoder leaves and comes back, under open pages."""
    ports = Ports()
    engines = ("ours", "whep")
    pages = [page_of(site, ports, "chromium", one) for one in engines]
    names = [f"chromium/{one}" for one in engines]
    with browser("chromium", tmp_path / "chromium", pages):
        with worker(tmp_path / "data", ports) as pid:
            await wanted(ports)
            async with publishing(SHAPE, ports.ingest, live=True):
                await playable(ports)
                await until(site, lambda: playing(site, names), START_SECONDS)
            # The encoder is away for longer than players keep pictures: the slate stands in for it.
            await asyncio.sleep(AWAY_SECONDS)
            assert playing(site, names)
            async with publishing(SHAPE, ports.ingest, live=True):
                await until(site, lambda: playing(site, names), RECOVERY_SECONDS)
                os.kill(pid, signal.SIGKILL)
                await until(site, lambda: not playing(site, names), START_SECONDS)
        with worker(tmp_path / "data", ports):
            await wanted(ports)
            async with publishing(SHAPE, ports.ingest, live=True):
                await until(site, lambda: playing(site, names), RECOVERY_SECONDS + START_SECONDS)
    for name in names:
        print(json.dumps(site.told[name]))
