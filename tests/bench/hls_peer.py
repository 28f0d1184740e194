"""The usual way to serve HLS from Python. `python -m tests.bench.hls_peer PORT FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def main() -> None:
    """Serve the folder's two files from memory until stopped."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    playlist, part = (folder / "playlist").read_bytes(), (folder / "part").read_bytes()

    async def get_playlist(_: Request) -> Response:
        return Response(playlist, media_type="application/vnd.apple.mpegurl")

    async def get_part(_: Request) -> Response:
        return Response(part, media_type="video/iso.segment")

    app = Starlette(routes=[Route("/playlist", get_playlist), Route("/part", get_part)])
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error")


if __name__ == "__main__":
    main()
