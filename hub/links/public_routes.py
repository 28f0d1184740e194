"""Following a short link: no cookie, no script, one redirect."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from hub.auth.guard import Hub
from hub.errors import HubError, NotFound
from hub.links.clicks import Knock
from hub.web import problem

router = APIRouter(tags=["links"])

UNKNOWN = "This link leads nowhere. Ask whoever gave it to you for a fresh one."
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


@router.get("/l/{code}", status_code=302, response_class=Response)
async def follow(code: str, request: Request, hub: Hub) -> Response:
    """To where the link leads, tagged, with every parameter it was given. The click is kept; no cookie.

    An unknown code: 404, a page for browsers and a problem document for programs.
    """
    knock = Knock(
        code=code,
        method=request.method,
        query=request.scope["query_string"],
        address=request.client.host if request.client else None,
        headers=request.headers,
    )
    try:
        place = await hub.clicks.follow(knock)
        if place is None:
            raise NotFound("link_unknown", UNKNOWN)
    except HubError as error:
        return sorry(request, error)
    # Written as it is: a helper that quotes addresses would quote again what the visitor has quoted.
    return Response(status_code=302, headers={"Location": place, "Cache-Control": "no-store"})


@router.head("/l/{code}", include_in_schema=False)
async def look(code: str, request: Request, hub: Hub) -> Response:
    """What a chat or a link checker asks before anybody clicks: the same answer, and no person."""
    return await follow(code, request, hub)


def sorry(request: Request, error: HubError) -> Response:
    """Why nobody arrives, as a page or as a problem document."""
    again = error.extra.get("retry_after")
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(again)} if again else {})
    if "text/html" not in request.headers.get("accept", ""):
        return problem(error.status, error.problem(), headers)
    title = "This link leads nowhere" if error.status == 404 else "One moment, please"
    return HTMLResponse(
        PAGE.format(title=title, text=escape(error.detail)),
        error.status,
        headers | {"X-Robots-Tag": "noindex"},
    )
