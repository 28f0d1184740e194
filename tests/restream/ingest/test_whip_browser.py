"""A browser publishes its camera over WHIP: Chromium, with a camera that is only pretended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright
from starlette.requests import Request
from starlette.responses import HTMLResponse

from restream.ingest.rtc import open_port
from restream.ingest.whip import WhipApp
from restream.serving import serving
from tests.restream.ingest.studio import Keys, assert_in_order, decoded, flowing, until

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    "--allow-loopback-in-peer-connection",
)
KEY = "a-key"
PUBLISH = """
async key => {
    const media = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 360}});
    const peer = window.peer = new RTCPeerConnection();
    for (const track of media.getTracks()) peer.addTransceiver(track, {direction: "sendonly"});
    await peer.setLocalDescription();
    const answer = await fetch("/live/show/whip", {
        method: "POST",
        headers: {"content-type": "application/sdp", authorization: `Bearer ${key}`},
        body: peer.localDescription.sdp,
    });
    if (answer.status !== 201) return answer.status;
    await peer.setRemoteDescription({type: "answer", sdp: await answer.text()});
    return answer.status;
}
"""


@asynccontextmanager
async def browser(address: str) -> AsyncIterator[Page]:
    """A page of that origin."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = await chromium.new_page()
        await page.goto(address)
        yield page
        await chromium.close()


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium")
async def test_a_browser_publishes_its_camera() -> None:
    gate = Keys({KEY: None})
    udp = await open_port("127.0.0.1", 0)
    whip = WhipApp(gate, lambda slug: slug == "show", udp)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/live/"):
            await whip(scope, receive, send)
        else:
            await HTMLResponse("<title>camera</title>")(Request(scope).scope, receive, send)

    async with serving(app, "127.0.0.1", 0) as port, browser(f"http://127.0.0.1:{port}/") as page:
        assert await page.evaluate(PUBLISH, "guess") == 401
        assert await page.evaluate(PUBLISH, KEY) == 201
        intake = await flowing(gate, KEY)
        # Left alone, a browser sends no second keyframe.
        await until(lambda: sum(frame.keyframe for frame in intake.pictures()) >= 2)
        await page.evaluate("() => window.peer.close()")
        await until(lambda: intake.reason is not None)
        await whip.close()
    udp.close()
    assert intake.request.encoder.startswith("Chrome/")
    assert_in_order(intake.frames)
    assert decoded(intake.frames)[0] == len(intake.pictures())
