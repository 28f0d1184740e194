"""Who may call a route: dependencies that find the signed-in member or the viewer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from hub.auth.roles import may
from hub.auth.service import Staff
from hub.auth.tokens import Viewer
from hub.errors import Forbidden, Unauthorised
from hub.services import Services

COOKIE = "simulcast_session"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def services_of(request: Request) -> Services:
    """The services of this application."""
    services: Services = request.app.state.services
    return services


Hub = Annotated[Services, Depends(services_of)]


def check_origin(request: Request) -> None:
    """A write must carry a header no foreign page can send without asking us first (CORS preflight)."""
    if request.method in WRITES and request.headers.get("x-requested-with") != "simulcast":
        raise Forbidden("header_missing", "Send the header X-Requested-With: simulcast with every write.")


async def signed_in(request: Request, hub: Hub) -> Staff:
    """The member behind the session cookie."""
    check_origin(request)
    token = request.cookies.get(COOKIE)
    if not token:
        raise Unauthorised("signed_out", "You are signed out. Sign in first.")
    async with hub.db.session() as session:
        staff = await hub.auth.who(session, token)
    # The path that routes go by: `request.url` is put together from what the sender says of the host.
    if not may(staff.role, request.method, request.scope["path"]):
        raise Forbidden("role_may_not", "Your role does not allow this. Ask an owner of the brand.")
    return staff


async def owning(request: Request, hub: Hub) -> Staff:
    """The member behind the session cookie, if they are an owner."""
    staff = await signed_in(request, hub)
    if staff.role != "owner":
        raise Forbidden("role_may_not", "Your role does not allow this. Ask an owner of the brand.")
    return staff


async def watching(request: Request, hub: Hub) -> Viewer:
    """The viewer behind a bearer token, and from which network they ask."""
    viewer = viewer_of(hub, request.headers.get("authorization", ""))
    address = request.client.host if request.client else None
    return replace(viewer, network=hub.networks.of(viewer.show_id, address))


def viewer_of(hub: Services, authorization: str) -> Viewer:
    """The viewer an Authorization header names."""
    return hub.tokens.read_viewer(bearer(authorization))


def bearer(authorization: str) -> str:
    """The token in an Authorization header."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorised("token_missing", "Open the watch page first; it brings the token this needs.")
    return token


SignedIn = Annotated[Staff, Depends(signed_in)]
"""Anybody of the brand whose role may send this request (`hub/auth/roles.py`)."""
Owner = Annotated[Staff, Depends(owning)]
Watching = Annotated[Viewer, Depends(watching)]
