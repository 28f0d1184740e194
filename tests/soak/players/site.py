"""The site that serves the players' page, and hears what each of them reports."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.bench.glass_page import document
from tests.bench.rows import ROOT

HERE: Final = Path(__file__).parent
FILES: Final = {
    "/": HERE / "page.html",
    "/player.js": ROOT / "dashboards/dist/player.js",
    "/hls.min.js": ROOT / "dashboards/node_modules/hls.js/dist/hls.min.js",
    "/shaka-player.compiled.js": HERE / "node_modules/shaka-player/dist/shaka-player.compiled.js",
    "/poster.svg": HERE / "poster.svg",
    "/video.min.js": HERE / "node_modules/video.js/dist/video.min.js",
}
KINDS: Final = {".html": "text/html", ".svg": "image/svg+xml"}


class Site:
    """`shows` says for each slug what our player is told; `told` is each player's last report.

    `pages` are more than the one of all players: by path, the content security policy and the HTML.
    """

    def __init__(self) -> None:
        self.address = ""
        self.shows: dict[str, dict[str, Any]] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.pages: dict[str, tuple[str, str]] = {}

    def show(self, slug: str, hls: str | None, whep: str | None) -> None:
        """Another show for our player."""
        self.shows[slug] = document(slug, self.address, hls, whep)


@contextmanager
def serving() -> Iterator[Site]:
    """On a free port of loopback."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(site))
    site.address = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def handler_of(site: Site) -> type[BaseHTTPRequestHandler]:
    """Files, our player's documents, and reports."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            slug = path.rpartition("/")[2]
            if path in site.pages:
                policy, page = site.pages[path]
                self._answer(200, "text/html", page.encode(), policy)
            elif path in FILES:
                kind = KINDS.get(FILES[path].suffix, "text/javascript")
                self._answer(200, kind, FILES[path].read_bytes())
            elif path.startswith("/api/v1/public/shows/") and slug in site.shows:
                self._answer(200, "application/json", json.dumps(site.shows[slug]).encode())
            else:
                self._answer(404, "text/plain", b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path == "/report":
                told = json.loads(body)
                site.told[told["name"]] = told
            self._answer(204, "text/plain", b"")

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _answer(self, status: int, kind: str, body: bytes, policy: str = "") -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("access-control-allow-origin", "*")
            if policy:
                self.send_header("content-security-policy", policy)
            self.send_header("content-length", str(len(body)))
            # A page that has been closed does not wait for it.
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

    return Handler
