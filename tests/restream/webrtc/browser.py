"""Debian's Chromium as a player."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playwright.async_api import Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"),
)
WATCH = """
async ({address, relay, ways}) => {
    const peer = window.peer = new RTCPeerConnection(ways);
    const video = document.body.appendChild(document.createElement("video"));
    video.autoplay = video.muted = true;
    const stream = video.srcObject = new MediaStream();
    window.video = video;
    window.shown = [];
    const seen = (now, about) => { window.shown.push(now - began); video.requestVideoFrameCallback(seen); };
    video.requestVideoFrameCallback(seen);
    peer.ontrack = event => stream.addTrack(event.track);
    peer.addTransceiver("video", {direction: "recvonly"});
    peer.addTransceiver("audio", {direction: "recvonly"});
    await peer.setLocalDescription();
    if (ways.iceTransportPolicy) {  // the offer names the ways there are, since nothing is sent later here
        await new Promise(done => peer.onicegatheringstatechange = () =>
            peer.iceGatheringState === "complete" && done());
    }
    const began = performance.now();
    const answer = await fetch(address, {
        method: "POST", headers: {"content-type": "application/sdp"}, body: peer.localDescription.sdp,
    });
    if (answer.status !== 201) return {status: answer.status, said: await answer.text()};
    const location = answer.headers.get("location"), etag = answer.headers.get("etag");
    let sdp = await answer.text();
    const port = Number(sdp.match(/ (\\d+) typ host/)[1]);
    if (relay) sdp = sdp.replace(/ \\d+ typ host/g, ` ${relay} typ host`);
    await peer.setRemoteDescription({type: "answer", sdp});
    return {status: answer.status, location: new URL(location, address).href, etag, port};
}
"""
STATS = """
async () => {
    const found = {state: window.peer.connectionState, shown: window.shown};
    for (const one of (await window.peer.getStats()).values()) {
        if (one.type === "inbound-rtp") found[one.kind] = one;
        if (one.type === "transport") found.transport = one;
    }
    return found;
}
"""


@asynccontextmanager
async def browser(program: str = CHROMIUM) -> AsyncIterator[Page]:
    """A page of no origin, so that all it gets it gets by CORS."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        page = await chromium.new_page()
        yield page
        await chromium.close()


async def watch(
    page: Page, address: str, relay: int = 0, ways: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Watch a show, through a relay at that port if there is one; `status`, `location`, `etag`, `port`.

    `ways` is the browser's RTCConfiguration.
    """
    asked = {"address": address, "relay": relay, "ways": dict(ways)}
    found: dict[str, Any] = await page.evaluate(WATCH, asked)
    return found


async def stats(page: Page) -> dict[str, Any]:
    """What the browser counts: `video` and `audio` (inbound-rtp), `transport`, `state`, `shown` (ms)."""
    found: dict[str, Any] = await page.evaluate(STATS)
    return found


def there() -> bool:
    """Whether there is a browser."""
    return Path(CHROMIUM).exists()
