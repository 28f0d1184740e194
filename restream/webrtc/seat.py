"""One sender process as the worker sees it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

import structlog

from restream.encode.process import GOODBYE, Child, start
from restream.webrtc import channel
from restream.webrtc.channel import Answered, Begin, BrokenChannel, Control, Gone, Ready, Splitter, Told, Unit

log = structlog.get_logger()

BEGIN_SECONDS: Final = 30.0
"""A process has to load its libraries first, on a machine that may be busy."""
ANSWER_SECONDS: Final = 10.0
BEHIND: Final = 4 << 20
"""Bytes a process may not have taken yet before it loses pictures up to the next keyframe."""


@dataclass(frozen=True)
class Place:
    """Where senders open their UDP ports: the first at `port` (0: wherever one is free), the next after it.

    `told` are addresses viewers are told beside the ones it is bound to.
    """

    host: str
    port: int
    told: Sequence[str] = ()

    def of(self, number: int) -> Begin:
        """For the sender of that number, from 0."""
        return Begin(self.host, self.port + number if self.port else 0, self.told)


class CannotSend(Exception):
    """A sender process cannot do its work; the sentence says why."""


class Seat(asyncio.Protocol):
    """`begin` it; then `ask`, `tell` and `media`. `lost` is called once when the process is gone."""

    def __init__(self, number: int, gone: Callable[[str, str], None], lost: Callable[[Seat], None]) -> None:
        self.number = number
        self.viewers: set[str] = set()
        self.heard = 0.0
        self.told = Told({}, 0, 0, 0)
        self._gone, self._lost = gone, lost
        self._asks = itertools.count()
        self._answers: dict[int, asyncio.Future[str]] = {}
        self._skipping: set[int] = set()
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self._child: Child | None = None
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._over = False

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._child.pid if self._child else None

    async def begin(self, place: Place) -> None:
        """Start the process and open its port. Raises CannotSend."""
        ours, theirs = socket.socketpair()
        try:
            argv = [sys.executable, "-m", "restream.webrtc", str(theirs.fileno())]
            self._child = await start(f"sender {self.number}", argv, pass_fds=(theirs.fileno(),))
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        except OSError as error:
            ours.close()
            raise CannotSend(f"A WebRTC sender cannot be started: {error.strerror}.") from error
        finally:
            theirs.close()
        self.tell(place.of(self.number))
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                ready = await self._ready
        except TimeoutError as error:
            raise CannotSend("The WebRTC sender did not start in time.") from error
        if ready.trouble:
            raise CannotSend(ready.trouble)
        self.heard = asyncio.get_running_loop().time()
        log.info("whep.sender", number=self.number, port=ready.port)

    def tell(self, message: Control) -> None:
        """Say something; a process that is gone does not hear it."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(channel.control(message))

    def ask(self, make: Callable[[int], Control]) -> asyncio.Future[str]:
        """Say something that is answered. The future raises CannotSend when the process is gone."""
        number = next(self._asks)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if self._over:
            answer.set_exception(CannotSend("The WebRTC sender has ended."))
            return answer
        self._answers[number] = answer
        answer.add_done_callback(lambda _: self._answers.pop(number, None))
        self.tell(make(number))
        return answer

    def media(self, stream: int, data: bytes, *, keyframe: bool) -> None:
        """A message of that stream; dropped to the next keyframe when the process is too slow."""
        if self._transport is None or self._transport.is_closing():
            return
        waiting = self._transport.get_write_buffer_size()
        if stream in self._skipping:
            if not keyframe or waiting > BEHIND // 2:
                return
            self._skipping.discard(stream)
        elif waiting > BEHIND:
            self._skipping.add(stream)
            return
        self._transport.write(data)

    def last_words(self) -> str:
        """What it complained about."""
        return self._child.last_words() if self._child else ""

    def kill(self) -> None:
        """It does not answer any more."""
        if self._child:
            self._child.kill()

    async def stop(self) -> None:
        """End the process, which says goodbye to its viewers."""
        if self._transport:
            self._transport.close()
        if self._child:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await self._child.wait()
            await self._child.stop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._splitter.feed(data)
        except BrokenChannel:
            if self._transport:
                self._transport.abort()
            return
        for message in messages:
            self._hear(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        if not self._ready.done():
            log.error("whep.sender_failed", number=self.number, said=self.last_words())
            self._ready.set_result(Ready(0, "The WebRTC sender ended at once. Look at the worker's log."))
        for answer in list(self._answers.values()):
            if not answer.done():
                answer.set_exception(CannotSend("The WebRTC sender has ended."))
        self._lost(self)

    def _hear(self, message: Control | Unit) -> None:
        if isinstance(message, Answered):
            answer = self._answers.get(message.ask)
            if answer and not answer.done():
                answer.set_result(message.body)
        elif isinstance(message, Gone):
            self._gone(message.viewer, message.why)
        elif isinstance(message, Told):
            self.told, self.heard = message, asyncio.get_running_loop().time()
        elif isinstance(message, Ready) and not self._ready.done():
            self._ready.set_result(message)
