"""The hot endpoint over HTTP: plain ASGI before router and middlewares. A drop pays each step often.

Same manners as everywhere else: a viewer's bearer token, problem documents, no-store.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel, Field, ValidationError
from starlette.types import Receive, Scope, Send

from hub.auth.guard import bearer
from hub.auth.tokens import Viewer
from hub.errors import BadInput, HubError
from hub.services import Services
from hub.stock.facts import Taken, Wish
from hub.web import PROBLEM

PATH: Final = "/api/v1/public/holds"
LARGEST_BODY: Final = 4096
MOST_KNOWN: Final = 20_000
"""Tokens whose signature was checked before; what is over is checked again."""
KNOWN_SECONDS: Final = 300.0
SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
)


class HoldIn(BaseModel):
    """One unit or a few, now. `key` is a fresh random text per click on Buy: same key, same answer.

    `offer_id`: the offer the buyer saw; without it the cheapest that applies.
    """

    show: str
    variant_id: UUID
    quantity: int = Field(default=1, ge=1, le=100)
    key: str = Field(min_length=8, max_length=64, pattern=r"^[!-~]+$")
    offer_id: UUID | None = None


class HeldOut(BaseModel):
    """One component of a reservation."""

    hold_id: UUID
    variant_id: UUID
    quantity: int
    unit_minor: int
    list_minor: int


class HoldOut(BaseModel):
    """A reservation. Count down to `expires_at` from `server_time`, not from the viewer's own clock.

    Amounts are for one of `quantity`; `list_minor` is the price without the offer. Of a bundle, `holds` are
    its components, and `hold_id` stands for all of them.
    """

    hold_id: UUID
    expires_at: str
    server_time: str
    unit_minor: int
    list_minor: int
    currency: str
    quantity: int
    available: int
    offer_id: UUID | None = None
    tier_id: UUID | None = None
    holds: list[HeldOut] = []


class Reply(NamedTuple):
    """What is sent back."""

    status: int
    media_type: bytes
    body: bytes
    more: tuple[tuple[bytes, bytes], ...] = SAFE

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """All of them."""
        return [(b"content-type", self.media_type), (b"content-length", b"%d" % len(self.body)), *self.more]


class LanedApp(FastAPI):
    """The application with its fast lane; everything but POST /api/v1/public/holds takes the usual way."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.holds = HoldsLane()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Other methods of the same path meet the router, and its refusal."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self.holds.serve(self.state.services, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class HoldsLane:
    """Answers requests for holds. Remembers whose tokens it has checked."""

    def __init__(self) -> None:
        self._viewers: dict[bytes, tuple[Viewer, float]] = {}

    async def serve(self, hub: Services, scope: Scope, receive: Receive, send: Send) -> None:
        """One request over ASGI."""
        try:
            authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            wish = self.asked(hub, authorization, await body_of(receive), client_of(scope))
            reply = granted(await hub.reservations.take(wish), hub.clock())
        except HubError as refusal:
            reply = refused(refusal)
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        await send({"type": "http.response.body", "body": reply.body})

    def asked(self, hub: Services, authorization: bytes, body: bytes, address: str | None) -> Wish:
        """What a viewer at this address asks for. Raises HubError."""
        now = hub.clock()
        wish = wish_of(body, self._viewer(hub, authorization, now.timestamp()), now)
        wish.network = hub.networks.of(wish.show_id, address)
        return wish

    def _viewer(self, hub: Services, authorization: bytes, now: float) -> Viewer:
        """The viewer behind the token; one seen a moment ago is not checked again."""
        known = self._viewers.get(authorization)
        if known and now < known[1]:
            return known[0]
        viewer, ends = hub.tokens.viewer_until(bearer(authorization.decode("latin-1")))
        if len(self._viewers) >= MOST_KNOWN:
            self._viewers.clear()  # one by one from the front gets slower with each
        self._viewers[authorization] = (viewer, min(now + KNOWN_SECONDS, ends))
        return viewer


def granted(taken: Taken, now: datetime) -> Reply:
    """The reservation."""
    return Reply(201, b"application/json", answer_of(taken, now).encode())


def refused(refusal: HubError) -> Reply:
    """Why there is none."""
    more = (*SAFE, (b"retry-after", b"1")) if refusal.status == 503 else SAFE
    return Reply(refusal.status, PROBLEM.encode(), json.dumps(refusal.problem()).encode(), more)


def client_of(scope: Scope) -> str | None:
    """The address a request comes from, behind trusted proxies."""
    client = scope.get("client")
    return client[0] if client else None


async def body_of(receive: Receive) -> bytes:
    """The whole body. BadInput when it is larger than any wish."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise BadInput("bad_input", "This is too long for a reservation.")
    return body


def wish_of(body: bytes, viewer: Viewer, now: datetime) -> Wish:
    """What a viewer asks for."""
    try:
        wanted = HoldIn.model_validate_json(body)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput("bad_input", wrong) from None
    if wanted.show != viewer.slug:
        raise BadInput("other_show", "This page belongs to another show. Load it again.")
    return Wish(
        viewer.brand_id,
        viewer.show_id,
        viewer.id,
        wanted.variant_id,
        wanted.quantity,
        wanted.key,
        wanted.offer_id,
        viewer.member,
        at=now,
        segments=viewer.segments,
        network=viewer.network,
    )


def answer_of(taken: Taken, now: datetime) -> str:
    """A `HoldOut` as JSON, written by hand: every value is an id, a number or a time."""
    group = str(taken.group_id)
    holds = ",".join(
        f'{{"hold_id":"{group if one.hold_id is taken.group_id else one.hold_id}",'
        f'"variant_id":"{one.variant_id}","quantity":{one.quantity},'
        f'"unit_minor":{one.unit_minor},"list_minor":{one.list_minor}}}'
        for one in taken.holds
    )
    return (
        f'{{"hold_id":"{group}","expires_at":"{taken.expires_at.isoformat()}",'
        f'"server_time":"{now.isoformat()}","unit_minor":{taken.unit_minor},"list_minor":{taken.list_minor},'
        f'"currency":"{taken.currency}","quantity":{taken.quantity},"available":{taken.available},'
        f'"offer_id":{quoted(taken.offer_id)},"tier_id":{quoted(taken.tier_id)},"holds":[{holds}]}}'
    )


def quoted(value: UUID | None) -> str:
    """JSON of an id, or null."""
    return f'"{value}"' if value else "null"
