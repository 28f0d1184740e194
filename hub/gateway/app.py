"""The gateway process: WebSockets on picows, one NATS subscription per show somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import nats
import structlog
from picows import (
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlmodel import col, select

from hub.auth.service import Auth
from hub.auth.tokens import Tokens
from hub.bus import Bus, Event
from hub.clock import Clock, wall_clock
from hub.db import Database
from hub.errors import HubError, Unauthorised
from hub.events.schema import LARGEST_FRAME
from hub.events.stream import EventStream
from hub.gateway.crowd import SUBJECT, Crowd
from hub.gateway.deflate import ANSWER, accepted
from hub.gateway.door import Door, room_for_screens
from hub.gateway.figures import Figures, Report
from hub.gateway.intake import Intake
from hub.gateway.room import MOST_PENDING, Room
from hub.gateway.screen import CALM, Screen, Visit
from hub.gateway.staff import StaffScreens
from hub.ids import new_id
from hub.secrets import Vault
from hub.settings import Settings, secrets_of
from hub.shows.models import Show

log = structlog.get_logger()

COUNT_EVERY: Final = 1.0
CHECK_EVERY: Final = 5.0
"""Between two looks into the table: whether a number was given out that we never heard of."""
OPEN_SECONDS: Final = 15.0
"""For opening a room; a screen that waited so long is sent away, and comes back."""
HANDSHAKE_SECONDS: Final = 5.0
"""For saying who one is, from the first byte to the last of the request."""
SILENT_SECONDS: Final = 25.0
"""Then a screen is asked whether it is there; our pages speak every 20 seconds, and are not asked."""
FIRST_BUFFER: Final = 2048
"""Bytes to read into, for each screen: enough for a request with its token."""
SOCKET_BUFFER: Final = 64 << 10
"""Bytes the kernel keeps for each screen, besides ours; left to itself it takes up to 4 MiB."""
BACK_A_SECOND: Final = 1000
"""Screens that come back in a second, after they were sent away."""
LONGEST_WAY_BACK: Final = 15.0
LAST_WORDS: Final = 1.0
"""Seconds for goodbyes to leave."""


class Gateway:
    """Rooms by show. Everything happens in one event loop. `doubt` is set when news may have been lost."""

    def __init__(
        self,
        db: Database,
        bus: Bus,
        tokens: Tokens,
        clock: Clock,
        door: Door,
        crowd: Crowd,
        doubt: asyncio.Event,
        stream: EventStream,
    ) -> None:
        self.figures = Figures()
        self.staff = StaffScreens(db, Auth(clock))
        self.intake = Intake(stream, clock, self.figures, lambda show_id: self._live.get(show_id))
        self._db = db
        self._bus = bus
        self._tokens = tokens
        self._clock = clock
        self._door = door
        self._crowd = crowd
        self._doubt = doubt
        self._rooms: dict[UUID, Room] = {}
        self._opening: dict[UUID, asyncio.Task[Room]] = {}
        self._leave: dict[UUID, Callable[[], Awaitable[None]]] = {}
        self._live: dict[UUID, datetime | None] = {}
        self._joining: set[asyncio.Task[None]] = set()
        self._closing = False
        self._deserted = asyncio.Event()

    def accept(self, request: WSUpgradeRequest) -> Screen | WSUpgradeResponseWithListener | None:
        """picows' router: /ws for screens, /healthz for supervisors, /metrics for Prometheus."""
        parts = urlsplit(request.path.decode("latin-1"))
        if parts.path == "/healthz":
            return answer(WSUpgradeResponse.create_ok_response(b'{"ok":true}'))
        if parts.path == "/metrics":
            return answer(
                WSUpgradeResponse.create_ok_response(self.report(), {"Content-Type": CONTENT_TYPE_LATEST})
            )
        if parts.path != "/ws":
            return None
        if self._door.full or self._closing:
            self.figures.refused_full += 1
            return answer(WSUpgradeResponse.create_error_response(503, b"Too many here. Try again later."))
        query = parse_qs(parts.query)
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
        inflates = accepted(",".join(request.headers.getall("Sec-WebSocket-Extensions", ())))
        try:
            visit = self._visit(query.get("token", [""])[0], query.get("after", [""])[0], forwarded)
        except HubError as error:
            self.figures.refused_token += 1
            return answer(WSUpgradeResponse.create_error_response(401, error.detail.encode()))
        screen = Screen(self, replace(visit, inflates=inflates))
        agreed = {"Sec-WebSocket-Extensions": ANSWER} if inflates else None
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(agreed), screen)

    def report(self) -> bytes:
        """The figures of all processes of this port."""
        registry = CollectorRegistry()
        registry.register(Report(self._crowd.figures(self.figures)))
        return generate_latest(registry)

    def _visit(self, token: str, after: str, forwarded: str) -> Visit:
        seen = int(after) if after.isdecimal() and len(after) < 19 else None
        try:
            viewer = self._tokens.read_viewer(token)
            return Visit(viewer.show_id, viewer.id, seen, forwarded, viewer.brand_id)
        except Unauthorised:
            ticket = self._tokens.read_ticket(token)
            staff = (ticket.session_id, ticket.role) if ticket.session_id else None
            return Visit(ticket.show_id, None, seen, forwarded, staff=staff)

    def came(self, screen: Screen, peer: str) -> bool:
        """Let a screen in, as soon as its room is open."""
        screen.address = self._door.address(peer, screen.visit.forwarded)
        if not self._door.enter(screen.address):
            self.figures.refused_address += 1
            return False
        self._count_in(screen, 1)
        if screen.visit.staff:
            self.staff.came(screen, screen.visit.staff)
        task = asyncio.get_running_loop().create_task(self._enter(screen))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)
        return True

    def left(self, screen: Screen) -> None:
        """A screen is gone."""
        self._door.leave(screen.address)
        self._count_in(screen, -1)
        self.staff.left(screen)
        if room := self._rooms.get(screen.visit.show_id):
            room.leave(screen.member)
        if screen.stay:
            self._note("leave", screen)
        if self.figures.viewers + self.figures.staff == 0:
            self._deserted.set()

    def slowed(self, screen: Screen, *, behind: bool) -> None:
        """A screen takes no more for now, or it does again."""
        if room := self._rooms.get(screen.visit.show_id):
            if behind:
                room.fell_behind(screen.member)
            else:
                room.caught_up(screen.member)

    def annoyed(self) -> None:
        """A screen talked too much and was closed."""
        self.figures.closed_noisy += 1

    def told(self, screen: Screen, frame: bytes, *, too_often: bool) -> None:
        """A page says what its viewer did. Staff are no viewers; who is not in yet says it again."""
        visit = screen.visit
        if visit.viewer_id is None or visit.brand_id is None or screen.stay is None:
            return
        if too_often:
            self.intake.put_off(screen, None, int(CALM))
        else:
            self.intake.said(screen, visit.brand_id, visit.show_id, visit.viewer_id, frame)

    def _note(self, kind: Literal["join", "leave"], screen: Screen) -> None:
        visit = screen.visit
        if visit.viewer_id is not None and visit.brand_id is not None:
            screen.stay = screen.stay or new_id()
            self.intake.came_or_went(kind, visit.brand_id, visit.show_id, visit.viewer_id, screen.stay)

    def _count_in(self, screen: Screen, by: int) -> None:
        if screen.member.staff:
            self.figures.staff += by
        else:
            self.figures.viewers += by

    async def _enter(self, screen: Screen) -> None:
        show_id = screen.visit.show_id
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                room = await self._room(show_id)
                while self._rooms.get(show_id) is not room:  # closed as empty at this very moment
                    room = await self._room(show_id)
        except (HubError, nats.errors.Error, TimeoutError) as error:
            # A screen that is sent away comes back; one that hears nothing waits for ever.
            log.warning("gateway.no_room", show=str(show_id), error=type(error).__name__)
            screen.close()
            return
        if screen.stays:
            room.join(screen.member, screen.visit.after, self._clock().isoformat())
            self._note("join", screen)

    async def _room(self, show_id: UUID) -> Room:
        """The room, opened once however many ask at the same time."""
        if show_id in self._rooms:
            return self._rooms[show_id]
        if show_id not in self._opening:
            opening = asyncio.get_running_loop().create_task(self._open(show_id))
            opening.add_done_callback(lambda _: self._opening.pop(show_id, None))
            self._opening[show_id] = opening
        return await asyncio.shield(self._opening[show_id])

    async def _open(self, show_id: UUID) -> Room:
        room: Room | None = None
        early: deque[Event] = deque(maxlen=MOST_PENDING)

        async def hear(event: Event) -> None:
            if event.kind == "show.changed" and event.data.get("live_at"):
                self._live[show_id] = datetime.fromisoformat(event.data["live_at"])
            if room is None:
                early.append(event)
            else:
                room.hear(event)

        # Subscribe before asking for the number: what happens in between is heard, not lost.
        leave = await self._bus.subscribe(f"show.{show_id}.>", hear)
        try:
            seq = (await self._numbers([show_id])).get(show_id, 0)  # and when it went live
        except BaseException:
            await leave()
            raise
        room = Room(seq, self.figures)
        room.count(self._crowd.elsewhere(str(show_id)))
        for event in early:
            room.hear(event)
        self._rooms[show_id], self._leave[show_id] = room, leave
        return room

    async def _numbers(self, shows: Iterable[UUID]) -> dict[UUID, int]:
        """The newest number of each show, from the database; when it went live is noted on the way."""
        async with self._db.session() as session:
            query = select(Show.id, Show.seq, Show.live_at).where(col(Show.id).in_([*shows]))
            rows = (await session.exec(query)).all()
        self._live |= {show_id: live_at for show_id, _, live_at in rows}
        return {show_id: seq for show_id, seq, _ in rows}

    async def keep_counting(self) -> None:
        """Tell all processes how many screens are here; close rooms that nobody is in."""
        while True:
            await asyncio.sleep(COUNT_EVERY)
            self._crowd.forget_silent(self._now(), deaf=not self._bus.connected)
            for show_id, room in list(self._rooms.items()):
                if room.members:
                    room.count(self._crowd.elsewhere(str(show_id)))
                else:
                    del self._rooms[show_id]
                    self._live.pop(show_id, None)
                    await self._leave.pop(show_id)()
            self.figures.rooms = len(self._rooms)
            counts = {str(show_id): room.watching for show_id, room in self._rooms.items()}
            await self._bus.tell(SUBJECT, self._crowd.beat(counts, self.figures))

    async def hear_others(self) -> None:
        """Hear what the other processes count."""
        await self._bus.listen(SUBJECT, lambda words: self._crowd.hear(words, self._now()))

    async def keep_checking(self) -> None:
        """Notice news that were lost, and have every screen of the room load a snapshot.

        The bus tells when it was away. A process that died between its commit and its news tells nothing, so
        the table is asked now and then.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_EVERY):
                    await self._doubt.wait()
            try:
                await self._check()
            except HubError:
                await asyncio.sleep(COUNT_EVERY)

    async def _check(self) -> None:
        if not self._rooms:
            self._doubt.clear()
            return
        doubt = self._doubt.is_set()
        self._doubt.clear()
        try:
            numbers = await self._numbers(self._rooms)
        except HubError:
            if doubt:
                self._doubt.set()
            raise
        for show_id, number in numbers.items():
            room = self._rooms.get(show_id)
            if room and room.check(number, doubt=doubt):
                log.warning("gateway.hole", show=str(show_id), screens=len(room.members))

    async def close(self) -> None:
        """Send all screens away, spread out on their way back."""
        self._closing = True
        for task in (*self._joining, *self._opening.values()):
            task.cancel()
        screens = self.figures.viewers + self.figures.staff
        seconds = min(LONGEST_WAY_BACK, 0.5 + screens / BACK_A_SECOND)
        for room in tuple(self._rooms.values()):
            await room.closed(int(seconds * 1000))
        await self._bus.tell(SUBJECT, self._crowd.beat({}, self.figures, gone=True))
        if screens:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    await self._deserted.wait()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def answer(response: WSUpgradeResponse) -> WSUpgradeResponseWithListener:
    """Plain HTTP."""
    return WSUpgradeResponseWithListener(response, None)


def listen(settings: Settings) -> socket.socket:
    """The port; several processes share it, and the kernel deals out who comes."""
    family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)  # inherited by what it accepts
    if settings.gateway_processes > 1:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((settings.bind, settings.gateway_port))
    except OSError:
        listening.close()
        raise
    return listening


async def run_gateway(settings: Settings, clock: Clock = wall_clock, door: Door | None = None) -> None:
    """Serve until cancelled. `door`: another one than the settings and this machine suggest."""
    if not settings.database_url or not settings.nats_url:
        raise RuntimeError("DATABASE_URL and NATS_URL must be set; `simulcast up` sets them by itself.")
    tokens = Tokens(Vault(secrets_of(settings).secret_key), clock)
    door = door or Door(room_for_screens(), settings.trusted_proxies)
    crowd = Crowd(secrets.token_hex(4), f"{socket.gethostname()}:{settings.gateway_port}")
    doubt = asyncio.Event()
    async with (
        Bus(settings.nats_url, doubt.set) as bus,
        EventStream(settings.nats_url) as stream,
        Database(settings.database_url, pool_size=2) as db,
    ):
        gateway = Gateway(db, bus, tokens, clock, door, crowd, doubt, stream)
        await gateway.hear_others()
        server = await ws_create_server(
            gateway.accept,
            sock=listen(settings),
            backlog=4096,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
            enable_auto_ping=True,
            auto_ping_idle_timeout=SILENT_SECONDS,
            max_frame_size=LARGEST_FRAME,
            read_buffer_init_size=FIRST_BUFFER,
        )
        log.info("gateway.ready", port=settings.gateway_port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(gateway.keep_counting())
                tasks.create_task(gateway.keep_checking())
                tasks.create_task(gateway.staff.keep_checking())
        finally:
            server.close()  # comes back at once: nobody new is let in, and the port is free for another
            await gateway.close()
            await gateway.intake.close()
