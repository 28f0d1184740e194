"""Twitch on one port: Helix, the login server and EventSub.

It refuses what Twitch refuses: a wrong Client-Id or token, a missing scope, a session nobody knows, a
subscription that exists, a socket that is not used within ten seconds.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from connectors.twitch.fake_eventsub import EventSub
from connectors.twitch.fake_helix import Channel, HelixError
from connectors.types import Tokens

BUCKET = 800
SHARED = {"source_broadcaster_user_id": None, "source_broadcaster_user_login": None}
SHARED |= {"source_broadcaster_user_name": None, "source_message_id": None, "source_badges": None}


class Fake:
    """One channel of one account."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        # `ingest_url` is not handed out: Twitch's API names no server, the setting does.
        self.channel = Channel(random.Random(seed))
        self.sockets = EventSub(self.channel)
        self._messages: list[dict[str, str]] = []
        self._faults: list[dict[str, Any]] = []
        self._calls: list[str] = []
        helix = {
            "/helix/streams/key": (["GET"], self._stream_key),
            "/helix/streams": (["GET"], self._streams),
            "/helix/channels": (["PATCH"], self._modify),
            "/helix/chat/messages": (["POST"], self._send),
            "/helix/eventsub/subscriptions": (["POST"], self._subscribe),
        }
        self.app = Starlette(
            routes=[
                *(Route(path, self._guarded(do), methods=verbs) for path, (verbs, do) in helix.items()),
                Route("/oauth2/token", self._token, methods=["POST"]),
                Route("/oauth2/validate", self._validate),
                WebSocketRoute("/ws", self.sockets.endpoint),
                Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
                Route("/_ctl/event", self._ctl_event, methods=["POST"]),
                Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """A client, and a login with every scope that is needed."""
        config = {"client_id": self.channel.client_id, "client_secret": self.channel.client_secret}
        return config, self.channel.tokens()

    def set_base_url(self, url: str) -> None:
        """Sessions are told to move to an address on it."""
        self.sockets.base_url = url

    # --- the platform -----------------------------------------------------------------------------

    def _guarded(self, handler: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            self._calls.append(f"{request.method} {request.url.path}")
            headers = {"Ratelimit-Limit": str(BUCKET), "Ratelimit-Remaining": str(BUCKET - 1)}
            headers["Ratelimit-Reset"] = str(int(time.time()) + 1)
            try:
                self._fail(headers)
                given = request.headers
                self.channel.admit(given.get("client-id", ""), given.get("authorization", ""))
                status, answer = await handler(request)
            except HelixError as error:
                return JSONResponse(error.body(), error.status, headers)
            if answer is None:
                return Response(status_code=status, headers=headers)
            return JSONResponse(answer, status, headers)

        return endpoint

    def _fail(self, headers: dict[str, str]) -> None:
        for fault in self._faults:
            fault["count"] -= 1
            self._faults = [left for left in self._faults if left["count"] > 0]
            if "retry_after" in fault:
                # The only word about waiting that Twitch has: the second at which the bucket is full.
                headers["Ratelimit-Remaining"] = "0"
                headers["Ratelimit-Reset"] = str(math.ceil(time.time() + fault["retry_after"]))
            raise HelixError(fault["status"], "simulated")

    async def _stream_key(self, request: Request) -> tuple[int, Any]:
        return 200, self.channel.stream_key(request.query_params.get("broadcaster_id"))

    async def _streams(self, request: Request) -> tuple[int, Any]:
        return 200, self.channel.streams(request.query_params.getlist("user_id"))

    async def _modify(self, request: Request) -> tuple[int, Any]:
        self.channel.modify(request.query_params.get("broadcaster_id"), await request.json())
        return 204, None

    async def _send(self, request: Request) -> tuple[int, Any]:
        answer = self.channel.send(await request.json())
        said = answer["data"][0]
        if said["is_sent"]:
            text = self.channel.sent[-1]["text"]
            author = (self.channel.id, self.channel.name)
            await self.sockets.notify("channel.chat.message", self._message(said["message_id"], author, text))
        return 200, answer

    async def _subscribe(self, request: Request) -> tuple[int, Any]:
        return 202, self.sockets.create(await request.json())

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        try:
            return JSONResponse(self.channel.renew(form))
        except HelixError as error:
            return JSONResponse({"status": error.status, "message": error.message}, error.status)

    async def _validate(self, request: Request) -> Response:
        try:
            return JSONResponse(self.channel.validate(request.headers.get("authorization", "")))
        except HelixError as error:
            return JSONResponse({"status": error.status, "message": error.message}, error.status)

    def _message(self, message_id: str, author: tuple[str, str], text: str) -> dict[str, Any]:
        return {
            **self._channel_names(),
            "chatter_user_id": author[0],
            "chatter_user_login": author[1].lower(),
            "chatter_user_name": author[1],
            "message_id": message_id,
            "message": {
                "text": text,
                "fragments": [
                    {"type": "text", "text": text, "cheermote": None, "emote": None, "mention": None}
                ],
            },
            "message_type": "text",
            "badges": [],
            "color": "",
            "cheer": None,
            "reply": None,
            "channel_points_custom_reward_id": None,
            "channel_points_animation_id": None,
            **SHARED,
            "is_source_only": None,
            "a_field_of_tomorrow": True,
        }

    def _channel_names(self) -> dict[str, str]:
        about = {"id": self.channel.id, "login": self.channel.login, "name": self.channel.name}
        return {f"broadcaster_user_{what}": value for what, value in about.items()}

    # --- control ----------------------------------------------------------------------------------

    async def _ctl_chat(self, request: Request) -> Response:
        # {"author", "author_id", "text", "late"?}, and whatever else of the event is to be different.
        body = await request.json()
        late = bool(body.pop("late", False))
        author, text = (str(body.pop("author_id")), str(body.pop("author"))), str(body.pop("text"))
        event = self._message(self.channel.new_id(), author, text) | body
        self._messages.append({"id": event["message_id"], "author": author[1], "text": text})
        reached = await self.sockets.notify("channel.chat.message", event, late=late)
        return JSONResponse({"ids": [event["message_id"]], "reached": reached})

    async def _ctl_event(self, request: Request) -> Response:
        # Any other event: {"topic", "event", "at"?}; the channel's names are filled in.
        body = await request.json()
        event = {**self._channel_names(), **body["event"]}
        return JSONResponse({"reached": await self.sockets.notify(body["topic"], event, at=body.get("at"))})

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        if not self.channel.ingest(body.get("key", ""), publishing=body.get("event") == "publish"):
            return JSONResponse({"error": "unknown stream key"}, 403)
        return JSONResponse({"publishing": self.channel.stream is not None})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        kind, sockets = fault.pop("kind"), self.sockets
        if kind in {"reconnect", "drop", "text", "revoke_subscription", "revoke"}:
            await self._shake(kind, fault)
            return JSONResponse({"ok": True})
        quiet: dict[str, Callable[[], object]] = {
            "status": lambda: self._faults.append({"count": 1, **fault}),
            "expire_token": self._expire,
            "drop_message": lambda: self.channel.dropping.append(fault),
            "scopes": lambda: setattr(self.channel, "scopes", list(fault["scopes"])),
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
                self._expire()
                self.channel.refresh = self.channel.secret()
                for topic in ("channel.chat.message", "channel.chat.clear"):
                    await self.sockets.revoke(topic, "authorization_revoked")

    def _expire(self) -> None:
        self.channel.access = self.channel.secret()

    async def _ctl_state(self, request: Request) -> Response:
        channel, sockets = self.channel, self.sockets
        return JSONResponse(
            {
                "chat_ref": channel.id,
                "title": channel.title,
                "publishing": channel.stream is not None,
                "messages": self._messages,
                "sent": channel.sent,
                "refreshes": channel.refreshes,
                "validations": channel.validations,
                "calls": self._calls,
                "opened": sockets.opened,
                "subscribed": sockets.subscribed,
                "sessions": [sorted(session.topics) for session in sockets.sessions.values()],
            }
        )
