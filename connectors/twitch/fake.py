"""Twitch on one port: Helix, the login server, the list of ingest servers and EventSub.

It refuses what Twitch refuses: a wrong Client-Id or token, a missing scope, a session nobody knows, a
subscription that exists, a socket that is not used within ten seconds, calls beyond 800 points a minute,
messages that come too fast, a code that was used.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from connectors.twitch.fake_chat import Chat, cheermotes
from connectors.twitch.fake_eventsub import EventSub
from connectors.twitch.fake_helix import Channel
from connectors.twitch.fake_logins import HelixError
from connectors.types import Tokens

BUCKET = 800
MINUTE = 60.0
SUBSCRIPTIONS = "eventsub/subscriptions"
Handler = Callable[[QueryParams, dict[str, Any]], Any]
"""Query and body in; an answer, or a promise of one; None is 204."""


class Fake:
    """One channel of one account."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self.channel = Channel(random.Random(seed))
        self.logins = self.channel.logins
        self.sockets = EventSub(self.channel)
        self.chat = Chat(self.channel, self.sockets)
        self._ingest_url = ingest_url
        self._servers: dict[str, Any] | None = None
        self._faults: list[dict[str, Any]] = []
        self._calls: list[str] = []
        self._points, self._points_at = float(BUCKET), time.monotonic()
        self.app = Starlette(
            routes=[
                *(
                    Route(f"/helix/{path}", self._guarded(path, do), methods=[verb])
                    for (verb, path), do in self._helix().items()
                ),
                Route("/oauth2/authorize", self.logins.authorize),
                Route("/oauth2/token", self._login_server(self._token), methods=["POST"]),
                Route("/oauth2/revoke", self._login_server(self._revoke), methods=["POST"]),
                Route("/oauth2/validate", self._login_server(self._validate)),
                Route("/ingests", self._ingests),
                WebSocketRoute("/ws", self.sockets.endpoint),
                Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
                Route("/_ctl/notice", self._ctl_notice, methods=["POST"]),
                Route("/_ctl/event", self._ctl_event, methods=["POST"]),
                Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
                Route("/_ctl/consent", self._ctl_consent, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """A client, and a login with every scope that is needed."""
        config = {"client_id": self.logins.client_id, "client_secret": self.logins.client_secret}
        return config, self.logins.tokens()

    def set_base_url(self, url: str) -> None:
        """Sessions are told to move to an address on it."""
        self.sockets.base_url = url

    # --- the platform -----------------------------------------------------------------------------

    def _helix(self) -> dict[tuple[str, str], Handler]:
        channel, chat = self.channel, self.chat
        return {
            ("GET", "users"): lambda query, _: channel.users(query.getlist("id")),
            ("GET", "streams/key"): lambda query, _: channel.stream_key(query.get("broadcaster_id")),
            ("GET", "streams"): lambda query, _: channel.streams(query.getlist("user_id")),
            ("GET", "games"): lambda query, _: channel.games(query.getlist("name")),
            ("GET", "search/categories"): lambda query, _: channel.search(query.get("query", "")),
            ("GET", "bits/cheermotes"): lambda *_: cheermotes(),
            ("PATCH", "channels"): lambda query, body: channel.modify(query.get("broadcaster_id"), body),
            ("POST", "chat/messages"): lambda _, body: chat.send(body),
            ("POST", "chat/announcements"): chat.announce,
            ("DELETE", "moderation/chat"): lambda query, _: chat.delete(query),
            ("POST", "moderation/bans"): chat.ban,
            ("DELETE", "moderation/bans"): lambda query, _: chat.unban(query),
            ("POST", SUBSCRIPTIONS): lambda _, body: self.sockets.create(body),
        }

    def _guarded(self, path: str, handler: Handler) -> Any:
        async def endpoint(request: Request) -> Response:
            self._calls.append(f"{request.method} {request.url.path}")
            headers: dict[str, str] = {}
            try:
                fault = await self._trouble(headers)
                self._spend(headers)
                given = request.headers
                self.logins.admit(given.get("client-id", ""), given.get("authorization", ""))
                body = await request.json() if await request.body() else {}
                answer = handler(request.query_params, body)
                answer = await answer if inspect.isawaitable(answer) else answer
                if fault == "lost":
                    # Done, and nobody hears of it.
                    raise HelixError(503, "simulated")
            except HelixError as error:
                return JSONResponse(error.body(), error.status, headers)
            if answer is None:
                return Response(status_code=204, headers=headers)
            return JSONResponse(answer, 202 if path == SUBSCRIPTIONS else 200, headers)

        return endpoint

    async def _trouble(self, headers: dict[str, str]) -> str:
        if not self._faults:
            return ""
        fault = self._faults[0]
        fault["count"] -= 1
        self._faults = [left for left in self._faults if left["count"] > 0]
        if fault["kind"] == "slow":
            await asyncio.sleep(fault["seconds"])
        if fault["kind"] != "status":
            return str(fault["kind"])
        if "retry_after" in fault:
            # The only word about waiting that Twitch has: the second at which the bucket is full.
            headers["Ratelimit-Remaining"] = "0"
            headers["Ratelimit-Reset"] = str(math.ceil(time.time() + fault["retry_after"]))
        raise HelixError(fault["status"], "simulated")

    def _spend(self, headers: dict[str, str]) -> None:
        now = time.monotonic()
        self._points = min(BUCKET, self._points + (now - self._points_at) * BUCKET / MINUTE)
        self._points_at = now
        enough = self._points >= 1
        self._points -= 1 if enough else 0
        full = time.time() + (BUCKET - self._points) * MINUTE / BUCKET
        headers["Ratelimit-Limit"], headers["Ratelimit-Remaining"] = str(BUCKET), str(int(self._points))
        headers["Ratelimit-Reset"] = str(math.ceil(full))
        if not enough:
            raise HelixError(429, "Too Many Requests")

    def _login_server(self, handler: Callable[[Request], Awaitable[Any]]) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                answer = await handler(request)
            except HelixError as error:
                return JSONResponse({"status": error.status, "message": error.message}, error.status)
            return JSONResponse(answer) if answer is not None else Response()

        return endpoint

    async def _token(self, request: Request) -> Any:
        return self.logins.token(await form_of(request))

    async def _revoke(self, request: Request) -> None:
        self.logins.revoke(await form_of(request))

    async def _validate(self, request: Request) -> Any:
        return self.logins.validate(request.headers.get("authorization", ""))

    async def _ingests(self, _: Request) -> Response:
        return JSONResponse(self._servers or self.channel.ingests(self.sockets.base_url, self._ingest_url))

    # --- control ----------------------------------------------------------------------------------

    async def _ctl_chat(self, request: Request) -> Response:
        return JSONResponse(await self.chat.say(await request.json()))

    async def _ctl_notice(self, request: Request) -> Response:
        # {"type", "author", "author_id", "about", "text"?}, and whatever of the event is to be different.
        body = await request.json()
        author = (str(body.pop("author_id")), str(body.pop("author")))
        event = self.chat.notice(body.pop("type"), author, body.pop("about"), body.pop("text", "")) | body
        await self.sockets.notify("channel.chat.notification", event)
        return JSONResponse({"ids": [event["message_id"]]})

    async def _ctl_event(self, request: Request) -> Response:
        # Any other event: {"topic", "event", "at"?}; the channel's names are filled in.
        body = await request.json()
        event = {**self.chat.names(), **body["event"]}
        return JSONResponse({"reached": await self.sockets.notify(body["topic"], event, at=body.get("at"))})

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        if not self.channel.ingest(body.get("key", ""), publishing=body.get("event") == "publish"):
            return JSONResponse({"error": "unknown stream key"}, 403)
        return JSONResponse({"publishing": self.channel.stream is not None})

    async def _ctl_consent(self, request: Request) -> Response:
        # A Twitch login is always one channel: a number of accounts is passed over.
        self.logins.answer = str((await request.json())["answer"])
        return JSONResponse({"ok": True, "accounts": 1})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        kind, sockets = fault["kind"], self.sockets
        if kind in {"reconnect", "drop", "text", "revoke_subscription", "revoke"}:
            await self._shake(kind, fault)
            return JSONResponse({"ok": True})
        quiet: dict[str, Callable[[], object]] = {
            **dict.fromkeys(("status", "slow", "lost"), lambda: self._faults.append({"count": 1, **fault})),
            "expire_token": self.logins.expire,
            "points": lambda: setattr(self, "_points", float(fault["left"])),
            "drop_message": lambda: self.chat.dropping.append(fault),
            "announcement_pause": lambda: setattr(self.chat, "announcement_pause", float(fault["seconds"])),
            "ingests": lambda: setattr(self, "_servers", {"ingests": fault["list"]}),
            "scopes": lambda: setattr(self.logins, "scopes", list(fault["scopes"])),
            "hold_welcome": lambda: sockets.hold(on=bool(fault.get("on", True))),
            "zombie": sockets.silence,
            "duplicate": lambda: setattr(sockets, "repeats", int(fault.get("count", 1))),
            "storm": lambda: setattr(sockets, "storm", int(fault["count"])),
            "keepalive": lambda: setattr(sockets, "keepalive", float(fault["seconds"])),
            "unused": lambda: setattr(sockets, "unused", float(fault["seconds"])),
        }
        if kind not in quiet:
            return JSONResponse({"error": f"unknown fault {kind}"}, 422)
        quiet[kind]()
        return JSONResponse({"ok": True})

    async def _shake(self, kind: str, fault: dict[str, Any]) -> None:
        """The faults that running sessions hear of."""
        match kind:
            case "reconnect":
                await self.sockets.move(fault.get("mode", "good"))
            case "drop":
                await self.sockets.drop(int(fault.get("code", 4000)))
            case "text":
                await self.sockets.say(str(fault["text"]))
            case "revoke_subscription":
                await self.sockets.revoke(fault["type"], fault["status"])
            case "revoke":
                self.logins.disconnect()
                await self.sockets.revoke(None, "authorization_revoked")

    async def _ctl_state(self, request: Request) -> Response:
        channel, sockets, chat, info = self.channel, self.sockets, self.chat, self.channel.info
        return JSONResponse(
            {
                "chat_ref": channel.id,
                "title": info["title"],
                "category": info["game_id"],
                "language": info["broadcaster_language"],
                "tags": info["tags"],
                "publishing": channel.stream is not None,
                "messages": chat.messages,
                "sent": chat.sent,
                "announced": chat.announced,
                "deleted": chat.deleted,
                "silenced": chat.silenced,
                "refreshes": self.logins.refreshes,
                "validations": self.logins.validations,
                "revoked": self.logins.revoked,
                "calls": self._calls,
                "opened": sockets.opened,
                "subscribed": sockets.subscribed,
                "sessions": [sorted(session.topics) for session in sockets.sessions.values()],
            }
        )


async def form_of(request: Request) -> dict[str, str]:
    """Fields of a body as forms send it, or of the query: Twitch takes both."""
    body = parse_qs((await request.body()).decode())
    return {**dict(request.query_params), **{name: values[0] for name, values in body.items()}}
