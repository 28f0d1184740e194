"""Players that block on the next playlist, thousands in one process, and when each of them got it.

`python -m tests.bench.viewers PORT ADDRESS COUNT SECONDS OUT`: every viewer asks for ADDRESS with the
directives of what comes next, again and again, with the header fields of a browser. A line is printed when
they have settled and another after SECONDS. OUT gets one JSON line for each playlist: `{"text", "got"}`, the
wall times at which it was received. A plain epoll loop, so that a viewer costs little here and the times are
those of the server.
"""

from __future__ import annotations

import gzip
import json
import resource
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.rows import CannotMeasure

BATCH: Final = 128
SETTLE: Final = 3.0
"""Seconds at the beginning that do not count: the viewers come one after the other."""
FIELDS: Final = (
    "Host: 127.0.0.1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0",
    "Accept: */*",
    "Accept-Language: en-GB,en;q=0.9",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Origin: https://shop.example",
    "Referer: https://shop.example/",
    "Sec-Fetch-Dest: empty",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Site: cross-site",
    "Connection: keep-alive",
)


@dataclass
class Reload:
    """One playlist as it was sent, and who got it when."""

    text: str
    following: bytes
    """The request for what comes next."""
    got: list[float] = field(default_factory=list)


@dataclass
class Crowd:
    """All viewers of one address."""

    port: int
    address: str
    reloads: dict[bytes, Reload] = field(default_factory=dict)
    begun: float = 0.0
    """When what is received begins to count."""

    def request(self, playlist: str) -> bytes:
        """The request after a playlist; without one, the first."""
        query = directives(playlist)
        lines = [f"GET {self.address}{query} HTTP/1.1", *FIELDS]
        return "\r\n".join([*lines, "", ""]).encode()

    def reload(self, body: bytes, zipped: bool) -> Reload:
        """The playlist in a body; parsed once."""
        found = self.reloads.get(body)
        if found is None:
            text = (gzip.decompress(body) if zipped else body).decode()
            found = self.reloads[body] = Reload(text, self.request(text))
        return found

    def watch(self, count: int, seconds: float) -> None:
        """Come, settle, and note for so many seconds."""
        viewers, first = {}, self.request("")
        poll = select.epoll()
        for _ in range(count):
            viewer = socket.create_connection(("127.0.0.1", self.port), 20)
            viewer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            viewer.send(first)
            viewers[viewer.fileno()] = Viewer(viewer)
            poll.register(viewer, select.EPOLLIN)
            if len(viewers) % 64 == 0:
                self._take(poll, viewers, 0.0)
        settled = time.time() + SETTLE
        while time.time() < settled:
            self._take(poll, viewers, 0.1)
        print("settled", flush=True)
        self.begun = time.time()
        while time.time() < self.begun + seconds:
            self._take(poll, viewers, 0.1)
        print("seen", flush=True)
        for one in viewers.values():
            one.plug.close()

    def _take(self, poll: select.epoll, viewers: dict[int, Viewer], patience: float) -> None:
        for number, _ in poll.poll(patience, BATCH):
            viewer = viewers[number]
            answer = viewer.read()
            if answer is None:
                continue
            reload, now = self.reload(*answer), time.time()
            if self.begun and now >= self.begun:
                reload.got.append(now)
            viewer.plug.send(reload.following)


class Viewer:
    """One connection."""

    def __init__(self, plug: socket.socket) -> None:
        self.plug = plug
        self._had = b""

    def read(self) -> tuple[bytes, bool] | None:
        """(body, whether it is zipped) when an answer is complete."""
        self._had += self._more()
        head, gap, body = self._had.partition(b"\r\n\r\n")
        if not gap:
            return None
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < size:
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise CannotMeasure(f"A viewer was answered with {head[9:12].decode()}.")
        self._had = b""
        return body, b"content-encoding: gzip" in head

    def _more(self) -> bytes:
        data = self.plug.recv(1 << 16)
        if not data:
            raise CannotMeasure("A viewer's connection was closed.")
        return data


def directives(playlist: str) -> str:
    """The query that asks for what a playlist hints at."""
    _, found, hint = playlist.rpartition('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s')
    if not found:
        return ""
    number, part, *_ = hint.split(".")
    return f"?_HLS_msn={number}&_HLS_part={part}"


def main() -> int:
    """0 when everybody watched to the end."""
    port, address, count, seconds, out = sys.argv[1:]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd(int(port), address)
    try:
        crowd.watch(int(count), float(seconds))
    except (OSError, CannotMeasure) as error:
        print(error, file=sys.stderr)
        return 1
    counted = [one for one in crowd.reloads.values() if one.got]
    Path(out).write_text("".join(json.dumps({"text": one.text, "got": one.got}) + "\n" for one in counted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
