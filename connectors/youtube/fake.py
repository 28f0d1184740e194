"""A local YouTube: the live part of the Data API v3 and the token endpoint, over HTTP.

It checks tokens, parts, filters, states, page tokens and polling intervals, and counts quota units.
Shapes: discovery revision 20261104; see samples/. It never claims more than its samples do.

Faults (POST /_ctl/fault): {"kind": "status", "status": 429, "retry_after": 7, "count": 1, "path": ""}
(also "reason", "html") · "lose" (applied, then the answer breaks off; "count", "path") · "expire_token"
· "revoke" · "quota" · "repeat" (the next chat page comes with the last messages again) ·
"forget_place" (page tokens become invalid) · "end_chat" · "clear".
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.types import Tokens
from connectors.youtube.fake_channel import ApiError, Channel, Query, secret

QUOTA_UNITS = 10_000_000
"""A thousand real days: a demo polls far faster than a brand would. The fault `quota` uses it up."""
Handler = Callable[[Query, dict[str, Any]], dict[str, Any] | None]


class Fake:
    """One channel with its broadcasts, streams and chats."""

    def __init__(
        self, *, seed: int = 0, ingest_url: str | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._random = random.Random(seed)
        address = ingest_url or "rtmps://a.rtmps.youtube.com:443/live2"
        self._channel = Channel(address, now, self._random)
        self._client = (f"client-{seed}.apps.googleusercontent.com", secret(self._random, "GOCSPX-"))
        self._refresh = secret(self._random, "1//")
        self._access: set[str] = set()
        self._faults: list[dict[str, Any]] = []
        self._counts = {"units": 0, "refreshes": 0}
        self._calls: list[str] = []
        self.app = Starlette(routes=self._routes())

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """Credentials of the channel's owner; polling at the pace of the fake."""
        config = {"client_id": self._client[0], "client_secret": self._client[1], "chat_poll_seconds": 0}
        # Linking again after a revocation gives a new login, as at Google.
        self._access = self._access or {secret(self._random, "ya29.")}
        tokens = Tokens(access=SecretStr(next(iter(self._access))), refresh=SecretStr(self._refresh))
        return config, tokens

    def set_base_url(self, url: str) -> None:
        """Nothing here builds absolute addresses."""

    def _routes(self) -> list[Route]:
        channel = self._channel
        broadcasts, streams, chat = "/liveBroadcasts", "/liveStreams", "/liveChat/messages"
        api: list[tuple[str, str, int, Handler]] = [
            ("GET", broadcasts, 1, channel.list_broadcasts),
            ("POST", broadcasts, 50, channel.insert_broadcast),
            ("DELETE", broadcasts, 50, channel.delete_broadcast),
            ("POST", f"{broadcasts}/bind", 50, channel.bind),
            ("POST", f"{broadcasts}/transition", 50, channel.transition),
            ("GET", streams, 1, channel.list_streams),
            ("POST", streams, 50, channel.insert_stream),
            ("GET", chat, 5, channel.list_chat),
            ("POST", chat, 20, channel.insert_chat),
        ]
        return [
            *(
                Route(f"/youtube/v3{path}", self._serve(cost, do), methods=[verb])
                for verb, path, cost, do in api
            ),
            Route("/token", self._token, methods=["POST"]),
            Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
            Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
            Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
            Route("/_ctl/state", self._ctl_state),
        ]

    # --- every API call --------------------------------------------------------------------------

    def _serve(self, cost: int, handler: Handler) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            path = f"{request.method} {request.url.path}"
            raw = await request.body()
            self._calls.append(path)
            try:
                fault = self._fault("status", path)
                if fault and fault.get("html"):
                    return HTMLResponse("<html><title>Error 502</title></html>", fault["status"])
                if fault:
                    reason = {429: "rateLimitExceeded"}.get(fault["status"], "backendError")
                    wait = fault.get("retry_after")
                    raise ApiError(fault["status"], fault.get("reason", reason), retry_after=wait)
                self._admit(request, cost)
                query = dict(request.query_params)
                # The client sends part=a,b or part=a&part=b.
                query["part"] = ",".join(request.query_params.getlist("part"))
                answer = handler(query, json.loads(raw) if raw else {})
            except ApiError as error:
                return refusal(error)
            if self._fault("lose", path):
                return broken_off()
            return Response(status_code=204) if answer is None else JSONResponse(answer)

        return endpoint

    def _admit(self, request: Request, cost: int) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._access:
            raise ApiError(401, "authError", "Invalid Credentials")
        self._counts["units"] += cost
        if self._counts["units"] > QUOTA_UNITS:
            raise ApiError(403, "quotaExceeded", 'You have exceeded your <a href="/quota">quota</a>.')

    def _fault(self, kind: str, path: str) -> dict[str, Any] | None:
        for fault in self._faults:
            if fault["kind"] == kind and fault.get("path", "") in path:
                fault["count"] = fault.get("count", 1) - 1
                if fault["count"] <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        fault = self._fault("status", "POST /token")
        if fault:
            return JSONResponse({"error": "internal_failure"}, fault["status"])
        if (form.get("client_id"), form.get("client_secret")) != self._client:
            return JSONResponse({"error": "invalid_client"}, 401)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self._refresh:
            return JSONResponse({"error": "invalid_grant", "error_description": "Bad Request"}, 400)
        self._counts["refreshes"] += 1
        access = secret(self._random, "ya29.")
        self._access = {access}
        return JSONResponse({"access_token": access, "expires_in": 3599, "token_type": "Bearer"})

    # --- control ---------------------------------------------------------------------------------

    async def _ctl_chat(self, request: Request) -> Response:
        # {"author", "author_id", "text", "snippet"?, "chat_ref"?}; without chat_ref: every open chat.
        body = await request.json()
        author = (body.get("author_id", "UC_viewer"), body.get("author", "Viewer"))
        refs = (
            [body["chat_ref"]]
            if "chat_ref" in body
            else [r for r, c in self._channel.chats.items() if not c.ended]
        )
        snippet = {"type": "textMessageEvent", **body.get("snippet", {})}
        said = [
            self._channel.say(ref, snippet, text=body.get("text", ""), author=author)["id"] for ref in refs
        ]
        return JSONResponse({"ids": said}, 200 if said else 409)

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        for stream in self._channel.streams.values():
            if stream["cdn"]["ingestionInfo"]["streamName"] == body.get("key"):
                active = body.get("event") == "publish"
                stream["status"]["streamStatus"] = "active" if active else "inactive"
                stream["status"]["healthStatus"] = {"status": "good" if active else "noData"}
                return JSONResponse({"stream": stream["id"]})
        return JSONResponse({"error": "no such stream key"}, 403)

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        kind = fault["kind"]
        if kind in {"expire_token", "revoke"}:
            self._access = set()
        if kind == "revoke":
            self._refresh = secret(self._random, "1//")
        elif kind == "quota":
            self._counts["units"] = QUOTA_UNITS
        elif kind == "forget_place":
            for chat in self._channel.chats.values():
                chat.generation, chat.issued = chat.generation + 1, {}
        elif kind == "end_chat":
            for ref in self._channel.chats:
                self._channel.end_chat(ref)
        elif kind == "clear":
            self._faults, self._counts["units"] = [], 0
        elif kind == "repeat":
            self._channel.repeats += fault.get("count", 1)
        elif kind in {"status", "lose"}:
            self._faults.append(fault)
        elif kind != "expire_token":
            return JSONResponse({"error": f"unknown fault {kind}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, request: Request) -> Response:
        sent = [
            item["snippet"]["displayMessage"]
            for chat in self._channel.chats.values()
            for item in chat.items
            if item["authorDetails"]["isChatOwner"]
        ]
        made = {"broadcasts": list(self._channel.broadcasts.values()), "streams": len(self._channel.streams)}
        return JSONResponse({**self._counts, **made, "calls": self._calls, "sent": sent})


def refusal(error: ApiError) -> Response:
    """`{"error": {"code", "message", "errors": [{"message", "domain", "reason"}]}}`."""
    text = error.message or f"Simulated: {error.reason}."
    detail = {"message": text, "domain": "youtube.sim", "reason": error.reason}
    headers = {} if error.retry_after is None else {"Retry-After": f"{error.retry_after:g}"}
    body = {"error": {"code": error.status, "message": text, "errors": [detail]}}
    return JSONResponse(body, error.status, headers)


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"kind": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
