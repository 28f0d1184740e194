"""The hot endpoint: a bare Starlette route, because a drop pays every millisecond a thousand times."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.auth.guard import viewer_of
from hub.errors import BadInput, HubError
from hub.services import Services
from hub.stock.reserve import Wish
from hub.web import problem


class HoldIn(BaseModel):
    """One unit or a few, now. `key` is a fresh random text per click on Buy: same key, same answer."""

    show: str
    variant_id: UUID
    quantity: int = Field(default=1, ge=1, le=5)
    key: str = Field(min_length=8, max_length=64, pattern=r"^[!-~]+$")


async def hold(request: Request) -> Response:
    """201 with the reservation, 409 `sold_out` | `limit` | `hold_over`."""
    hub: Services = request.app.state.services
    try:
        viewer = viewer_of(hub, request.headers.get("authorization", ""))
        body = HoldIn.model_validate_json(await request.body())
        if body.show != viewer.slug:
            raise BadInput("other_show", "This page belongs to another show. Load it again.")
        held = await hub.reservations.take(
            Wish(viewer.brand_id, viewer.show_id, viewer.id, body.variant_id, body.quantity, body.key)
        )
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        refused: HubError = BadInput("bad_input", wrong)
        return problem(refused.status, refused.problem())
    except HubError as refusal:
        headers = {"Retry-After": "1"} if refusal.status == 503 else None
        return problem(refusal.status, refusal.problem(), headers)
    return Response(
        HoldOut(
            hold_id=held.hold_id,
            expires_at=held.expires_at.isoformat(),
            server_time=hub.clock().isoformat(),
            unit_minor=held.unit_minor,
            currency=held.currency,
            quantity=held.quantity,
            available=held.available,
        ).model_dump_json(),
        201,
        media_type="application/json",
    )


class HoldOut(BaseModel):
    """A reservation. Count down to `expires_at` from `server_time`, not from the viewer's own clock."""

    hold_id: UUID
    expires_at: str
    server_time: str
    unit_minor: int
    currency: str
    quantity: int
    available: int


ROUTE = Route("/api/v1/public/holds", hold, methods=["POST"])
