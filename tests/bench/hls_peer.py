"""The usual way to serve HLS from Python. `python -m tests.bench.hls_peer PORT FOLDER`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PART_SECONDS = 1 / 3
PLAYLIST = "application/vnd.apple.mpegurl"


def main() -> None:
    """Serve the folder's two files from memory until stopped.

    `/blocking` is the playlist at the next part, with the wall time of that part in a last line.
    """
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    playlist, part = (folder / "playlist").read_bytes(), (folder / "part").read_bytes()
    changed, newest = asyncio.Event(), b""

    async def get_playlist(_: Request) -> Response:
        return Response(playlist, media_type=PLAYLIST)

    async def get_blocking(_: Request) -> Response:
        await changed.wait()
        return Response(newest, media_type=PLAYLIST)

    async def get_part(_: Request) -> Response:
        return Response(part, media_type="video/iso.segment")

    async def publish() -> None:
        nonlocal changed, newest
        while True:
            await asyncio.sleep(PART_SECONDS)
            newest = playlist + b"# %.6f\n" % time.time()
            before, changed = changed, asyncio.Event()
            before.set()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        publishing = asyncio.create_task(publish())
        yield
        publishing.cancel()

    routes = [
        Route("/playlist", get_playlist),
        Route("/blocking", get_blocking),
        Route("/part", get_part),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error", backlog=4096
    )


if __name__ == "__main__":
    main()
