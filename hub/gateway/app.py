"""The gateway process: WebSockets on picows, one NATS subscription per show somebody watches."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import nats
import structlog
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)
from sqlmodel import col, select

from hub.auth.tokens import Tokens
from hub.bus import Bus, Event
from hub.clock import Clock, wall_clock
from hub.db import Database
from hub.errors import HubError, Unauthorised
from hub.gateway.room import Member, Room
from hub.secrets import Vault
from hub.settings import Settings, secrets_of
from hub.shows.models import Show

log = structlog.get_logger()

COUNT_EVERY = 1.0
LARGEST_FRAME = 4096
"""Clients only ever say hello; anything bigger is not one of ours."""


@dataclass(frozen=True)
class Visit:
    """Who wants in, and what they have seen."""

    show_id: UUID
    viewer_id: str | None
    after: int | None


class Gateway:
    """Rooms by show. Everything happens in one event loop."""

    def __init__(self, db: Database, bus: Bus, tokens: Tokens, clock: Clock) -> None:
        self.name = secrets.token_hex(4)
        self._db = db
        self._bus = bus
        self._tokens = tokens
        self._clock = clock
        self._rooms: dict[UUID, Room] = {}
        self._opening: dict[UUID, asyncio.Task[Room]] = {}
        self._leave: dict[UUID, Callable[[], Awaitable[None]]] = {}
        self._joining: set[asyncio.Task[None]] = set()

    def accept(self, request: WSUpgradeRequest) -> Screen | WSUpgradeResponseWithListener | None:
        """picows' router: /ws for screens, /healthz for supervisors."""
        parts = urlsplit(request.path.decode("latin-1"))
        if parts.path == "/healthz":
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_ok_response(b'{"ok":true}'), None)
        if parts.path == "/metrics":
            sockets = sum(len(room.members) for room in self._rooms.values())
            text = f"# TYPE simulcast_gateway_sockets gauge\nsimulcast_gateway_sockets {sockets}\n"
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_ok_response(text.encode()), None)
        if parts.path != "/ws":
            return None
        query = parse_qs(parts.query)
        try:
            visit = self._visit(query.get("token", [""])[0], query.get("after", [""])[0])
        except HubError as error:
            refused = WSUpgradeResponse.create_error_response(401, error.detail.encode())
            return WSUpgradeResponseWithListener(refused, None)
        return Screen(self, visit)

    def _visit(self, token: str, after: str) -> Visit:
        seen = int(after) if after.isdecimal() else None
        try:
            viewer = self._tokens.read_viewer(token)
            return Visit(viewer.show_id, viewer.id, seen)
        except Unauthorised:
            return Visit(self._tokens.read_ticket(token).show_id, None, seen)

    def enter(self, member: Member, visit: Visit) -> None:
        """Let a screen in, as soon as its room is open."""
        task = asyncio.get_running_loop().create_task(self._enter(member, visit))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    async def _enter(self, member: Member, visit: Visit) -> None:
        try:
            room = await self._room(visit.show_id)
            while self._rooms.get(visit.show_id) is not room:  # closed as empty at this very moment
                room = await self._room(visit.show_id)
        except (HubError, nats.errors.Error) as error:
            # A screen that is sent away comes back; one that hears nothing waits for ever.
            log.warning("gateway.no_room", show=str(visit.show_id), error=type(error).__name__)
            member.wire.close()
            return
        room.join(member, visit.after, self._clock().isoformat())
        self._count(visit.show_id, room)

    def leave(self, member: Member, visit: Visit) -> None:
        """A screen is gone."""
        room = self._rooms.get(visit.show_id)
        if room:
            room.leave(member)

    async def _room(self, show_id: UUID) -> Room:
        """The room, opened once however many ask at the same time."""
        if show_id in self._rooms:
            return self._rooms[show_id]
        if show_id not in self._opening:
            self._opening[show_id] = asyncio.get_running_loop().create_task(self._open(show_id))
        try:
            return await asyncio.shield(self._opening[show_id])
        finally:
            self._opening.pop(show_id, None)

    async def _open(self, show_id: UUID) -> Room:
        room = Room(seq=0)

        async def hear(event: Event) -> None:
            if event.kind == "viewers.counted":
                room.count(str(event.data["gateway"]), int(event.data["count"]), self._now())
            else:
                room.hear(event)

        # Subscribe before asking for the number: what happens in between is heard, not lost.
        leave = await self._bus.subscribe(f"show.{show_id}.>", hear)
        try:
            async with self._db.session() as session:
                query = select(Show.seq).where(col(Show.id) == show_id)
                room.seq = max(room.seq, (await session.exec(query)).first() or 0)
        except HubError:
            await leave()
            raise
        self._rooms[show_id], self._leave[show_id] = room, leave
        return room

    async def keep_counting(self) -> None:
        """Tell all gateways how many screens are here; close rooms that nobody is in."""
        while True:
            await asyncio.sleep(COUNT_EVERY)
            for show_id, room in list(self._rooms.items()):
                await self._bus.publish(self._counted(show_id, room))
                if not room.members:
                    del self._rooms[show_id]
                    await self._leave.pop(show_id)()

    def _count(self, show_id: UUID, room: Room) -> None:
        room.count(self.name, sum(not member.staff for member in room.members), self._now())

    def _counted(self, show_id: UUID, room: Room) -> Event:
        viewers = sum(not member.staff for member in room.members)
        data = {"gateway": self.name, "count": viewers}
        return Event(show_id=show_id, kind="viewers.counted", audience="staff", data=data)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class Screen(WSListener):
    """One WebSocket; the `Wire` of its member."""

    def __init__(self, gateway: Gateway, visit: Visit) -> None:
        self._gateway = gateway
        self._visit = visit
        self._transport: WSTransport | None = None
        self._member = Member(self, visit.viewer_id)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """picows: the handshake is done."""
        self._transport = transport
        self._gateway.enter(self._member, self._visit)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """picows: a frame. Screens have nothing to say but goodbye, and that is answered."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """picows: gone."""
        self._transport = None
        self._gateway.leave(self._member, self._visit)

    def send(self, frame: bytes) -> None:
        """One text frame, if the socket is still there."""
        if self._transport:
            self._transport.send(WSMsgType.TEXT, frame)
        else:
            self._gateway.leave(self._member, self._visit)

    def close(self) -> None:
        """Hang up; the browser calls again."""
        if self._transport:
            self._transport.send_close()
            self._transport.disconnect()

    def waiting(self) -> int:
        """Bytes in the socket's write buffer."""
        return self._transport.underlying_transport.get_write_buffer_size() if self._transport else 0


async def run_gateway(settings: Settings, clock: Clock = wall_clock) -> None:
    """Serve until cancelled."""
    if not settings.database_url or not settings.nats_url:
        raise RuntimeError("DATABASE_URL and NATS_URL must be set; `simulcast up` sets them by itself.")
    tokens = Tokens(Vault(secrets_of(settings).secret_key), clock)
    async with Bus(settings.nats_url) as bus, Database(settings.database_url, pool_size=2) as db:
        gateway = Gateway(db, bus, tokens, clock)
        server = await ws_create_server(
            gateway.accept,
            settings.bind,
            settings.gateway_port,
            enable_auto_ping=True,
            max_frame_size=LARGEST_FRAME,
            backlog=4096,
        )
        async with server:
            log.info("gateway.ready", port=settings.gateway_port)
            await gateway.keep_counting()
