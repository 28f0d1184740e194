"""A show in front of our own player: on the air, rewound, over, played again; and Chromium to watch it with.

The page, the hub's document of the show and the hub's gateway stand beside the media, as behind one proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext, Error, Page, async_playwright
from websockets.asyncio.server import ServerConnection, broadcast, serve

from restream.api import CueSpec
from restream.hls.origin import Origin
from restream.hls.respond import Receive, Scope, Send
from restream.media import Frame
from restream.serving import serving
from tests.bench.glass_page import document
from tests.bench.rows import ROOT
from tests.restream.hls.feed import DELAY, Shape, Studio, command, frames_of
from tests.restream.replay.stage import FIRST, SLUG, STARTED, kept, show, wish
from tests.restream.replay.test_play import Theatre
from tests.restream.webrtc.browser import CHROMIUM, FLAGS

PLAYER: Final = ROOT / "dashboards" / "dist" / "player.js"
PATIENCE_MS: Final = 60_000
POLL_MS: Final = 100
FPS: Final = 15
COLUMNS: Final = 16
FILM: Final = Shape(seconds=160.0, fps=str(FPS), size=f"{16 * COLUMNS}x144", gop=2 * FPS)
AIRED: Final = 40.0
"""Seconds of the show that have been on the air when the viewer comes: more than the live playlist lists."""
REHEARSED: Final = 3.0
"""The encoder was there before the host went live: show time counts from then on."""
DRESS: Final = 20.0
"""Show time of the chapter."""
PAGE: Final = """<!doctype html><meta charset="utf-8"><title>Show</title>
<style>body { margin: 0; height: 4000px } simulcast-player { width: 640px; height: 360px }</style>
<script src="/player.js"></script><simulcast-player show="show" mini></simulcast-player>"""
LOOK: Final = """
const notes = { errors: [], cues: [], states: [] };
addEventListener("simulcast-error", ({ detail }) => notes.errors.push(detail));
addEventListener("simulcast-state", ({ detail }) => notes.states.push(detail.state));
addEventListener("simulcast-cue", ({ detail }) => notes.cues.push(detail.title));
const player = () => document.querySelector("simulcast-player");
const stage = () => player().shadowRoot.querySelector(".stage");
function filmed(video) {  // what the picture says: bright columns are ones
  if (!video?.videoWidth) return null;
  const context = new OffscreenCanvas(256, 1).getContext("2d");
  context.drawImage(video, 0, video.videoHeight / 2, video.videoWidth, 1, 0, 0, 256, 1);
  const { data } = context.getImageData(0, 0, 256, 1);
  let tenths = 0;
  for (let n = 0; n < 16; n += 1) if (data[4 * (16 * n + 8) + 1] > 128) tenths += 2 ** n;
  return tenths / 10;
}
function look(early = 0) {
  const { state, live, latency, showTime, transport, quality, qualities } = player();
  const video = player().shadowRoot.querySelector("video"), film = filmed(video);
  const at = film === null ? null : film - early;
  const agree = at !== null && showTime !== null && Math.abs(at - showTime) < 0.5 && !video.seeking;
  return { state, live, latency, showTime, transport, quality, qualities, at, agree,
    height: video?.videoHeight, moving: !video?.paused && video?.readyState > 2, ...notes };
}
Object.assign(window, { player, stage, look });
"""


@cache
def film() -> tuple[Frame, ...]:
    """Every picture says when it was taken: sixteen columns, tenths of seconds since the encoder began."""
    bits = "16+219*mod(floor(floor(T*10+0.01)/pow(2,X)),2)"
    draw = f"geq=lum='{bits}':cb=128:cr=128,scale={FILM.size.replace('x', ':')}:flags=neighbor"
    inputs = {  # silence, for it is encoded fast
        "testsrc2": f"nullsrc=size={COLUMNS}x9:rate={FPS}:duration={FILM.seconds},{draw}",
        "sine": f"anullsrc=sample_rate=48000:channel_layout=stereo:duration={FILM.seconds}",
    }
    words = [inputs.get(word.partition("=")[0], word) for word in command(FILM)]
    return tuple(frames_of(subprocess.run(words, capture_output=True, timeout=60, check=True).stdout))


class Hall(Theatre):
    """`began` is when the programme did (seconds of the wall clock), `cues` are its moments.

    `reel` is what is on the air. Where there are `signatures`, media is behind an edge: a request without one
    of them is refused and noted in `unsigned`, and the hub's document has the newest.
    """

    def __init__(self, root: Path, began: float, reel: Sequence[Frame] = ()) -> None:
        super().__init__(root)
        self.began = began
        self.reel = tuple(reel)
        self.signatures: list[str] = []
        self.signed: set[str] = set()
        """Signatures that came with requests."""
        self.unsigned: list[str] = []
        self.cues = [
            CueSpec(id="dress", kind="chapter", title="The dress", begins_at=self._date(began + DRESS))
        ]
        self.studio = Studio(first_number=FIRST)
        self.studio.renditions.on_segment = partial(self.shelf.take, SLUG)
        self.gateway = 0
        self.feed: asyncio.Task[None] | None = None
        self._origin = Origin(lambda slug: self.studio.renditions if slug == SLUG else None)
        self._viewers: set[ServerConnection] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Media as the worker's port gives them, or one of the hub's."""
        path = scope["path"]
        if path.startswith("/live/"):
            if not self._signed(scope):
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
            replayed = self._door.serves(path)
            await (super().__call__ if replayed else self._origin)(scope, receive, send)
            return
        kind, body = "text/plain", b""
        if path == "/":
            kind, body = "text/html", PAGE.encode()
        elif path == "/player.js":
            kind, body = "text/javascript", PLAYER.read_bytes()
        elif path == f"/api/v1/public/shows/{SLUG}":
            kind, body = "application/json", json.dumps(self._document()).encode()
        headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def seat(self, viewer: ServerConnection) -> None:
        """The gateway: greets, answers pings, passes on news."""
        self._viewers.add(viewer)
        hello = {"seq": 0, "server_time": self._date(time.time()).isoformat(), "viewers": 1}
        await viewer.send(json.dumps([{"kind": "hello", "seq": None, "data": hello}]))
        async for _ in viewer:
            await viewer.send(json.dumps([{"kind": "pong", "seq": None, "data": {}}]))
        self._viewers.discard(viewer)

    async def air(self) -> None:
        """The feed in its own time; what is past already comes at once."""
        self.studio.now = self.began - REHEARSED - DELAY
        self.studio.renditions.set_cues(self.cues)
        for _ in self.studio.publish(self.reel):
            if (early := self.studio.now - time.time()) > 0:
                await asyncio.sleep(early)

    async def end(self) -> None:
        """The host ends the show: feed, packaging, recording, document, and the news of it."""
        if self.feed:
            self.feed.cancel()
            self.studio.renditions.finish()
        self.running.clear()
        await self.shelf.apply(wish(open=False, cues=self.cues))
        data = {"state": "ended", "live_at": self._date(self.began).isoformat()}
        broadcast(self._viewers, json.dumps([{"kind": "show.changed", "seq": 1, "data": data}]))

    def _signed(self, scope: Scope) -> bool:
        if not self.signatures:
            return True
        found = {one for one in scope["query_string"].decode().split("&") if one in self.signatures}
        self.signed |= found
        if not found:
            self.unsigned.append(scope["path"])
        return bool(found)

    def _document(self) -> dict[str, Any]:
        over = not self.running
        site, media = f"http://127.0.0.1:{self.port}/", self.address("")
        told = document(SLUG, site, f"{media}index.m3u8", None)
        told["show"] |= {"state": "ended" if over else "live", "live_at": self._date(self.began).isoformat()}
        told["playback"] |= {"dvr_url": f"{media}dvr.m3u8", "chapters_url": f"{media}chapters.json"}
        told["playback"]["replay"] = over
        if self.signatures:
            for name in ("hls_url", "dvr_url", "chapters_url"):
                told["playback"][name] += f"?{self.signatures[-1]}"
            told["playback"]["renew_at"] = self._date(time.time() + len(self.signatures)).isoformat()
        told["gateway"]["url"] = f"ws://127.0.0.1:{self.gateway}/"
        return told | {"server_time": self._date(time.time()).isoformat(), "seq": int(over)}

    @staticmethod
    def _date(moment: float) -> datetime:
        return datetime.fromtimestamp(moment, UTC)


@asynccontextmanager
async def _opened(hall: Hall) -> AsyncIterator[Hall]:
    async with (
        serving(hall, "127.0.0.1", 0) as hall.port,
        serve(hall.seat, "127.0.0.1", 0, close_timeout=1) as gateway,
    ):
        hall.gateway = next(iter(gateway.sockets)).getsockname()[1]
        yield hall
    if hall.feed:
        hall.feed.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hall.feed
    await hall.shelf.stop()


@asynccontextmanager
async def on_the_air(root: Path, make: Callable[[], Sequence[Frame]] = film) -> AsyncIterator[Hall]:
    """A recorded show that has been running for a while and goes on."""
    reel = make()
    hall = Hall(root, time.time() - AIRED, reel)
    await hall.shelf.apply(wish(cues=hall.cues))
    async with _opened(hall):
        hall.feed = asyncio.create_task(hall.air())
        yield hall


@asynccontextmanager
async def recorded(root: Path) -> AsyncIterator[Hall]:
    """A show of twelve seconds that is over, in two heights."""
    hall = Hall(root, STARTED)
    await kept(hall.shelf, show(12))
    await hall.end()
    async with _opened(hall):
        yield hall


@asynccontextmanager
async def viewer(hall: Hall, early: float = 0.0) -> AsyncIterator[Viewer]:
    """Before the player, in Chromium. `early`: what its pictures say at the programme's beginning."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = await chromium.new_context(viewport={"width": 800, "height": 600})
        await context.add_init_script(LOOK)
        yield await Viewer.entering(context, f"http://127.0.0.1:{hall.port}/", early)
        await chromium.close()


class Viewer:
    """Presses what a viewer presses and waits for what a viewer would see."""

    def __init__(self, page: Page, early: float) -> None:
        self.page = page
        self._early = early

    @classmethod
    async def entering(cls, context: BrowserContext, address: str, early: float) -> Viewer:
        """With a page of their own."""
        page = await context.new_page()
        await page.goto(address)
        return cls(page, early)

    async def friend(self) -> Viewer:
        """Another one, in the same browser."""
        return await self.entering(self.page.context, self.page.url, self._early)

    async def sees(self, what: str) -> dict[str, Any]:
        """When a condition (JavaScript) on `it`, what LOOK's look() finds, has come true."""
        script = f"() => {{ const it = look({self._early}); return ({what}) && it; }}"
        try:
            found = await self.page.wait_for_function(script, polling=POLL_MS, timeout=PATIENCE_MS)
        except Error as late:
            now = await self.page.evaluate(f"look({self._early})")
            raise AssertionError(f"It did not come to be that {what}, but {now}") from late
        seen: dict[str, Any] = await found.json_value()
        return seen

    async def finds(self, what: str) -> None:
        """When a condition (JavaScript) on the page has come true."""
        await self.page.wait_for_function(f"() => {what}", polling=POLL_MS, timeout=PATIENCE_MS)

    async def asks(self, script: str) -> Any:
        """What the page answers."""
        return await self.page.evaluate(script)

    async def clicks(self, name: str) -> None:
        """A button of the player's, by its name; buttons come with the mouse."""
        for place in (20, 40):
            await self.page.locator(".stage").hover(position={"x": place, "y": place})
        await self.page.get_by_role("button", name=name, exact=True).click(timeout=PATIENCE_MS)
