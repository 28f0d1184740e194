"""The usual way to send news to browsers from Python. `python -m tests.bench.gateway_peer PORT NATS`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import uvicorn
from nats.aio.msg import Msg
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


def main() -> None:
    """Serve until stopped: each message goes to each socket as it comes."""
    port, where = int(sys.argv[1]), sys.argv[2]
    sockets: set[WebSocket] = set()

    async def screen(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            sockets.discard(socket)

    async def hear(message: Msg) -> None:
        text = message.data.decode()
        for socket in tuple(sockets):
            try:
                await socket.send_text(text)
            except (RuntimeError, WebSocketDisconnect):
                sockets.discard(socket)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        client = await nats.connect(where)
        await client.subscribe("show.>", cb=hear)
        yield
        await asyncio.wait_for(client.close(), 1)

    app = Starlette(routes=[WebSocketRoute("/ws", screen)], lifespan=lifespan)
    uvicorn.run(
        app,
        port=port,
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_level="error",
        backlog=4096,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
