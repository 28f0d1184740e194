"""Our own reader of TikTok's chat: signed address, WebSocket, envelopes, events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

import aiohttp

from connectors.base import Session
from connectors.errors import RetryLater
from connectors.http import Patience, websocket
from connectors.tiktok import shapes
from connectors.tiktok.config import Config
from connectors.tiktok.frames import Batch, Event, Frame, ack, enter_room, heartbeat
from connectors.tiktok.items import Inbox
from connectors.tiktok.pace import Pace, suspension
from connectors.tiktok.protobuf import Malformed, read
from connectors.tiktok.signer import Door, Signer
from connectors.types import ChatHealth, ChatItem

PROTOCOL = "echo-protocol"
CONTROL = "WebcastControlMessage"
PAUSED, RESUMED, ENDED, SUSPENDED = 1, 2, 3, 4
MOST_GARBLED = 20


@dataclass
class Watch:
    """How one connection is doing; times are the loop's."""

    began: float
    heard: float
    troubled: bool = False
    garbled: int = 0
    """Unreadable frames in a row."""


class Reader:
    """Reads one room through a signing service."""

    def __init__(
        self,
        session: Session[Config],
        pace: Pace,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._signer = Signer(session)
        self._pace = pace
        self._now = now
        self._sleep = sleep

    async def messages(self, room: int, inbox: Inbox, *, missed: bool) -> AsyncGenerator[ChatItem, None]:
        """Ends with the LIVE; every lost connection is RetryLater."""
        door = await self._signer.door(room)
        async with AsyncExitStack() as stack:
            socket = await self._enter(stack, door)
            watch = Watch(began=self._now(), heard=self._now())
            seconds = door.batch.heartbeat or self._pace.heartbeat
            beat = asyncio.create_task(self._beat(socket, door.room_id, seconds))
            stack.push_async_callback(stopped, beat)
            yield ChatHealth(state="connected", missed=missed)
            # What comes with the signature is the recent past, whether it says so or not.
            past = [Event(one.method, one.payload, one.msg_id, history=True) for one in door.batch.events]
            for item in read_all(Batch(events=tuple(past)), inbox, watch)[0]:
                yield item
            async with aclosing(self._follow(socket, inbox, watch)) as items:
                async for item in items:
                    yield item

    async def _enter(self, stack: AsyncExitStack, door: Door) -> aiohttp.ClientWebSocketResponse:
        opening = websocket(door.address, headers=door.headers(), protocols=(PROTOCOL,))
        try:
            socket = await stack.enter_async_context(opening)
        except RetryLater:
            # Also TikTok's way to say no: an address that is blocked gets a page instead of a socket.
            raise RetryLater("TikTok did not open the chat from here.", 2 * self._pace.again_early) from None
        await quietly(socket.send_bytes(enter_room(door.room_id, door.batch.cursor)))
        return socket

    async def _follow(
        self, socket: aiohttp.ClientWebSocketResponse, inbox: Inbox, watch: Watch
    ) -> AsyncGenerator[ChatItem, None]:
        over, patience = False, Patience()
        while not over:
            data = await self._receive(socket, watch, patience)
            if data is not None:
                items, over = await self._frame(socket, data, inbox, watch)
                for item in items:
                    yield item
            for item in inbox.due(all_of_them=over):
                yield item
            silent = self._now() - watch.heard
            if silent >= self._pace.dead:
                raise RetryLater("TikTok's chat had gone silent.", self._pace.again)
            if silent >= self._pace.quiet and not watch.troubled:
                watch.troubled = True
                yield ChatHealth(state="degraded", detail="TikTok's chat is unusually silent.", missed=True)

    async def _receive(
        self, socket: aiohttp.ClientWebSocketResponse, watch: Watch, patience: Patience
    ) -> bytes | None:
        """The next binary message; None when there is none for a moment."""
        try:
            message = await patience.wait(socket.receive(), self._pace.tick)
        except TimeoutError:
            return None
        if message.type is aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        if message.type is aiohttp.WSMsgType.TEXT:
            # TikTok never writes text; it is counted as unreadable.
            return str(message.data).encode()
        early = self._now() - watch.began < self._pace.settled
        pause = self._pace.again_early if early else self._pace.again
        raise RetryLater(f"TikTok closed the chat ({socket.close_code or 'no reason'}).", pause)

    async def _frame(
        self, socket: aiohttp.ClientWebSocketResponse, data: bytes, inbox: Inbox, watch: Watch
    ) -> tuple[list[ChatItem], bool]:
        """What a frame says, and whether the LIVE is over."""
        try:
            frame = Frame.decode(data)
            batch = Batch.decode(frame.payload) if frame.kind == "msg" else Batch()
        except Malformed:
            watch.garbled += 1
            if watch.garbled >= MOST_GARBLED:
                pause = 2 * self._pace.again_early
                raise RetryLater("TikTok's chat can't be understood any more.", pause) from None
            return trouble(watch), False
        watch.garbled = 0
        if batch.need_ack:
            await quietly(socket.send_bytes(ack(frame.log_id, batch.internal_ext)))
        items, clean = read_all(batch, inbox, watch)
        if batch.events:
            watch.heard = self._now()
            if watch.troubled and clean:
                watch.troubled = False
                items.insert(0, ChatHealth(state="connected"))
        controls = [control_of(event) for event in batch.events if event.method == CONTROL]
        if SUSPENDED in controls:
            raise suspension()
        if PAUSED in controls:
            items.append(ChatHealth(state="degraded", detail="The LIVE is paused on TikTok."))
        if RESUMED in controls:
            items.append(ChatHealth(state="connected"))
        return items, ENDED in controls

    async def _beat(self, socket: aiohttp.ClientWebSocketResponse, room_id: int, seconds: float) -> None:
        """A task of its own: a slow reader downstream must not cost the connection."""
        count = 0
        while not socket.closed:
            count += 1
            await quietly(socket.send_bytes(heartbeat(room_id, count)))
            await self._sleep(seconds)


def read_all(batch: Batch, inbox: Inbox, watch: Watch) -> tuple[list[ChatItem], bool]:
    """What a batch says, and whether all of it could be read."""
    items: list[ChatItem] = []
    clean = True
    for event in batch.events:
        try:
            items += inbox.read(event)
        except Malformed:
            # One event in a new shape must not cost the others of its batch.
            clean = False
            items += trouble(watch)
    return items, clean


def trouble(watch: Watch) -> list[ChatItem]:
    """Says once that something could not be read."""
    if watch.troubled:
        return []
    watch.troubled = True
    return [ChatHealth(state="degraded", detail="Part of TikTok's chat can't be read.", missed=True)]


def control_of(event: Event) -> int:
    """What happened to the LIVE as a whole; 0 for an event that can't be read."""
    try:
        return read(shapes.Control, event.payload).action
    except Malformed:
        return 0


async def quietly(sending: Awaitable[None]) -> None:
    """A send on a connection that may be gone: the next receive tells, with the reason."""
    try:
        await sending
    except ConnectionError:
        return


async def stopped(task: asyncio.Task[None]) -> None:
    """Cancel and wait, so that nothing outlives the reader."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
