"""One SRT caller's leg: it is checked, admitted, then relayed to a listener of its own, packet by packet."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, cast

import structlog

from restream.encode.process import GOODBYE, Child
from restream.gate import Gate, PublishRefused, PublishRequest
from restream.ingest.admission import APP, Admitted, Refusal, refusal
from restream.ingest.srt_media import LOOPBACK, carry, free_port, listener
from restream.rtmp.flv import UnsupportedCodec
from restream.rtmp.flv_file import BrokenFlv
from restream.srt import handshake
from restream.srt.handshake import Handshake, Reject
from restream.srt.packets import BrokenSrt

log = structlog.get_logger()

ASK_AGAIN: Final = 0.05
"""Seconds between our inductions to a listener that is just starting."""
PLAIN: Final = re.compile(r"publish:(?P<key>.+)", re.DOTALL)
CONTROL: Final = "#!::"
CODES: Final = {
    Refusal.KEY: Reject.UNAUTHORIZED,
    Refusal.OVER: Reject.FORBIDDEN,
    Refusal.TAKEN: Reject.CONFLICT,
}


class SrtGate(Gate, Protocol):
    """A gate that also knows who encrypts."""

    def srt_passphrase(self, key: str) -> str | None:
        """The passphrase of the show a key belongs to; None when it has none.

        Raises PublishRefused when no show has the key, so that nobody learns more from us than that.
        """
        ...


@dataclass(frozen=True)
class Patience:
    """Seconds: for the first frame after the handshake, and without a frame afterwards.

    A caller that is gone is noticed earlier: libsrt ends a connection after 5 seconds without a packet.
    """

    greeting: float = 15.0
    silence: float = 30.0


class Rejected(Exception):
    """The caller is turned away with this code."""

    def __init__(self, why: Reject) -> None:
        super().__init__(why.name)
        self.why = why


class _Inside(asyncio.DatagramProtocol):
    """Towards the listener; looks to it like the caller itself."""

    def __init__(self, answer: Callable[[bytes], None]) -> None:
        self._answer = answer
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, _: Any) -> None:
        self._answer(data)

    def error_received(self, _: Exception) -> None:
        """The listener is not there yet, or not any more; its process says which."""

    def send(self, data: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.sendto(data)


class Leg:
    """A caller and its way through us, until both are gone.

    `datagram` is the conclusion it opened with, `question` the same read. `send` reaches the caller.
    """

    def __init__(
        self,
        gate: SrtGate,
        peer: str,
        question: Handshake,
        datagram: bytes,
        send: Callable[[bytes], None],
        patience: Patience,
    ) -> None:
        self._gate = gate
        self._peer = peer
        self._question = question
        self._conclusion = datagram
        self._send = send
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._admitted: Admitted | None = None
        self._inside = _Inside(self._from_listener)
        self._cookie: asyncio.Future[int] = self._loop.create_future()
        self._because = "The encoder stopped."
        self._cut = False
        self._watchdog: asyncio.TimerHandle | None = None
        self._began = self._loop.time()
        self._task = self._loop.create_task(self._run(), name=f"srt leg {peer}")

    @property
    def socket(self) -> int:
        """The caller's socket id; another one at the same address is another caller."""
        return self._question.socket

    @property
    def task(self) -> asyncio.Task[None]:
        """Done when everything of it is gone."""
        return self._task

    def receive(self, datagram: bytes) -> None:
        """A packet of the caller that is not for the public listener."""
        if self._cookie.done():
            self._inside.send(datagram)

    def conclude(self) -> None:
        """The caller repeats its conclusion: it has not heard our listener yet."""
        if self._cookie.done() and not self._cookie.cancelled():
            self._inside.send(handshake.with_cookie(self._conclusion, self._cookie.result()))

    def kick(self, reason: str) -> None:
        """Cut the caller; harmless when it is cut already."""
        if self._cut or self._task.done():
            return  # cancelled twice, the task would not wait for its processes to end
        self._cut = True
        self._because = reason
        if self._admitted:
            self._admitted.close(reason)
        self._task.cancel()

    async def _run(self) -> None:
        try:
            self._admitted, passphrase = await self._admit()
        except Rejected as rejected:
            self._reject(rejected.why)
            return
        self._watchdog = self._loop.call_later(self._patience.greeting, self._watch, self._admitted)
        try:
            await self._relay(self._admitted, passphrase)
        except UnsupportedCodec as error:
            self._because = str(error)
        except (BrokenFlv, OSError) as error:
            log.warning("srt.failed", peer=self._peer, error=str(error))
            self._because = "The feed could not be read. Look at the media worker's log."
            if not self._cookie.done():
                self._reject(Reject.FAILED)
        finally:
            self._watchdog.cancel()
            self._admitted.close(self._because)

    def _reject(self, why: Reject) -> None:
        log.warning("srt.rejected", peer=self._peer, why=why.name)
        self._send(handshake.serialise(handshake.rejection(self._question, why)))

    async def _admit(self) -> tuple[Admitted, str | None]:
        """Everything that is checked before a show notices anything. Raises Rejected."""
        try:
            key = stream_key(self._question.stream_id)
            passphrase = self._gate.srt_passphrase(key)
            self._unlock(passphrase)
            request = PublishRequest(
                app=APP, key=key, peer=self._peer, encoder=self._question.agent, protocol="srt"
            )
            publisher = await self._gate.publish(request, self.kick)
        except BrokenSrt as error:
            raise Rejected(Reject.BAD_REQUEST) from error
        except PublishRefused as error:
            raise Rejected(CODES[refusal(error)]) from error
        return Admitted(publisher, self._loop.time), passphrase

    def _unlock(self, passphrase: str | None) -> None:
        """A wrong passphrase must not take a show over, so it is looked at before the gate is asked."""
        material = self._question.find(handshake.KMREQ)
        if (material is None) != (passphrase is None):
            raise Rejected(Reject.UNSECURE)
        if material is not None and passphrase is not None:
            # Loaded when somebody encrypts: it takes some megabytes of every worker.
            from restream.srt.keys import unlocks

            if not unlocks(passphrase, material):
                raise Rejected(Reject.BAD_SECRET)

    async def _relay(self, admitted: Admitted, passphrase: str | None) -> None:
        port = free_port()
        listening = await listener(port, passphrase, self._patience.greeting)
        try:
            await self._loop.create_datagram_endpoint(
                lambda: self._inside, local_addr=(LOOPBACK, 0), remote_addr=(LOOPBACK, port)
            )
            await self._greet(listening)
            self.conclude()
            await carry(listening, admitted)
            if admitted.last is None:
                self._because = "No video or audio came. Send H.264 and AAC as MPEG-TS."
                log.warning("srt.nothing", peer=self._peer, said=listening.last_words())
        finally:
            # While it ends it tells the caller so, through us: that side goes last.
            await listening.stop(GOODBYE)
            if self._inside.transport:
                self._inside.transport.close()

    async def _greet(self, listening: Child) -> None:
        """Get a cookie from the listener, as soon as it listens. Raises OSError when it does not."""
        first = replace(
            self._question,
            kind=handshake.INDUCTION,
            version=handshake.OLD_VERSION,
            encryption=0,
            extension=handshake.DATAGRAM,
            cookie=0,
            extensions=(),
        )
        induction = handshake.serialise(first)
        deadline = self._loop.time() + self._patience.greeting
        while not self._cookie.done():
            if not listening.running or self._loop.time() > deadline:
                raise OSError(f"the SRT listener did not start: {listening.last_words()}")
            self._inside.send(induction)
            await asyncio.wait({self._cookie}, timeout=ASK_AGAIN)

    def _from_listener(self, datagram: bytes) -> None:
        """What the listener says is for the caller, but for its answers to our inductions."""
        if handshake.is_handshake(datagram):
            try:
                answer = handshake.parse(datagram)
            except BrokenSrt:
                return
            if answer.kind == handshake.INDUCTION:
                if not self._cookie.done():
                    self._cookie.set_result(answer.cookie)
                return
        self._send(datagram)

    def _watch(self, admitted: Admitted) -> None:
        """Cut a caller whose connection lives and carries nothing."""
        silence = self._patience.silence
        quiet = self._loop.time() - (admitted.last or self._began)
        if admitted.last is None or quiet > silence:
            return self.kick(f"No video or audio came for {quiet:.0f} seconds.")
        self._watchdog = self._loop.call_later(silence / 3, self._watch, admitted)
        return None


def stream_key(stream_id: str) -> str:
    """The key in `publish:KEY` or in `#!::m=publish,r=KEY`. Raises Rejected for anything else."""
    if stream_id.startswith(CONTROL):
        parts = (part.partition("=") for part in stream_id[len(CONTROL) :].split(","))
        fields = {name: value for name, _, value in parts}
        if fields.get("m") != "publish":
            raise Rejected(Reject.BAD_MODE)
        key = fields.get("r", "")
    else:
        plain = PLAIN.fullmatch(stream_id)
        key = plain["key"] if plain else ""
    if not key:
        raise Rejected(Reject.BAD_REQUEST)
    return key
