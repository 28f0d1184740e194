"""A local Instagram: business login, live_media, comments, private replies and live_comments webhooks.

One address stands in for www, api and graph.instagram.com and for graph.facebook.com: logins tell them apart.
Shapes: see samples/.

Control besides the usual: POST /_ctl/live {"on": true | false, "lag"?} (Live Producer; "lag" looks late;
answers with the key) · /_ctl/consent {"answer": "allow" | "deny" | "ask", "scopes"?} · /_ctl/webhook_url
{"url", "verify_token"?, "form"?} · /_ctl/measure {"viewers"?, "reactions"?} · /_ctl/raw_hook (a value to tell
as it is). `/_ctl/chat` also takes "reply_to" and "count" (numbered texts).

Faults (POST /_ctl/fault): {"kind": "status", "status": 429, "retry_after": 7, "count": 1, "path": ""}
(also "html", "code") · "answer" ("body": a whole answer instead; "count", "path") · "throttle" ("minutes",
"code", "count", "path") · "usage" ("percent", and "step" more with each call, throttled at 100) · "lose"
(applied, then the answer breaks off; "count", "path") · "expire_token" · "revoke" · "kill_token"
("subcode") ·
"unknown_field" ("field") · "no_live_media" (this login may not look) · "silent" (no Advanced Access: comments
are counted and never shown) · "minute" (passes; a live without a stream ends) · "duplicate_webhook",
"lost_webhook" ("count") · "hold_webhooks", "release_webhooks" · "clear".
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.instagram.fake_account import Account, GraphError, gone
from connectors.instagram.fake_hooks import Hooks
from connectors.instagram.fake_login import Login
from connectors.types import Tokens

VERSIONS = frozenset({"v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"})
LASTING = frozenset({"usage", "unknown_field", "no_live_media"})
COUNTED = frozenset({"status", "answer", "throttle", "lose"})
Args = dict[str, str]


class Fake:
    """One professional account whose owner has pressed Go live."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        rng = random.Random(seed)
        self._ingest_url = ingest_url or "rtmps://live-upload.instagram.com:443/rtmp"
        self._account = Account(rng, self._tell)
        self._login = Login(rng)
        self._hooks = Hooks(self._login.secret, self._account.id)
        self._subscribed: set[str] = set()
        self._faults: list[dict[str, Any]] = []
        self._calls: list[str] = []
        controls = ("chat", "ingest", "fault", "consent", "webhook_url", "measure", "live", "raw_hook")
        self.app = Starlette(
            routes=[
                *(
                    Route(f"/_ctl/{name}", getattr(self, f"_ctl_{name}"), methods=["POST"])
                    for name in controls
                ),
                Route("/_ctl/state", self._ctl_state),
                Route("/oauth/authorize", self._dialog),
                Route("/{path:path}", self._graph, methods=["GET", "POST", "DELETE"]),
            ],
            lifespan=self._lifespan,
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """As linked by Instagram Login, with the key of the live that is on."""
        token, until = self._login.linked()
        return self._entered(), Tokens(access=SecretStr(token), refresh=SecretStr(token), expires_at=until)

    def through_page(self) -> tuple[dict[str, Any], Tokens]:
        """The same account by way of its Page: another host, another login."""
        config = self._entered() | {"host": "graph.facebook.com", "page_id": self._account.page_id}
        return config, Tokens(access=SecretStr(self._login.through_page()))

    def set_base_url(self, url: str) -> None:
        """Nothing here names it."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._hooks.close()

    def _entered(self) -> dict[str, Any]:
        return {
            "app_id": self._login.app_id,
            "app_secret": self._login.secret,
            "verify_token": self._login.verify_token,
            "url": self._ingest_url,
            "key": self._account.key,
            "account_id": self._account.id,
            "username": self._account.username,
            "chat_poll_seconds": 0.2,
        }

    def _tell(self, value: dict[str, Any]) -> None:
        if self._subscribed:
            self._hooks.tell(value)

    # --- the API -----------------------------------------------------------------------------------

    async def _graph(self, request: Request) -> Response:
        path, raw = f"{request.method} {request.url.path}", await request.body()
        parts = request.path_params["path"].split("/")
        headers = {"facebook-api-version": parts[0]} if len(parts) > 1 else {}
        args = dict(request.query_params)
        is_json = "json" in request.headers.get("content-type", "")
        body = json.loads(raw) if raw and is_json else {}
        if not is_json:
            args |= {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        args.setdefault("access_token", token)
        self._calls.append(path)
        try:
            if (instead := self._fail(path, headers)) is not None:
                return instead
            answer = self._answer(request.method, parts, args, body)
        except GraphError as error:
            return JSONResponse(error.body(), error.status, headers)
        if self._fault("lose", path):
            return broken_off()
        return JSONResponse(answer, headers=headers)

    def _answer(self, method: str, parts: list[str], args: Args, body: dict[str, Any]) -> Any:
        match method, parts:
            case "POST", ["oauth", "access_token"]:
                return self._login.exchange(args, self._account.id)
            case "GET", ["access_token"]:
                return self._login.lengthen(args)
            case "GET", ["refresh_access_token"]:
                return self._login.refresh(args)
        if parts[0] not in VERSIONS:
            raise GraphError(2635, "You are calling a version that does not exist.")
        through_page = self._login.admit(args["access_token"], args.get("appsecret_proof", ""))
        for fault in self._faults:
            if fault["kind"] == "unknown_field" and fault["field"] in args.get("fields", ""):
                raise GraphError(100, f"Tried accessing nonexistent field ({fault['field']})")
        match method, parts[1:]:
            case "GET", ["me"] if not through_page:
                return self._me()
            case "DELETE", ["me", "permissions"]:
                return self._login.revoke()
            case "POST", [comment]:
                return self._account.change(comment, args)
            case "DELETE", [comment]:
                return self._account.remove(comment)
            case "GET", [media, "comments"]:
                return self._account.comments(media, args)
            case _, [owner, edge]:
                return self._edge(method, owner, edge, args, body, through_page)
        raise gone("/".join(parts))

    def _edge(
        self, method: str, owner: str, edge: str, args: Args, body: dict[str, Any], through_page: bool
    ) -> Any:
        account, page = self._account.id, self._account.page_id
        # Instagram's own host knows the account by an alias too; Facebook's host does not.
        known = {account} if through_page else {account, self._account.alias, "me"}
        match method, edge:
            case "GET", "live_media" if owner in known:
                if any(fault["kind"] == "no_live_media" for fault in self._faults):
                    raise GraphError(100, "Tried accessing nonexistent field (live_media)")
                return self._account.live_media(args)
            case "POST", "messages" if owner in ({page} if through_page else known):
                return self._account.answer(body)
            case "POST", "subscribed_apps" if owner in ({page} if through_page else known):
                self._subscribed |= set(args.get("subscribed_fields", "").split(",")) - {""}
                return {"success": True}
            case "POST", "replies":
                raise GraphError(100, "Replies are not supported for comments on live media")
        raise gone(owner)

    def _me(self) -> dict[str, Any]:
        return {
            "id": self._account.alias,
            "user_id": self._account.id,
            "username": self._account.username,
            "name": "The Shop",
            "account_type": "BUSINESS",
            "profile_picture_url": "http://sim/shop.jpg",
        }

    def _fail(self, path: str, headers: dict[str, str]) -> Response | None:
        for fault in self._faults:
            if fault["kind"] == "usage":
                counted = {"type": "instagram", "call_count": fault["percent"], "total_time": 5}
                headers["x-business-use-case-usage"] = json.dumps({self._account.id: [counted]})
                if fault["percent"] >= 100:
                    raise GraphError(80002, "There have been too many calls to this Instagram account.")
                fault["percent"] += fault.get("step", 0)
        if now := self._fault("throttle", path):
            if "minutes" in now:
                usage = {"type": "instagram", "estimated_time_to_regain_access": now["minutes"]}
                headers["x-business-use-case-usage"] = json.dumps({self._account.id: [usage]})
            raise GraphError(now.get("code", 80002), "Too many calls.")
        if now := self._fault("answer", path):
            return JSONResponse(now["body"], headers=headers)
        if now := self._fault("status", path):
            status = now["status"]
            if "retry_after" in now:
                headers["retry-after"] = f"{now['retry_after']:g}"
            if now.get("html"):
                return HTMLResponse("<html>Sorry, something went wrong.</html>", status, headers)
            code = {429: 4, 403: 368}.get(status, 2 if status >= 500 else 100)
            raise GraphError(now.get("code", code), "Simulated.", status=status)
        return None

    def _fault(self, kind: str, path: str) -> dict[str, Any] | None:
        for fault in self._faults:
            if fault["kind"] == kind and fault.get("path", "") in path:
                fault["count"] = fault.get("count", 1) - 1
                if fault["count"] <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    async def _dialog(self, request: Request) -> Response:
        return self._login.dialog(dict(request.query_params))

    # --- control ---------------------------------------------------------------------------------

    async def _ctl_chat(self, request: Request) -> Response:
        body = await request.json()
        author_id, name = body.get("author_id", "igsid_9"), body.get("author", "fan")
        texts = [f"{body['text']}{n}" for n in range(body["count"])] if "count" in body else [body["text"]]
        said = [self._account.say(text, author_id, name, parent=body.get("reply_to")) for text in texts]
        ids = [one for one in said if one]
        return JSONResponse({"ids": ids}, 200 if ids else 409)

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        if self._account.ingest(body.get("key", ""), body.get("event") == "publish"):
            return JSONResponse({"ok": True})
        return JSONResponse({"error": "unknown stream key"}, 403)

    async def _ctl_live(self, request: Request) -> Response:
        body = await request.json()
        if body["on"]:
            return JSONResponse({"key": self._account.go_live(body.get("lag", 0))})
        self._account.end(body.get("lag", 0))
        return JSONResponse({"ok": True})

    async def _ctl_measure(self, request: Request) -> Response:
        self._account.measure(await request.json())
        return JSONResponse({"ok": True})

    async def _ctl_raw_hook(self, request: Request) -> Response:
        self._hooks.tell(await request.json())
        return JSONResponse({"ok": True})

    async def _ctl_consent(self, request: Request) -> Response:
        body = await request.json()
        self._login.answer = body.get("answer", self._login.answer)
        self._login.scopes = body.get("scopes", self._login.scopes)
        return JSONResponse({"ok": True})

    async def _ctl_webhook_url(self, request: Request) -> Response:
        body = await request.json()
        self._hooks.url, self._hooks.form = body["url"], body.get("form", self._hooks.form)
        if "verify_token" not in body:
            return JSONResponse({"ok": True})
        return JSONResponse({"verified": await self._hooks.shake_hands(body["url"], body["verify_token"])})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        kind = fault["kind"]
        if kind in LASTING | COUNTED:
            self._faults.append(fault)
        elif kind in self._switches():
            self._switches()[kind](fault)
        else:
            return JSONResponse({"error": f"unknown fault {kind}"}, 422)
        return JSONResponse({"ok": True})

    def _switches(self) -> dict[str, Callable[[dict[str, Any]], None]]:
        def hooks(name: str, fault: dict[str, Any]) -> None:
            setattr(self._hooks, name, getattr(self._hooks, name) + fault.get("count", 1))

        return {
            "expire_token": lambda _: self._login.unlink(463),
            "revoke": lambda _: self._login.unlink(460),
            "kill_token": lambda fault: self._login.unlink(fault["subcode"]),
            "silent": lambda _: setattr(self._account, "silent", True),
            "minute": lambda _: self._account.minute(),
            "duplicate_webhook": lambda fault: hooks("twice", fault),
            "lost_webhook": lambda fault: hooks("lose", fault),
            "hold_webhooks": lambda _: setattr(self._hooks, "hold", True),
            "release_webhooks": lambda _: self._hooks.release(),
            "clear": lambda _: self._faults.clear(),
        }

    async def _ctl_state(self, request: Request) -> Response:
        state = self._account.state() | {"calls": self._calls, "webhooks": self._hooks.state()}
        more = {"subscribed": sorted(self._subscribed), "revoked": self._login.revoked}
        return JSONResponse(state | more | {"chat_ref": self._account.id})


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"id": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
