"""A local Facebook: Login, the live part of the Graph API v26.0, its comment stream and its webhooks.

It checks tokens and appsecret_proof, versions, states, cursors and lengths. Shapes: see samples/.

Control besides the usual: POST /_ctl/consent {"answer": "allow" | "deny" | "ask", "accounts"?, "scopes"?,
"tasks"?, "page_size"?} · /_ctl/webhook_url {"url", "verify_token"?} · /_ctl/measure {"live_views"?,
"reactions"?, "health"?, "error"?}. `/_ctl/chat` also takes "low_quality", "anonymous",
"reply_to" and "count" (numbered texts).

Faults (POST /_ctl/fault): {"kind": "status", "status": 429, "retry_after": 7, "count": 1, "path": ""}
(also "html", "code") · "answer" ("body": a whole answer instead; "count", "path") · "throttle"
("minutes", "code", "count", "path") · "usage" ("percent", and "step" more with each call, throttled at
100) · "lose" (applied, then the answer breaks off; "count", "path") · "expire_token" · "revoke" ·
"kill_token" ("subcode") · "drop_push" (open streams end) · "refuse_push" · "error_push" (200 with an
error) · "deaf_push" (the next "count" comments are not pushed) · "repeat" (the next comment is pushed
three times, spelled in three ways) · "unknown_field" ("field") · "no_listing" (the Page's live videos
may not be read) · "forget_place" (cursors become invalid) · "slow_stop" (PROCESSING stays) · "lapse"
(announcements expire) · "week" (comments are eight days older) · "duplicate_webhook", "lost_webhook"
("count") · "hold_webhooks", "release_webhooks" · "clear".
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.facebook.fake_hooks import Hooks
from connectors.facebook.fake_login import Login
from connectors.facebook.fake_page import GraphError, Page, gone
from connectors.types import Tokens

VERSIONS = frozenset({"v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"})
LASTING = frozenset({"usage", "refuse_push", "error_push", "unknown_field", "no_listing"})
COUNTED = frozenset({"status", "answer", "throttle", "lose", "deaf_push", "repeat"})
Args = dict[str, str]


class Fake:
    """One person's Pages with their live videos, comments and comment streams; one at first."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._ingest_url = ingest_url or "rtmps://live-api-s.facebook.com:443/rtmp"
        self._base_url = "http://127.0.0.1/"
        self._pages: list[Page] = []
        first = self._page(1)
        self._pages.append(first)
        self._login = Login(self._random, self._pages)
        self._hooks = Hooks(self._login.secret, "page")
        self._faults: list[dict[str, Any]] = []
        self._streams: list[tuple[str, asyncio.Queue[str | None]]] = []
        self._calls: list[str] = []
        controls = ("chat", "ingest", "fault", "consent", "webhook_url", "measure")
        self.app = Starlette(
            routes=[
                *(
                    Route(f"/_ctl/{name}", getattr(self, f"_ctl_{name}"), methods=["POST"])
                    for name in controls
                ),
                Route("/_ctl/state", self._ctl_state),
                Route("/{version}/dialog/oauth", self._dialog),
                Route("/{ref}/live_comments", self._push),
                Route("/{version}/{path:path}", self._graph, methods=["GET", "POST", "DELETE"]),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """A Page token, which has no end and cannot be renewed; linking again gives a new one."""
        config = {
            "app_id": self._login.app_id,
            "app_secret": self._login.secret,
            "verify_token": self._login.verify_token,
            "page_id": self._pages[0].id,
            "chat_poll_seconds": 0.5,
        }
        return config, Tokens(access=SecretStr(self._login.linked()))

    def set_base_url(self, url: str) -> None:
        """Paging links carry it."""
        self._base_url = url
        for page in self._pages:
            page.base_url = url

    def _page(self, number: int) -> Page:
        page = Page(number, self._ingest_url, self._random, self._tell_hooks)
        page.base_url = self._base_url
        return page

    def _tell_hooks(self, owner: str, field: str, value: dict[str, Any]) -> None:
        if any(page.id == owner and field in page.subscribed for page in self._pages):
            self._hooks.tell(owner, field, value)

    # --- the Graph API ---------------------------------------------------------------------------

    async def _graph(self, request: Request) -> Response:
        path, version = f"{request.method} {request.url.path}", request.path_params["version"]
        headers = {"facebook-api-version": version}
        args = dict(request.query_params)
        args |= {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        args.setdefault("access_token", request.headers.get("authorization", "").removeprefix("Bearer "))
        self._calls.append(path)
        try:
            if (instead := self._fail(path, headers)) is not None:
                return instead
            if version not in VERSIONS:
                raise GraphError(2635, "You are calling a deprecated version of the Ads API.")
            answer = self._answer(request.method, request.path_params["path"].split("/"), args)
        except GraphError as error:
            return JSONResponse(error.body(), error.status, headers)
        if self._fault("lose", path):
            return broken_off()
        return JSONResponse(answer, headers=headers)

    def _answer(self, method: str, path: list[str], args: Args) -> Any:
        match method, path:
            case "GET", ["oauth", "access_token"]:
                return self._login.access_token(args)
            case "GET", ["debug_token"]:
                return self._login.debug_token(args)
        page = self._login.admit(args["access_token"], args.get("appsecret_proof", ""))
        match method, path:
            case "GET", ["me", "accounts"] if page is None:
                return self._login.accounts(args)
            case "DELETE", ["me", "permissions"] if page is None:
                return self._login.revoke()
        if page is None or path[0] == "me":
            raise GraphError(210, "A page access token is required to request this resource.")
        if len(path) == 1:
            return self._object(page, method, path[0], args)
        return self._edge(page, method, path, args)

    def _object(self, page: Page, method: str, ref: str, args: Args) -> Any:
        self._check_fields(args)
        if method == "DELETE":
            return page.remove(ref)
        return page.update(ref, args) if method == "POST" else page.get(ref, args)

    def _edge(self, page: Page, method: str, path: list[str], args: Args) -> Any:
        ref, edge = path[0], "/".join(path[1:])
        if edge in {"live_videos", "blocked", "subscribed_apps", "messages"} and ref != page.id:
            raise gone(ref)
        match method, edge:
            case "POST", "live_videos":
                return page.create(args)
            case "GET", "live_videos":
                if any(fault["kind"] == "no_listing" for fault in self._faults):
                    raise GraphError(100, "Unsupported get request.", subcode=33)
                return page.list_videos(args)
            case "POST" | "DELETE", "blocked":
                return page.block(args, lift=method == "DELETE")
            case "POST", "subscribed_apps":
                page.subscribed |= set(args.get("subscribed_fields", "").split(",")) & {"feed", "live_videos"}
                return {"success": True}
            case "POST", "messages":
                return page.answer_privately(args, allowed=self._login.may_message())
            case "GET", "errors":
                return page.list_errors(ref)
            case "GET", "comments":
                self._check_fields(args)
                return page.list_comments(ref, args)
            case "POST", "comments":
                return self._comment(page, ref, args)
        raise gone(ref)

    def _check_fields(self, args: Args) -> None:
        for fault in self._faults:
            if fault["kind"] == "unknown_field" and fault["field"] in args.get("fields", ""):
                raise GraphError(100, f"(#100) Tried accessing nonexistent field ({fault['field']})")

    def _comment(self, page: Page, ref: str, args: Args) -> Any:
        author, text = (page.id, page.name), args.get("message", "")
        try:
            page.video(ref)
        except GraphError:
            comment = page.reply(ref, text, author)
        else:
            comment = page.say(ref, text, author)
        self._tell(comment)
        return {"id": comment["id"]}

    def _fail(self, path: str, headers: dict[str, str]) -> Response | None:
        for fault in self._faults:
            if fault["kind"] == "usage":
                counted = {"call_count": fault["percent"], "total_time": 5, "total_cputime": 5}
                headers["x-app-usage"] = headers["x-page-usage"] = json.dumps(counted)
                if fault["percent"] >= 100:
                    raise GraphError(4, "(#4) Application request limit reached")
                fault["percent"] += fault.get("step", 0)
        if fault_now := self._fault("throttle", path):
            if "minutes" in fault_now:
                usage = {"type": "pages", "call_count": 100, "total_cputime": 5, "total_time": 6}
                usage["estimated_time_to_regain_access"] = fault_now["minutes"]
                headers["x-business-use-case-usage"] = json.dumps({self._pages[0].id: [usage]})
            raise GraphError(fault_now.get("code", 32), "Page request limit reached")
        if fault_now := self._fault("answer", path):
            return JSONResponse(fault_now["body"], headers=headers)
        if fault_now := self._fault("status", path):
            status = fault_now["status"]
            if "retry_after" in fault_now:
                headers["retry-after"] = f"{fault_now['retry_after']:g}"
            if fault_now.get("html"):
                return HTMLResponse("<html>Sorry, something went wrong.</html>", status, headers)
            code = {429: 4, 403: 368}.get(status, 2 if status >= 500 else 100)
            raise GraphError(fault_now.get("code", code), "Simulated.", status=status)
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

    # --- the comment stream ----------------------------------------------------------------------

    async def _push(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        query, ref = request.query_params, request.path_params["ref"]
        self._calls.append(f"GET {request.url.path}")
        kinds = {fault["kind"] for fault in self._faults}
        try:
            if kinds & {"refuse_push", "error_push"}:
                raise GraphError(3, "Application does not have the capability to make this API call.")
            page = self._login.admit(query.get("access_token", token), query.get("appsecret_proof", ""))
            if page is None or page.video(ref)["id"] != ref:
                raise gone(ref)
        except GraphError as error:
            return JSONResponse(error.body(), 200 if "error_push" in kinds else error.status)
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

    def _tell(self, comment: dict[str, Any]) -> None:
        if self._fault("deaf_push", ""):
            return
        number, ref = comment["id"].rpartition("_")[2], comment["live"]
        spellings = [number, comment["id"], f"{ref}_{number}"] if self._fault("repeat", "") else [number]
        names = ("message", "from", "created_time", "parent")
        for spelling in spellings:
            event = {"id": spelling, **{name: comment[name] for name in names if name in comment}}
            for watched, queue in self._streams:
                if watched == ref:
                    queue.put_nowait(json.dumps(event))

    # --- control ---------------------------------------------------------------------------------

    async def _ctl_chat(self, request: Request) -> Response:
        # In every running live video of every Page.
        body = await request.json()
        author = (
            None if body.get("anonymous") else (body.get("author_id", "psid_7"), body.get("author", "Viewer"))
        )
        texts = [f"{body['text']}{n}" for n in range(body["count"])] if "count" in body else [body["text"]]
        low, said = bool(body.get("low_quality")), []
        for page, ref, text in [(p, r, text) for p in self._pages for r in p.running() for text in texts]:
            comment = page.say(ref, text, author, low_quality=low, parent=body.get("reply_to"))
            if not low:
                self._tell(comment)
            said.append(comment["id"])
        return JSONResponse({"ids": said}, 200 if said else 409)

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        for page in self._pages:
            ref = page.ingest(body.get("key", ""), body.get("event") == "publish")
            if ref:
                return JSONResponse({"live_video": ref})
        return JSONResponse({"error": "unknown stream key"}, 403)

    async def _ctl_measure(self, request: Request) -> Response:
        body = await request.json()
        for page in self._pages:
            page.measure(body)
        return JSONResponse({"ok": True})

    async def _ctl_consent(self, request: Request) -> Response:
        body = await request.json()
        self._login.answer = body.get("answer", self._login.answer)
        for name in ("scopes", "tasks", "page_size"):
            setattr(self._login, name, body.get(name, getattr(self._login, name)))
        while len(self._pages) < body.get("accounts", 1):
            self._login.grow(self._page(len(self._pages) + 1))
        return JSONResponse({"ok": True})

    async def _ctl_webhook_url(self, request: Request) -> Response:
        body = await request.json()
        self._hooks.url = body["url"]
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
        def forget(_: dict[str, Any]) -> None:
            for page in self._pages:
                page.generation += 1

        def slow(_: dict[str, Any]) -> None:
            for page in self._pages:
                page.slow_stop = True

        def lapse(_: dict[str, Any]) -> None:
            for page in self._pages:
                page.expire()

        def week(_: dict[str, Any]) -> None:
            for page in self._pages:
                page.grow_old(timedelta(days=8))

        def drop(_: dict[str, Any]) -> None:
            for _ref, queue in self._streams:
                queue.put_nowait(None)

        def hooks(name: str, fault: dict[str, Any]) -> None:
            setattr(self._hooks, name, getattr(self._hooks, name) + fault.get("count", 1))

        return {
            "expire_token": lambda _: self._login.unlink(463),
            "revoke": lambda _: self._login.unlink(460),
            "kill_token": lambda fault: self._login.unlink(fault["subcode"]),
            "drop_push": drop,
            "forget_place": forget,
            "slow_stop": slow,
            "lapse": lapse,
            "week": week,
            "duplicate_webhook": lambda fault: hooks("twice", fault),
            "lost_webhook": lambda fault: hooks("lose", fault),
            "hold_webhooks": lambda _: setattr(self._hooks, "hold", True),
            "release_webhooks": lambda _: self._hooks.release(),
            "clear": lambda _: self._faults.clear(),
        }

    async def _ctl_state(self, request: Request) -> Response:
        pages = [page.state() for page in self._pages]
        merged: dict[str, Any] = {
            name: [item for page in pages for item in page[name]] for name in pages[0] if name != "comments"
        }
        merged["comments"] = sum(page["comments"] for page in pages)
        merged |= {"calls": self._calls, "streams": len(self._streams), "webhooks": self._hooks.state()}
        return JSONResponse(merged | {"revoked": self._login.revoked})


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"id": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
