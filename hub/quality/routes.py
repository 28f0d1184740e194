"""Beacons come in from players on any site; the studio reads what they say."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, ValidationError
from starlette.requests import ClientDisconnect

from hub.auth.guard import Hub, SignedIn
from hub.errors import BadInput, HubError, NotFound
from hub.quality.beacon import LARGEST, Beacon, device_of
from hub.quality.out import AlarmOut, PointOut, QualityOut, RegionPointOut, SessionOut
from hub.quality.service import Every
from hub.quality.store import Report
from hub.shows.service import SLUG
from hub.web import problem

router = APIRouter(prefix="/api/v1", tags=["quality"])

# Asked from whatever site the player is embedded in, without credentials; no cookie is read or set.
CORS: Final = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT: Final = {
    **CORS,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "86400",
}


def described() -> dict[str, Any]:
    """The body for readers of the API's description; the route reads it by itself, whatever it is called."""
    schema = Beacon.model_json_schema()
    # Within that document a reference would have to lead elsewhere.
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["Fault"]
    content = {name: {"schema": schema} for name in ("application/json", "text/plain")}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/public/shows/{slug}/quality", status_code=204, response_class=Response, openapi_extra=described()
)
async def beacon(slug: str, request: Request, hub: Hub) -> Response:
    """What a player reports; 204 when it is stored. Bodies up to 8 kB."""
    try:
        if not SLUG.match(slug):
            raise NotFound("show_unknown", "There is no show at this address.")
        said = read(await body_of(request))
        device = device_of(request.headers.get("user-agent", ""))
        region = hub.regions.of(request.scope.get("client"), request.headers, said.zone)
        await hub.beacons.take(Report(slug, device, said, region))
    except ClientDisconnect:
        return Response(status_code=400)  # a page that was closed in mid-sentence: nobody hears this
    except HubError as refusal:
        retry = (
            {"Retry-After": str(refusal.extra.get("retry_after", 2))} if refusal.status in (429, 503) else {}
        )
        return problem(refusal.status, refusal.problem(), CORS | retry)
    return Response(status_code=204, headers=CORS)


@router.options("/public/shows/{slug}/quality", include_in_schema=False)
async def preflight(slug: str) -> Response:
    """Browsers ask first when a player sends application/json."""
    return Response(status_code=204, headers=PREFLIGHT)


@router.get("/shows/{show_id}/quality")
async def quality(show_id: UUID, staff: SignedIn, hub: Hub) -> QualityOut:
    """How viewers see the show now, and saw it since it began."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.quality.now(session, show)


@router.get("/shows/{show_id}/quality/sessions")
async def sessions(
    show_id: UUID, staff: SignedIn, hub: Hub, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[SessionOut]:
    """Viewers one by one, those with most trouble first."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.quality.sessions(session, show, limit)


@router.get("/shows/{show_id}/quality/history")
async def history(
    show_id: UUID, staff: SignedIn, hub: Hub, every: Every = "10s", since: AwareDatetime | None = None
) -> list[PointOut]:
    """The figures over time: a point for every ten seconds, or for every minute."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.quality.history(session, show, every, since)


@router.get("/shows/{show_id}/quality/regions/history")
async def region_history(
    show_id: UUID, staff: SignedIn, hub: Hub, since: AwareDatetime | None = None
) -> list[RegionPointOut]:
    """The figures of each region over time: a point for every minute of the show."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.region_watch.history(session, show, since)


@router.get("/shows/{show_id}/quality/alarms")
async def show_alarms(show_id: UUID, staff: SignedIn, hub: Hub) -> list[AlarmOut]:
    """Regions of the show that are, or were, more than twice as bad as the median; those that are first."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.region_watch.alarms(session, staff.brand_id, show.id)


@router.get("/quality/alarms")
async def alarms(staff: SignedIn, hub: Hub) -> list[AlarmOut]:
    """The same of all live shows, those alone that go on."""
    async with hub.db.session() as session:
        return await hub.region_watch.alarms(session, staff.brand_id)


async def body_of(request: Request) -> bytes:
    """The body, given up as soon as it is too large."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST:
            raise BadInput("beacon_too_large", "A report may have 8 kB at most.")
    return bytes(data)


def read(body: bytes) -> Beacon:
    """A whole and sound beacon, or BadInput that says where it is not."""
    try:
        return Beacon.model_validate_json(body)
    except ValidationError as error:
        # Only where and why: an error's detail may hold an address with a token.
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise BadInput("bad_input", wrong) from error
