"""A page with nothing but the player, the document the player asks the hub for, and the browser."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from playwright.sync_api import Browser, Playwright

from tests.bench.rows import ROOT, CannotMeasure

PLAYER: Final = ROOT / "dashboards" / "dist" / "player.js"
PAGE: Final = """<!doctype html><meta charset="utf-8"><title>Glass</title>
<style>body { margin: 0 } simulcast-player { display: block; width: 1280px; height: 720px }</style>
<script src="/player.js"></script><simulcast-player show="glass" muted autoplay></simulcast-player>"""


class Site:
    """Serves what `show` says, on loopback."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.address = f"http://127.0.0.1:{server.server_port}/"
        self.document: dict[str, Any] = {}

    @classmethod
    @contextmanager
    def serving(cls) -> Iterator[Site]:
        """Until the end of the block."""
        if not PLAYER.exists():
            raise CannotMeasure("The player is not built. Run: make install")
        server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        site = cls(server)
        server.RequestHandlerClass = handler_of(site)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            server.server_close()

    def show(self, hls: str | None, whep: str | None) -> None:
        """What the player is told to play."""
        self.document = document("glass", self.address, hls, whep)


def document(slug: str, site: str, hls: str | None, whep: str | None) -> dict[str, Any]:
    """What the hub would tell the player of a live show; a show with WebRTC is an interactive one."""
    return {
        "show": {
            "slug": slug,
            "title": slug.title(),
            "description": "",
            "state": "live",
            "starts_at": None,
            "live_at": None,
            "brand": "Bench",
        },
        "playback": {
            "mode": "interactive" if whep else "balanced",
            "hls_url": hls,
            "whep_url": whep,
            "dvr_url": None,
            "chapters_url": None,
            "replay": False,
            "paused": False,
            "poster_url": None,
            "ice_servers": [],
            "renew_at": None,
            "beacon_url": f"{site}quality",
        },
        "gateway": {"url": f"{site}ws"},
        "viewer_token": "bench",
        "viewer_id": "bench",
        "products": [],
        "messages": [],
        "seq": 0,
        "payment": None,
    }


def handler_of(site: Site) -> type[BaseHTTPRequestHandler]:
    """The page, the player, the document; everything else is 204."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._answer("text/html", PAGE.encode())
            elif self.path == "/player.js":
                self._answer("text/javascript", PLAYER.read_bytes())
            elif self.path.startswith("/api/v1/public/shows/"):
                self._answer("application/json", json.dumps(site.document).encode())
            else:
                self._answer("text/plain", b"", 204)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self._answer("text/plain", b"", 204)

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _answer(self, kind: str, body: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, which has H.264; WebRTC to loopback allowed."""
    binary = shutil.which("chromium")
    if not binary:
        raise CannotMeasure("Chromium is missing. Run: apt-get install chromium")
    browser = playwright.chromium.launch(
        executable_path=binary,
        args=[
            "--no-sandbox",
            "--autoplay-policy=no-user-gesture-required",
            "--allow-loopback-in-peer-connection",
        ],
    )
    try:
        yield browser
    finally:
        browser.close()
