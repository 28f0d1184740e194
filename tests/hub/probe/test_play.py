"""A real Chromium plays; a stand-in for the player reports to the real hub as the contract says."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.engines.nats import free_port
from hub.probe.play import CannotProbe, Wish, run_probe
from tests.hub.market import Market, Trade

PLAYER = """
class Player extends HTMLElement {
  connectedCallback() {
    this.said = {
      schema: 1, session: crypto.randomUUID(), seq: 0, at_ms: 0, startup_ms: null, watched_ms: 0, stalls: 0,
      transport: this.getAttribute("mode") === "interactive" ? "whep" : "hls", stalled_ms: 0, height: 720,
      latency_ms: 500, dropped: 0, frames: 1, switches: 0, fallbacks: 0, errors: [], ended: false,
      kind: this.getAttribute("kind") ?? "viewer",
    };
    this.attachShadow({ mode: "open" }).innerHTML = "<video muted></video><p role=status>Playing live.</p>";
    void this.play();
    addEventListener("pagehide", () => this.report({ ended: true }));
  }
  async play() {
    await (await fetch("/bytes")).arrayBuffer();
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const context = canvas.getContext("2d");
    const draw = () => {
      const at = (Date.now() - 500) % 2 ** 32;
      const bytes = [at >>> 24, (at >>> 16) & 255, (at >>> 8) & 255, at & 255];
      const word = [...bytes, bytes.reduce((sum, one) => sum + one) & 255];
      word.forEach((byte, index) => {
        for (let bit = 0; bit < 8; bit++) {
          context.fillStyle = (byte >> (7 - bit)) & 1 ? "#fff" : "#000";
          context.fillRect(320 + (index * 8 + bit) * 16, 690, 16, 16);
        }
      });
    };
    draw();
    setInterval(draw, 33);
    const video = this.shadowRoot.querySelector("video");
    video.srcObject = canvas.captureStream(30);
    await video.play();
    this.begun = performance.now();
    this.report({ startup_ms: Math.round(this.begun) });
  }
  report(news) {
    const at = Math.round(performance.now());
    Object.assign(this.said, { at_ms: at, watched_ms: Math.max(0, at - Math.round(this.begun ?? at)) }, news);
    this.said.seq += 1;
    navigator.sendBeacon("BEACON", JSON.stringify(this.said));
  }
}
customElements.define("simulcast-player", Player);
"""
WITHOUT = "<!doctype html><title>A page</title><p>No player here.</p>"


@dataclass
class Site:
    """Where the stand-in is served; its reports go to the market's hub, on another origin."""

    origin: str
    market: Market

    async def stored(self) -> list[Any]:
        return await self.market.sql("SELECT * FROM playback_session")


@pytest.fixture
async def site(trade: Trade) -> AsyncIterator[Site]:
    market = await trade()
    beacon = f"{market.origin}/api/v1/public/shows/{market.shop.slug}/quality"

    async def script(_: Request) -> Response:
        return Response(PLAYER.replace("BEACON", beacon), media_type="text/javascript")

    async def some_bytes(_: Request) -> Response:
        return Response(bytes(60_000))

    async def page(_: Request) -> Response:
        return Response(WITHOUT, media_type="text/html")

    routes = [Route("/player.js", script), Route("/bytes", some_bytes), Route("/page", page)]
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", market)
    server.should_exit = True
    await task


@pytest.mark.e2e
async def test_a_probe_plays_and_its_report_is_stored_as_a_probes(site: Site) -> None:
    report = await run_probe(Wish(site.market.shop.slug, seconds=5, transport="hls"), site.origin)
    assert (report.transport, report.errors, report.reports) == ("hls", [], 2)
    assert report.startup_ms is not None
    assert report.watched_ms > 1_000
    assert report.glass
    assert 500 <= report.glass.median < 1_500  # the stand-in's clock is half a second late
    assert report.problems == [] or "first picture" in report.problems[0]  # on a very busy machine
    [row] = await site.stored()
    assert (row["kind"], row["ended"], row["device"]) == ("probe", True, "computer")
    assert str(row["session"]) == report.session
    owner = await site.market.owner()
    shown = await owner.call("GET", f"/api/v1/shows/{site.market.shop.show_id}/quality")
    assert [one["session"] for one in shown["probes"]] == [report.session]
    assert (shown["sessions"], shown["viewers"]["all"]) == (0, 0)


@pytest.mark.e2e
async def test_a_slow_line_is_slow(site: Site) -> None:
    """60 kB at 200 kbit/s take 2.4 s."""
    report = await run_probe(Wish(site.market.shop.slug, seconds=6, throttle_kbps=200), site.origin)
    assert report.startup_ms is not None
    assert report.startup_ms >= 2_000
    assert not report.ok
    assert any("The first picture took" in problem for problem in report.problems)


@pytest.mark.e2e
async def test_a_page_without_the_player_and_a_site_that_is_away_are_told_apart(site: Site) -> None:
    report = await run_probe(Wish(f"{site.origin}/page", seconds=1), site.origin)
    assert report.problems == ["There is no <simulcast-player> on this page. Check the address."]
    with pytest.raises(CannotProbe, match=r"answers 404\. Check the address"):
        await run_probe(Wish(f"{site.origin}/nowhere", seconds=1), site.origin)
    away = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CannotProbe, match=r"cannot be opened .* Is .* running"):
        await run_probe(Wish(f"{away}/watch/evening", seconds=1), away)
    with pytest.raises(CannotProbe, match="Give the show's slug"):
        await run_probe(Wish(f"{site.origin}/page", seconds=1, transport="whep"), site.origin)


def test_without_playwright_the_command_says_what_to_install(tmp_path: Path) -> None:
    missing = tmp_path / "playwright"
    missing.mkdir()
    (missing / "__init__.py").write_text("raise ModuleNotFoundError('no', name='playwright')")
    simulcast = Path(sys.executable).with_name("simulcast")
    done = subprocess.run(
        [simulcast, "probe", "evening"],
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "SIMULCAST_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install playwright" in done.stderr
    assert "apt install chromium" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
