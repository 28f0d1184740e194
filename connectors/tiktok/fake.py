"""TikTok LIVE on one port: the website's room answer, a signing service, the socket, a bridge, the Login Kit.

It refuses what the real ones refuse: an unknown name, a wrong API key, a socket without the cookie, the
signature or the subprotocol, and a client that speaks before it has entered the room.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.tiktok import fake_wire as wire
from connectors.tiktok.fake_login import Door
from connectors.tiktok.frames import Frame
from connectors.types import Tokens

PROTOCOL = "echo-protocol"
NAME = "simulated.shop"
PUSH_PATH = "/webcast/im/push/v2/"
REPLAYED = 5
KEY_SECONDS = 6 * 3600
DUD = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"


class Fake:
    """One LIVE of one account, on the air from the start."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._url = ingest_url or "rtmp://127.0.0.1:1935/stage"
        self._base = "http://127.0.0.1:9/"
        until = int(time.time()) + KEY_SECONDS
        self._key = f"stream-{self._secret()}?expire={until}&sign={self._secret()}"
        self._api_key, self._cookie = self._secret(), f"ttwid={self._secret()}"
        self._room = 7_300_000_000_000_000_000 + self._random.randrange(10**6)
        self._signatures: set[str] = set()
        self._sockets: set[WebSocket] = set()
        self._bridges: set[WebSocket] = set()
        self._said: list[tuple[int, bytes]] = []
        self._faults: list[dict[str, Any]] = []
        self._switches = {"offline": False, "silent": False, "key_expired": False}
        self._door = Door(random.Random(seed + 1), NAME)
        self._beat_ms = 5000
        self._numbers = {"frame": 0, "message": 7_400_000_000_000_000_000}
        self._seen: dict[str, Any] = {
            "signed": 0,
            "entered": [],
            "beats": [],
            "acks": [],
            "publishing": False,
        }
        self._messages: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[
                Route("/api-live/user/room/", self._room_of),
                Route("/webcast/fetch", self._fetch),
                WebSocketRoute(PUSH_PATH, self._push),
                # Where a rehearsal's settings point: one port has one address for all its sockets.
                WebSocketRoute("/ws", self._push),
                WebSocketRoute("/bridge", self._bridge),
                *self._door.routes,
                Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
                Route("/_ctl/event", self._ctl_event, methods=["POST"]),
                Route("/_ctl/bridge", self._ctl_bridge, methods=["POST"]),
                Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """An app, server and key, and a signing service: without one there would be no chat to show."""
        config = {
            "client_key": self._door.client[0],
            "client_secret": self._door.client[1],
            "url": self._url,
            "key": self._key,
            "handle": f"@{NAME}",
            "signer_url": self._base.rstrip("/"),
            "signer_key": self._api_key,
        }
        return config, None

    def set_base_url(self, url: str) -> None:
        """The signing service's answers and the config name this address."""
        self._base = url

    async def _room_of(self, request: Request) -> Response:
        await self._dawdle()
        if trouble := self._trouble("status"):
            return trouble
        if self._trouble("page"):
            return Response("<!doctype html>Verify to continue", media_type="text/html")
        if request.query_params.get("uniqueId") != NAME:
            return JSONResponse({"statusCode": 19881007, "message": "user_not_found", "data": {}})
        status = 4 if self._switches["offline"] else 2
        user = {"id": "6900000000000000001", "uniqueId": NAME, "roomId": str(self._room), "status": status}
        room = {"status": status, "liveRoomStats": {"userCount": 77, "enterCount": 231}}
        return JSONResponse({"statusCode": 0, "message": "", "data": {"user": user, "liveRoom": room}})

    async def _fetch(self, request: Request) -> Response:
        await self._dawdle()
        if trouble := self._trouble("status") or self._trouble("signer_down"):
            return trouble
        if request.headers.get("x-api-key") != self._api_key:
            return JSONResponse({"code": 401, "message": f"bad key {request.headers.get('x-api-key')}"}, 401)
        if request.query_params.get("room_id") != str(self._room):
            return JSONResponse({"code": 400, "message": "unknown room"}, 400)
        self._seen["signed"] += 1
        signature = self._secret()
        self._signatures.add(signature)
        server = f"ws://{urlsplit(self._base).netloc}{PUSH_PATH}"
        more = (*wire.route({"imprp": "a b+c", "wrss": signature}), (8, self._beat_ms), (10, server), (11, 1))
        past = [comment(*said, history=True) for said in self._said[-REPLAYED:]]
        body = wire.batch(past, f"c{len(self._said)}", ext="ie0", more=more)
        return Response(body, media_type="application/protobuf", headers={"X-Set-TT-Cookie": self._cookie})

    async def _push(self, socket: WebSocket) -> None:
        query = socket.query_params
        asked = socket.headers.get("sec-websocket-protocol", "")
        good = (
            query.get("wrss") in self._signatures
            and query.get("room_id") == str(self._room)
            and query.get("imprp") == "a b+c"
            and socket.headers.get("cookie") == self._cookie
            and PROTOCOL in asked
        )
        if not good or self._trouble("handshake"):
            # TikTok says no with a page: 200 where a socket would be 101.
            await socket.send_denial_response(Response(status_code=200, headers={"Handshake-Msg": "no"}))
            return
        # A signature opens one socket.
        self._signatures.discard(query["wrss"])
        await socket.accept(subprotocol=PROTOCOL)
        with suppress(WebSocketDisconnect):
            await self._converse(socket)
        self._sockets.discard(socket)

    async def _converse(self, socket: WebSocket) -> None:
        while True:
            frame = Frame.decode(await socket.receive_bytes())
            if frame.kind == "im_enter_room":
                room, cursor = wire.entered(frame)
                self._seen["entered"].append({"room": str(room), "cursor": cursor})
                self._sockets.add(socket)
                # The socket goes on where the signature ended: nothing falls in between.
                if missed := self._said[int(cursor.removeprefix("c")) :]:
                    await socket.send_bytes(self._framed([comment(*said) for said in missed]))
            elif socket not in self._sockets:
                await socket.close(1008)
                return
            elif frame.kind == "hb":
                self._seen["beats"].append(wire.beaten(frame)[1])
                await self._tell_viewers(socket)
            elif frame.kind == "ack":
                self._seen["acks"].append([frame.log_id, frame.payload.decode()])

    async def _tell_viewers(self, socket: WebSocket) -> None:
        if self._switches["silent"]:
            return
        number = self._next("message")
        start = wire.common("WebcastRoomUserSeqMessage", number, self._room, now_ms())
        counted = wire.event("WebcastRoomUserSeqMessage", wire.viewers(start, 77), number)
        await socket.send_bytes(self._framed([counted]))

    async def _bridge(self, socket: WebSocket) -> None:
        await socket.accept()
        on_air = socket.query_params.get("unique_id") == NAME and not self._switches["offline"]
        state = "connected" if on_air else "offline"
        await socket.send_json({"v": 1, "type": "status", "state": state, "room_id": str(self._room)})
        self._bridges.add(socket)
        with suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()
        self._bridges.discard(socket)

    async def _ctl_chat(self, request: Request) -> Response:
        body = await request.json()
        number, at_ms = self._next("message"), now_ms()
        author, author_id, text = str(body["author"]), str(body["author_id"]), str(body["text"])
        start = wire.common("WebcastChatMessage", number, self._room, at_ms)
        payload = wire.chat(start, wire.user(author_id, author), text)
        self._said.append((number, payload))
        said = comment(number, payload)
        self._messages.append({"id": str(number), "author": author, "text": text})
        stranger = wire.event("WebcastOfTomorrowMessage", DUD[:3] + b"\x01", self._next("message"))
        # Twice in one frame, beside a kind nobody knows: TikTok does both.
        reached = await self._send(self._framed([said, stranger, said]))
        line = {"v": 1, "type": "comment", "id": str(number), "at_ms": at_ms, "history": False, "text": text}
        line |= {"user": {"id": author_id, "handle": author.lower(), "name": author}, "lang": "en"}
        for bridge in tuple(self._bridges):
            await bridge.send_json(line)
        return JSONResponse({"ids": [str(number)], "reached": reached})

    async def _ctl_event(self, request: Request) -> Response:
        # Any other event: {"method", "payload": hex, "history"}; tests write the payload themselves.
        body = await request.json()
        number = self._next("message")
        payload = bytes.fromhex(body["payload"])
        raw = wire.event(body["method"], payload, number, history=bool(body.get("history")))
        return JSONResponse({"id": str(number), "reached": await self._send(self._framed([raw]))})

    async def _ctl_bridge(self, request: Request) -> Response:
        text = (await request.json())["text"]
        for bridge in tuple(self._bridges):
            await bridge.send_text(text)
        return JSONResponse({"reached": len(self._bridges)})

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        if body.get("key") != self._key or self._switches["key_expired"]:
            return JSONResponse({"error": "unknown stream key"}, 403)
        self._seen["publishing"] = body.get("event") == "publish"
        return JSONResponse({"publishing": self._seen["publishing"]})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        kind, switch_on = fault["kind"], bool(fault.get("on", True))
        once: dict[str, Callable[[WebSocket], Awaitable[None]]] = {
            "drop": lambda socket: socket.close(int(fault.get("code", 1011))),
            "garbage": lambda socket: socket.send_bytes(DUD),
        }
        if kind in {"status", "signer_down", "handshake", "page", "slow"}:
            self._faults.append({"count": 1, "status": 500, **fault})
        elif kind in self._switches:
            self._switches[kind] = switch_on
        elif kind in {"expire_token", "revoke"}:
            (self._door.expire if kind == "expire_token" else self._door.revoke)()
        elif kind == "beat":
            self._beat_ms = int(fault["ms"])
        elif kind in once:
            for socket in (*self._sockets, *(self._bridges if kind == "drop" else ())):
                await once[kind](socket)
        else:
            return JSONResponse({"error": "unknown fault"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, request: Request) -> Response:
        state = {**self._seen, "messages": self._messages, "chat_ref": NAME, "room": str(self._room)}
        listeners = len(self._sockets) + len(self._bridges)
        return JSONResponse({**state, "listeners": listeners, "revoked": self._door.revoked})

    async def _send(self, frame: bytes) -> int:
        for socket in tuple(self._sockets):
            await socket.send_bytes(frame)
        return len(self._sockets)

    def _framed(self, events: list[bytes]) -> bytes:
        number = self._next("frame")
        # Packed and plain in turn; the real one packs when it pays.
        return wire.pushed(wire.batch(events, f"c{number}", ext=f"ie{number}"), number, gzip=number % 2 == 0)

    def _next(self, what: str) -> int:
        self._numbers[what] += 1
        return self._numbers[what]

    async def _dawdle(self) -> None:
        for fault in self._faults:
            if fault["kind"] == "slow" and fault["count"] > 0:
                fault["count"] -= 1
                await asyncio.sleep(float(fault["seconds"]))

    def _trouble(self, kind: str) -> Response | None:
        """The answer of a fault of this kind, while it lasts."""
        for fault in self._faults:
            if fault["kind"] == kind and fault["count"] > 0:
                fault["count"] -= 1
                wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                return JSONResponse({"message": "simulated"}, fault["status"], wait)
        return None

    def _secret(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


def comment(number: int, payload: bytes, *, history: bool = False) -> bytes:
    """A viewer's words as an event; the same ones may come again as history."""
    return wire.event("WebcastChatMessage", payload, number, history=history)


def now_ms() -> int:
    """The time as TikTok's servers write it."""
    return time.time_ns() // 1_000_000
