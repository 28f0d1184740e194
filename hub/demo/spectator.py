"""Somebody on the watch page, as the gateway sees them: they come, look at something, and go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from hub.ids import new_id

PATIENCE: Final = 15.0
"""Seconds until what was said must be kept."""


async def spectate(document: Mapping[str, Any], *said: Mapping[str, Any]) -> bool:
    """Enter the room of a show's public document and say these events: whether they are kept."""
    url = f"{document['gateway']['url']}?token={document['viewer_token']}"
    events = [{"id": str(new_id()), **one} for one in said]
    try:
        async with asyncio.timeout(PATIENCE), connect(url, max_size=None) as socket:
            await socket.send(json.dumps({"t": "events", "n": 1, "events": events}))
            return await kept(socket)
    except (OSError, TimeoutError, WebSocketException):
        return False


async def kept(socket: ClientConnection) -> bool:
    """Read until the gateway says so."""
    async for frame in socket:
        if any(one.get("kind") == "kept" for one in json.loads(frame)):
            return True
    return False
