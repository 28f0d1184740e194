"""What every answer of the HTTP process shares: problem documents, security headers, the built pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.auth.guard import Hub
from hub.errors import HubError, Unavailable
from hub.payments.origins import Origins
from hub.settings import Settings

log = structlog.get_logger()

DIST = Path(__file__).parent.parent / "dashboards" / "dist"
PROBLEM = "application/problem+json"
SHOP = ("/watch/", "/orders/")
"""Pages on which somebody may pay."""
NOBODY = Origins()


def install_errors(app: FastAPI) -> None:
    """Every error leaves as an RFC 9457 problem document with a stable `code`."""

    @app.exception_handler(HubError)
    async def refused(_: Request, error: HubError) -> JSONResponse:
        headers = (
            {"Retry-After": str(error.extra.get("retry_after", 2))} if error.status in (429, 503) else {}
        )
        return problem(error.status, error.problem(), headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        # Only where and why: the value itself may be a password or a token.
        fields = [{"field": ".".join(str(p) for p in e["loc"][1:]), "why": e["msg"]} for e in error.errors()]
        text = "; ".join(f"{f['field'] or 'body'}: {f['why']}" for f in fields)
        return problem(422, HubError("bad_input", text, fields=fields).problem() | {"status": 422})

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        body = HubError(code, str(error.detail)).problem() | {"status": error.status_code}
        return problem(error.status_code, body)

    @app.exception_handler(OSError)
    async def away(_: Request, error: OSError) -> JSONResponse:
        """The database or the bus broke off in mid-request; what was not committed did not happen."""
        log.warning("request.engine_away", error=type(error).__name__)
        gone = Unavailable("engine_away", "A part of the system is restarting. Try again.", retry_after=2)
        return problem(503, gone.problem(), {"Retry-After": "2"})


def problem(status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem document."""
    return JSONResponse(body, status_code=status, headers=headers, media_type=PROBLEM)


class SecureHeaders:
    """A strict content security policy and its companions on every answer; `shop` is for pages that sell.

    Plain ASGI: Starlette's middleware helper would cost the hot endpoint a task and two queues a request.
    """

    def __init__(self, app: ASGIApp, policy: str, shop: str) -> None:
        self._app = app
        self._shop = {"Content-Security-Policy": shop}
        self._always = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; what a route has set stays."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = self._always | headers_of(scope["path"])
        if scope["path"].startswith(SHOP):
            wanted |= self._shop

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, secured)


def headers_of(path: str) -> dict[str, str]:
    """What only some addresses carry."""
    found = {}
    if path.startswith(("/studio", "/api")):
        found["X-Frame-Options"] = "DENY"
    if path.startswith("/api"):
        found["Cache-Control"] = "no-store"
    return found


def content_policy(settings: Settings, pay: Origins = NOBODY, pixels: Origins = NOBODY) -> str:
    """Own scripts only; media and sockets from where they are; pictures from shops anywhere.

    `pay`: the gateways whose fields are drawn in pages that sell; `pixels`: scripts that a brand's own pages
    load for viewers who agreed. A show may play from another server by WHEP, or through a CDN that its brand
    has linked, which only the show knows: hence any https address.
    """
    media, gateway = settings.media_url(), settings.gateway_url()
    played = f"{media} {settings.playback_url}" if settings.playback_url else media
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src 'self'", *pay.script, *pixels.script]),
            " ".join(["style-src 'self'", *pay.style]),
            " ".join(["frame-src 'self'", *pay.frame]),
            "img-src 'self' data: https:",
            f"media-src 'self' blob: https: {played}",
            " ".join([f"connect-src 'self' https: {played} {gateway}", *pay.connect, *pixels.connect]),
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            " ".join(["form-action 'self'", *pay.form]),
        ]
    )


def install_pages(app: FastAPI, policy_with: Callable[[Origins], str]) -> None:
    """The built front end. Without it the API works, and the pages say what to run.

    `policy_with`: the content policy of a page that sells, with its brand's pixels let in.
    """
    if not (DIST / "studio" / "index.html").exists():

        @app.get("/studio", include_in_schema=False)
        @app.get("/watch/{slug}", include_in_schema=False)
        @app.get("/orders/{token}", include_in_schema=False)
        async def not_built() -> Response:
            return Response("The front end is not built. Run: make install", 503, media_type="text/plain")

        return

    app.mount("/studio/assets", StaticFiles(directory=DIST / "studio" / "assets"))
    app.mount("/watch-assets", StaticFiles(directory=DIST / "watch"))

    @app.get("/studio", include_in_schema=False)
    @app.get("/studio/{path:path}", include_in_schema=False)
    async def studio() -> FileResponse:
        return FileResponse(DIST / "studio" / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/watch/{slug}", include_in_schema=False)
    async def watch(slug: str, hub: Hub) -> FileResponse:
        try:
            policy = policy_with(await hub.conversions.pixels.origins(slug))
        except Unavailable:
            # The page itself says that we are away, and what to do.
            policy = policy_with(NOBODY)
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": policy}
        return FileResponse(DIST / "watch" / "index.html", headers=headers)

    @app.get("/orders/{token}", include_in_schema=False)
    async def order() -> FileResponse:
        # The address is a key: no link on the page may give it away.
        headers = {"Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}
        return FileResponse(DIST / "watch" / "orders.html", headers=headers)

    @app.get("/player.js", include_in_schema=False)
    async def player() -> FileResponse:
        return FileResponse(DIST / "player.js", headers={"Cache-Control": "no-cache"})
