"""Events of a page that has no socket, or goes away; and a show's log as a file for staff."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect

from hub.auth.guard import Hub, SignedIn
from hub.errors import BadInput, HubError, Unauthorised
from hub.events.schema import LARGEST_FRAME, Frame
from hub.web import problem

router = APIRouter(prefix="/api/v1", tags=["events"])

MEDIA: Final = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv; charset=utf-8"}
LARGEST: Final = LARGEST_FRAME + 2048
"""A frame with the token of whoever speaks."""


def described() -> dict[str, Any]:
    """The body for readers of the API's description: a page that goes away can only send text."""
    schema = Frame.model_json_schema()
    # Within that document a reference would have to lead elsewhere.
    schema["properties"]["events"]["items"] = schema.pop("$defs")["PageEvent"]
    schema["properties"]["token"] = {"type": "string", "description": "The viewer token."}
    content = {name: {"schema": schema} for name in ("application/json", "text/plain")}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/public/events", status_code=204, response_class=Response, openapi_extra=described())
async def tell(request: Request, hub: Hub) -> Response:
    """What a page's viewer did: the frame it would send over the gateway, with its viewer token.

    204 when all of it is kept; 429 and 503 say when to send it again. Bodies up to 34 kB.
    """
    try:
        token, frame = opened(await body_of(request))
        await hub.events.keep(hub.tokens.read_viewer(token), frame)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody hears this
    except HubError as refusal:
        retry = refusal.extra.get("retry_after")
        return problem(refusal.status, refusal.problem(), {"Retry-After": str(retry)} if retry else {})
    return Response(status_code=204)


@router.get("/shows/{show_id}/events.{form}", response_class=FileResponse)
async def export(show_id: UUID, form: Literal["parquet", "csv"], staff: SignedIn, hub: Hub) -> FileResponse:
    """Every event of a show, by time, as it is in the log."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
    path = hub.settings.data / "tmp" / f"events-{secrets.token_hex(8)}.{form}"
    path.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(hub.events.log.export, show.brand_id, show.id, path)
    gone = BackgroundTask(Path.unlink, path, missing_ok=True)
    return FileResponse(path, media_type=MEDIA[form], filename=f"{show.slug}-events.{form}", background=gone)


async def body_of(request: Request) -> bytes:
    """The body, given up as soon as it is too large."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST:
            raise BadInput("events_too_large", "So many events at once may have 34 kB at most.")
    return bytes(data)


def opened(body: bytes) -> tuple[str, bytes]:
    """The token and the frame."""
    try:
        said = json.loads(body)
        token = said.pop("token")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise Unauthorised("token_missing", "A token is missing. Load the watch page again.") from None
    return str(token), json.dumps(said).encode()
