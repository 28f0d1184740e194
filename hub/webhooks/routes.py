"""Where platforms knock."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from hub.auth.guard import Hub
from hub.errors import BadInput

router = APIRouter(tags=["webhooks"])

LARGEST = 1 << 20


@router.post("/webhooks/{connector}/{connection_id}", status_code=202)
async def receive(connector: str, connection_id: UUID, request: Request, hub: Hub) -> Response:
    """202 when it is stored, also for a repeat; 401 when it is not genuine."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise BadInput("too_large", "This delivery is larger than any platform sends.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    await hub.inbox.receive(connector, connection_id, headers, bytes(body))
    return Response(status_code=202)
