"""Low-latency players without a picture: each blocks on the next playlist and on the part it was told of.

`python -m tests.cdn.crowd PORT COUNT SECONDS OUT`. Every viewer has two connections, as a player over
HTTP/1.1, and every two hundred an address. OUT gets one JSON object: `got` (playlists and parts), `cached`
(how many of them nginx had), `came` (by the part that a playlist hints at: when viewers got it), `wrong`.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, cast

import uvloop

SHOW: Final = "/live/evening/source/"
FIELDS: Final = (
    "Host: live.example.com",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Origin: https://shop.example",
    "Referer: https://shop.example/",
)
PER_ADDRESS: Final = 200
SETTLE: Final = 3.0
"""Seconds at the beginning that do not count."""
AGAIN: Final = 1.0


def asking(target: str) -> bytes:
    """A request."""
    return "\r\n".join([f"GET {SHOW}{target} HTTP/1.1", *FIELDS, "", ""]).encode()


class Next(NamedTuple):
    """What a playlist leads to."""

    hint: str
    playlist: bytes
    part: bytes


FIRST: Final = Next("", asking("live.m3u8"), b"")


@dataclass
class Crowd:
    """What all of them saw."""

    begun: float = float("inf")
    got: int = 0
    cached: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    came: dict[str, list[float]] = field(default_factory=dict)
    known: dict[bytes, Next] = field(default_factory=dict)
    """By the bytes of a playlist: parsed once for everybody."""

    def took(self, head: bytes, now: float) -> bool:
        """An answer; False for an error."""
        if not head.startswith(b"HTTP/1.1 200 "):
            self.wrong[head[9:12].decode()] += 1
            return False
        if now >= self.begun:
            self.got += 1
            self.cached += b"\r\nX-Cache: HIT" in head
        return True

    def after(self, head: bytes, body: bytes) -> Next:
        """What to ask after a playlist."""
        found = self.known.get(body)
        if found is None:
            text = gzip.decompress(body) if b"\r\ncontent-encoding: gzip" in head else body
            _, _, hint = text.decode().rpartition('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s')
            number, part, *_ = hint.split(".")
            place = f"{number}.{part}"
            found = Next(
                place, asking(f"live.m3u8?_HLS_msn={number}&_HLS_part={part}"), asking(f"s{place}.m4s")
            )
            self.known[body] = found
        return found


class Line(asyncio.Protocol):
    """One connection, one request at a time. `took` gets the head and the body of each answer."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self.took: Callable[[bytes, bytes], None] = lambda head, body: None
        self.busy = False
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._had = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio.Protocol."""
        self._lost()

    def data_received(self, data: bytes) -> None:
        """asyncio.Protocol."""
        self._had = self._had + data if self._had else data
        head, gap, body = self._had.partition(b"\r\n\r\n")
        if not gap:
            return
        at = head.find(b"\r\nContent-Length: ") + 18
        if len(body) >= int(head[at : head.find(b"\r", at)]):
            self._had, self.busy = b"", False
            self.took(head, body)

    def ask(self, request: bytes) -> None:
        """Send it."""
        if self._transport:
            self.busy = True
            self._transport.write(request)

    def close(self) -> None:
        """Leave."""
        if self._transport:
            self._lost = lambda: None
            self._transport.abort()


class Viewer:
    """Two lines and where they are."""

    def __init__(self, crowd: Crowd, playlists: Line, parts: Line) -> None:
        self.lines = (playlists, parts)
        self._crowd = crowd
        self._next = FIRST
        playlists.took = self._listed
        self._hinted = b""
        parts.took = self._loaded
        playlists.ask(FIRST.playlist)

    def _listed(self, head: bytes, body: bytes) -> None:
        crowd, now = self._crowd, time.time()
        playlists = self.lines[0]
        if not crowd.took(head, now):
            self._next = FIRST
            asyncio.get_running_loop().call_later(AGAIN, playlists.ask, FIRST.playlist)
            return
        blocked, self._next = self._next is not FIRST, crowd.after(head, body)
        if blocked and now >= crowd.begun:
            crowd.came.setdefault(self._next.hint, []).append(now)
        playlists.ask(self._next.playlist)
        self._hinted = self._next.part
        self._load()

    def _loaded(self, head: bytes, body: bytes) -> None:
        self._crowd.took(head, time.time())
        self._load()

    def _load(self) -> None:
        parts = self.lines[1]
        if self._hinted and not parts.busy:
            hinted, self._hinted = self._hinted, b""
            parts.ask(hinted)


async def run(port: int, count: int, seconds: float) -> Crowd:
    """Everybody comes within a moment, settles, and watches."""
    crowd, loop = Crowd(), asyncio.get_running_loop()
    viewers = []

    def lost() -> None:
        crowd.wrong["connection lost"] += 1

    for number in range(count):
        address = f"127.0.1.{1 + number // PER_ADDRESS}"
        lines = [
            (await loop.create_connection(lambda: Line(lost), "127.0.0.1", port, local_addr=(address, 0)))[1]
            for _ in range(2)
        ]
        viewers.append(Viewer(crowd, *lines))
    await asyncio.sleep(SETTLE)
    print("settled", flush=True)
    crowd.begun = time.time()
    await asyncio.sleep(seconds)
    print("seen", flush=True)
    for viewer in viewers:
        for line in viewer.lines:
            line.close()
    return crowd


def main() -> None:
    """The command."""
    port, count, seconds, out = sys.argv[1:]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = uvloop.run(run(int(port), int(count), float(seconds)))
    said = {"got": crowd.got, "cached": crowd.cached, "came": crowd.came, "wrong": crowd.wrong}
    Path(out).write_text(json.dumps(said))


if __name__ == "__main__":
    main()
