"""Where platforms knock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from hub.auth.guard import Hub, SignedIn
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


@router.get("/webhooks/{connector}/{connection_id}")
async def handshake(connector: str, connection_id: UUID, request: Request, hub: Hub) -> Response:
    """A platform asks whether this address is ours, before it sends anything here."""
    query = {name: value[:500] for name, value in request.query_params.items()}
    answer = await hub.inbox.handshake(connector, connection_id, query)
    # As plain text and never as a page: what is echoed came from outside.
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(answer, media_type="text/plain; charset=utf-8", headers=headers)


class DeliveryTrouble(BaseModel):
    """A delivery that was not worked on, and why. Nothing is lost: it can be tried again."""

    id: UUID
    connection_id: UUID
    state: str
    error: str
    received_at: datetime


@router.get("/api/v1/deliveries")
async def unfinished(staff: SignedIn, hub: Hub) -> list[DeliveryTrouble]:
    """The brand's deliveries that need a person: parked ones, and those that keep failing."""
    async with hub.db.session() as session:
        found = await hub.inbox.unfinished(session, staff.brand_id)
        return [
            DeliveryTrouble(
                **event.model_dump(include={"id", "connection_id", "state", "received_at"}),
                error=event.error or "",
            )
            for event in found
        ]


@router.post("/api/v1/deliveries/{delivery_id}/retry", status_code=202)
async def retry(delivery_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Work on one of them again."""
    async with hub.db.session() as session:
        await hub.inbox.again(session, staff.brand_id, delivery_id)
