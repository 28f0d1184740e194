"""A local Facebook: the live part of the Graph API v26.0 and its comment stream, over HTTP.

It checks tokens and appsecret_proof, versions, states and cursors. Shapes: see samples/.

Faults (POST /_ctl/fault): {"kind": "status", "status": 429, "retry_after": 7, "count": 1, "path": ""}
(also "html") · "throttle" ("minutes", "count", "path") · "lose" (applied, then the answer breaks off;
"count", "path") · "expire_token" · "revoke" · "drop_push" (open streams end) · "refuse_push" ·
"deaf_push" (the next "count" comments are not pushed) · "repeat" (the next comment is pushed three times,
spelled in three ways) · "forget_place" (cursors become invalid) · "clear".
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.facebook.fake_page import GraphError, Page
from connectors.types import Tokens

VERSIONS = frozenset({"v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"})
Args = dict[str, str]


class Fake:
    """One Page with its live videos, comments and comment streams."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        rng = random.Random(seed)
        self._page = Page(ingest_url or "rtmps://live-api-s.facebook.com:443/rtmp", rng)
        self._faults: list[dict[str, Any]] = []
        self._streams: list[tuple[str, asyncio.Queue[str | None]]] = []
        self._calls: list[str] = []
        self.app = Starlette(
            routes=[
                Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
                Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
                Route("/{ref}/live_comments", self._push),
                Route("/{version}/{ref}", self._graph(self._object), methods=["GET", "POST"]),
                Route(
                    "/{version}/{ref}/live_videos", self._graph(self._live_videos), methods=["GET", "POST"]
                ),
                Route("/{version}/{ref}/comments", self._graph(self._comments), methods=["GET", "POST"]),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """A Page token, which has no end and cannot be renewed; linking again gives a new one."""
        config = {"page_id": self._page.id, "app_secret": self._page.secret, "chat_poll_seconds": 0.5}
        return config, Tokens(access=SecretStr(self._page.linked()))

    def set_base_url(self, url: str) -> None:
        """Paging links carry it."""
        self._page.base_url = url

    # --- the Graph API ---------------------------------------------------------------------------

    def _graph(self, handler: Callable[[str, str, Args], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            path = f"{request.method} {request.url.path}"
            version = request.path_params["version"]
            headers = {"facebook-api-version": version}
            args = dict(request.query_params)
            args |= {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            self._calls.append(path)
            try:
                self._fail(path, headers)
                if version not in VERSIONS:
                    raise GraphError(2635, "You are calling a deprecated version of the Ads API.")
                self._page.admit(args.get("access_token", ""), args.get("appsecret_proof", ""))
                answer = handler(request.method, request.path_params["ref"], args)
            except GraphError as error:
                return JSONResponse(error.body(), error.status, headers)
            except Outage as outage:
                return HTMLResponse("<html>Sorry, something went wrong.</html>", outage.status, headers)
            if self._fault("lose", path):
                return broken_off()
            return JSONResponse(answer, headers=headers)

        return endpoint

    def _object(self, method: str, ref: str, args: Args) -> Any:
        for fault in self._faults:
            if fault["kind"] == "unknown_field" and fault["field"] in args.get("fields", "").split(","):
                raise GraphError(100, f"(#100) Tried accessing nonexistent field ({fault['field']})")
        return self._page.update(ref, args) if method == "POST" else self._page.get(ref, args)

    def _live_videos(self, method: str, ref: str, args: Args) -> Any:
        if ref != self._page.id:
            raise GraphError(100, "Unsupported request.", subcode=33)
        return self._page.create(args) if method == "POST" else self._page.list_videos(args)

    def _comments(self, method: str, ref: str, args: Args) -> Any:
        if method == "GET":
            return self._page.list_comments(ref, args)
        comment = self._page.say(ref, args.get("message", ""), (self._page.id, "The Page"))
        self._tell(ref, comment)
        return {"id": comment["id"]}

    def _fail(self, path: str, headers: dict[str, str]) -> None:
        fault = self._fault("throttle", path)
        if fault:
            usage = {"type": "pages", "call_count": 100, "total_cputime": 5, "total_time": 6}
            usage["estimated_time_to_regain_access"] = fault["minutes"]
            headers["x-business-use-case-usage"] = json.dumps({self._page.id: [usage]})
            raise GraphError(32, "(#32) Page request limit reached")
        fault = self._fault("status", path)
        if fault:
            if "retry_after" in fault:
                headers["retry-after"] = f"{fault['retry_after']:g}"
            if fault.get("html"):
                raise Outage(fault["status"])
            code = {429: 4, 403: 368}.get(fault["status"], 2 if fault["status"] >= 500 else 100)
            raise GraphError(code, "Simulated.", status=fault["status"])

    def _fault(self, kind: str, path: str) -> dict[str, Any] | None:
        for fault in self._faults:
            if fault["kind"] == kind and fault.get("path", "") in path:
                fault["count"] = fault.get("count", 1) - 1
                if fault["count"] <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    # --- the comment stream ----------------------------------------------------------------------

    async def _push(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        query, ref = request.query_params, request.path_params["ref"]
        self._calls.append(f"GET {request.url.path}")
        try:
            if any(fault["kind"] == "refuse_push" for fault in self._faults):
                raise GraphError(3, "Application does not have the capability to make this API call.")
            self._page.admit(query.get("access_token", token), query.get("appsecret_proof", ""))
            self._page.video(ref)
        except GraphError as error:
            return JSONResponse(error.body(), error.status)
        return StreamingResponse(self._events(ref), media_type="text/event-stream")

    async def _events(self, ref: str) -> AsyncIterator[str]:
        mine: tuple[str, asyncio.Queue[str | None]] = (ref, asyncio.Queue())
        self._streams.append(mine)
        try:
            yield ":keepalive\n\n"
            while (event := await mine[1].get()) is not None:
                yield f"data: {event}\n\n"
        finally:
            self._streams.remove(mine)

    def _tell(self, ref: str, comment: dict[str, Any]) -> None:
        if self._fault("deaf_push", ""):
            return
        number = comment["id"].rpartition("_")[2]
        spellings = [number, comment["id"], f"{ref}_{number}"] if self._fault("repeat", "") else [number]
        names = ("message", "from", "created_time")
        for spelling in spellings:
            event = {"id": spelling, **{name: comment[name] for name in names if name in comment}}
            for watched, queue in self._streams:
                if watched == ref:
                    queue.put_nowait(json.dumps(event))

    # --- control ---------------------------------------------------------------------------------

    async def _ctl_chat(self, request: Request) -> Response:
        # {"author", "author_id", "text", "low_quality"?, "anonymous"?}: in every running live video.
        body = await request.json()
        author = (
            None if body.get("anonymous") else (body.get("author_id", "psid_7"), body.get("author", "Viewer"))
        )
        said = []
        for ref in self._page.running():
            comment = self._page.say(ref, body["text"], author, low_quality=body.get("low_quality", False))
            if not body.get("low_quality"):
                self._tell(ref, comment)
            said.append(comment["id"])
        return JSONResponse({"ids": said}, 200 if said else 409)

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        ref = self._page.ingest(body.get("key", ""), body.get("event") == "publish")
        return JSONResponse(
            {"live_video": ref} if ref else {"error": "unknown stream key"}, 200 if ref else 403
        )

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        match fault["kind"]:
            case "expire_token":
                self._page.unlink(463)
            case "revoke":
                self._page.unlink(460)
            case "drop_push":
                for _, queue in self._streams:
                    queue.put_nowait(None)
            case "forget_place":
                self._page.generation += 1
            case "clear":
                self._faults = []
            case "status" | "throttle" | "lose" | "refuse_push" | "deaf_push" | "repeat" | "unknown_field":
                self._faults.append(fault)
            case unknown:
                return JSONResponse({"error": f"unknown fault {unknown}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, request: Request) -> Response:
        return JSONResponse({**self._page.state(), "calls": self._calls, "streams": len(self._streams)})


class Outage(Exception):
    """An error page instead of JSON."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"id": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
