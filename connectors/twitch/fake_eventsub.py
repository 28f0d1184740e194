"""The fake's EventSub: sessions over WebSockets, their subscriptions, and everything that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.twitch.fake_helix import READ_CHAT, READ_POLLS, Channel
from connectors.twitch.fake_logins import HelixError

CHAT = frozenset(
    f"channel.chat.{name}"
    for name in ("message", "notification", "message_delete", "clear_user_messages", "clear")
)
POLLS = frozenset(f"channel.poll.{name}" for name in ("begin", "progress", "end"))
MOST_SESSIONS = 3
GRACE_SECONDS = 30.0
GONE = "websocket transport session does not exist or has already disconnected"
CLOSED_PORT = "ws://127.0.0.1:9/ws"


@dataclass
class SessionState:
    """A session outlives its socket when it is moved."""

    id: str
    socket: WebSocket
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: bool = False
    moving: bool = False
    left: WebSocket | None = None
    """The socket it was moved from."""


class EventSub:
    """All sessions of one account."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.base_url = "http://127.0.0.1:9/"
        self.keepalive: float | None = None
        """Seconds between signs of life, instead of what the client asks for."""
        self.unused = 10.0
        self.storm = 0
        """Sockets that are closed as soon as they have been greeted."""
        self.repeats = 0
        self.opened: list[str] = []
        """How each socket came about: "new", "moved" or "refused"."""
        self.subscribed = 0
        self.sessions: dict[str, SessionState] = {}
        self._moves: dict[str, str] = {}
        self._chores: dict[WebSocket, list[asyncio.Task[None]]] = {}
        self._open_doors = asyncio.Event()
        self._open_doors.set()

    # --- sockets ----------------------------------------------------------------------------------

    async def endpoint(self, socket: WebSocket) -> None:
        """/ws, and where a session is told to move to."""
        await socket.accept()
        self._chores[socket] = []
        move = socket.query_params.get("reconnect")
        session = None
        try:
            session = await (self._join(socket) if move is None else self._rejoin(socket, move))
            if session is not None:
                # Clients have nothing to say here; whoever speaks is thrown out.
                await socket.receive_text()
                await socket.close(4001)
        except WebSocketDisconnect:
            pass
        finally:
            for chore in self._chores.pop(socket):
                chore.cancel()
            if session is not None and session.socket is socket and not session.moving:
                self.sessions.pop(session.id, None)

    async def _join(self, socket: WebSocket) -> SessionState | None:
        session = SessionState(f"AgoQ{self._channel.logins.secret()}", socket)
        self.sessions[session.id] = session
        self.opened.append("new")
        await self._welcome(session, socket)
        self._chore(socket, self._throw_out_unused(session, socket))
        return session

    async def _rejoin(self, socket: WebSocket, move: str) -> SessionState | None:
        session = self.sessions.get(self._moves.pop(move, ""))
        if session is None:
            self.opened.append("refused")
            await socket.close(4007)
            return None
        await self._open_doors.wait()
        self.opened.append("moved")
        session.left, session.socket, session.moving = session.socket, socket, False
        await self._welcome(session, socket)
        return session

    async def _welcome(self, session: SessionState, socket: WebSocket) -> None:
        asked = socket.query_params.get("keepalive_timeout_seconds", "10")
        seconds = self.keepalive or min(600, max(10, int(asked)))
        about = {"id": session.id, "status": "connected", "connected_at": stamp(), "reconnect_url": None}
        frame = self._frame("session_welcome", {"session": {**about, "keepalive_timeout_seconds": seconds}})
        await socket.send_json(frame)
        self._chore(socket, self._keep_alive(session, socket, seconds))
        if self.storm:
            self.storm -= 1
            await self._close(session, 4000)

    async def _keep_alive(self, session: SessionState, socket: WebSocket, seconds: float) -> None:
        while session.socket is socket:
            await asyncio.sleep(seconds)
            if not session.silent:
                await self._send(socket, self._frame("session_keepalive", {}))

    async def _throw_out_unused(self, session: SessionState, socket: WebSocket) -> None:
        await asyncio.sleep(self.unused)
        if not session.topics and session.socket is socket:
            await self._close(session, 4003)

    async def _end_grace(self, session: SessionState, socket: WebSocket) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        if session.socket is socket:
            await self._close(session, 4004)

    async def _close(self, session: SessionState, code: int) -> None:
        self.sessions.pop(session.id, None)
        with suppress(WebSocketDisconnect, RuntimeError):
            await session.socket.close(code)

    def _chore(self, socket: WebSocket, work: Coroutine[Any, Any, None]) -> None:
        self._chores[socket].append(asyncio.create_task(work))

    # --- subscriptions ----------------------------------------------------------------------------

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /helix/eventsub/subscriptions, refused for all of Twitch's reasons."""
        topic, condition, transport = body.get("type"), body.get("condition"), body.get("transport")
        if topic not in CHAT | POLLS or body.get("version") != "1":
            raise HelixError(400, "invalid subscription type and version")
        wanted = {"broadcaster_user_id"} | ({"user_id"} if topic in CHAT else set())
        if not isinstance(condition, dict) or set(condition) != wanted:
            raise HelixError(400, "missing or unparseable subscription condition")
        scope = READ_CHAT if topic in CHAT else READ_POLLS
        if scope not in self._channel.logins.scopes or set(condition.values()) != {self._channel.id}:
            raise HelixError(403, "subscription missing proper authorization")
        if not isinstance(transport, dict) or transport.get("method") != "websocket":
            raise HelixError(400, "invalid transport and auth combination")
        session = self.sessions.get(transport.get("session_id", ""))
        if session is None:
            raise HelixError(400, GONE)
        if topic in session.topics:
            raise HelixError(409, "subscription already exists")
        used = [other for other in self.sessions.values() if other.topics and other is not session]
        if len(used) >= MOST_SESSIONS:
            raise HelixError(429, "number of websocket transports limit exceeded")
        made = {"id": self._channel.new_id(), "status": "enabled", "type": topic, "version": "1", "cost": 0}
        made |= {"condition": condition, "created_at": stamp(), "a_field_of_tomorrow": True}
        session.topics[topic] = made | {"transport": {**transport, "connected_at": stamp()}}
        self.subscribed += 1
        total = sum(len(each.topics) for each in self.sessions.values())
        return {"data": [session.topics[topic]], "total": total, "total_cost": 0, "max_total_cost": 10}

    async def notify(
        self, topic: str, event: dict[str, Any], *, at: str | None = None, late: bool = False
    ) -> int:
        """Tell every session that has subscribed; how many that were. `late` ones take the old socket."""
        told = 0
        for session in list(self.sessions.values()):
            if topic not in session.topics or session.silent:
                continue
            about = {"subscription": session.topics[topic], "event": event}
            frame = self._frame("notification", about, topic=topic, at=at)
            # Twitch promises at least once, and means it.
            copies = 2 if self.repeats else 1
            self.repeats = max(0, self.repeats - 1)
            socket = session.left if late and session.left else session.socket
            for _ in range(copies):
                await self._send(socket, frame)
            told += 1
        return told

    async def revoke(self, topic: str | None, status: str) -> None:
        """A subscription ends, or all of them; the socket stays."""
        for session in list(self.sessions.values()):
            for name in [topic] if topic else list(session.topics):
                about = session.topics.pop(name, None)
                if about is not None:
                    ended = {"subscription": about | {"status": status}}
                    await self._send(session.socket, self._frame("revocation", ended, topic=name))

    # --- trouble ----------------------------------------------------------------------------------

    async def move(self, mode: str) -> None:
        """session_reconnect: to a "good" address, a "dead" or "refused" one, or with the old socket "cut"."""
        for session in list(self.sessions.values()):
            token, old = self._channel.logins.secret(), session.socket
            if mode in {"good", "cut"}:
                self._moves[token] = session.id
            address = f"{self.base_url.replace('http', 'ws', 1)}ws?reconnect={token}"
            about = {"id": session.id, "status": "reconnecting", "keepalive_timeout_seconds": None}
            about |= {"reconnect_url": CLOSED_PORT if mode == "refused" else address}
            session.moving = mode == "cut"
            await self._send(old, self._frame("session_reconnect", {"session": about}))
            if mode == "cut":
                with suppress(WebSocketDisconnect, RuntimeError):
                    await old.close(4004)
            else:
                self._chore(old, self._end_grace(session, old))

    def hold(self, *, on: bool) -> None:
        """Whoever moves waits for the welcome until this is over."""
        if on:
            self._open_doors.clear()
        else:
            self._open_doors.set()

    async def drop(self, code: int) -> None:
        """Close every session."""
        for session in list(self.sessions.values()):
            await self._close(session, code)

    def silence(self) -> None:
        """Sessions that are open and never say a word again."""
        for session in self.sessions.values():
            session.silent = True

    async def say(self, text: str) -> None:
        """Any text, on every socket."""
        for session in list(self.sessions.values()):
            with suppress(WebSocketDisconnect, RuntimeError):
                await session.socket.send_text(text)

    async def _send(self, socket: WebSocket, frame: dict[str, Any]) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await socket.send_json(frame)

    def _frame(
        self, kind: str, payload: dict[str, Any], *, topic: str | None = None, at: str | None = None
    ) -> dict[str, Any]:
        about = {
            "message_id": self._channel.new_id(),
            "message_type": kind,
            "message_timestamp": at or stamp(),
        }
        if topic:
            about |= {"subscription_type": topic, "subscription_version": "1"}
        return {"metadata": about, "payload": payload}


def stamp() -> str:
    """Now, with Twitch's nine decimals."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"
