"""SRT on one UDP port for any number of publishers: `srt://HOST:PORT?streamid=publish:KEY`.

ffmpeg's listener takes one caller and does not show its stream id, so the handshake with strangers is ours:
the induction is answered without remembering anybody (the cookie is an HMAC), the conclusion is read for the
key and the passphrase, and only an admitted caller gets a listener, to which its packets are relayed. No
answer is longer than its question, so nobody can be flooded through us.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import socket
import time
from typing import Any, Final, cast

from restream.ingest.limiter import Limiter
from restream.ingest.srt_leg import Leg, Patience, SrtGate
from restream.srt import handshake
from restream.srt.handshake import Handshake, Reject
from restream.srt.packets import BrokenSrt

__all__ = ["Patience", "SrtGate", "SrtServer", "serve_srt"]

MOST_CALLERS: Final = 64
TRIES_PER_SECOND: Final = 2.0
TRIES_AT_ONCE: Final = 20.0
"""Conclusions of one address; its cookie proves that the address is real."""
COOKIE_SECONDS: Final = 60
BUFFER: Final = 4 << 20

Address = tuple[Any, ...]


class SrtServer(asyncio.DatagramProtocol):
    """The public port. `close` cuts every caller."""

    def __init__(self, gate: SrtGate, patience: Patience) -> None:
        self._gate = gate
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0
        self._legs: dict[Address, Leg] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._limiter = Limiter(TRIES_PER_SECOND, TRIES_AT_ONCE, self._loop.time)
        self._secret = secrets.token_bytes(32)
        self._closing = False

    async def close(self) -> None:
        """Cut every caller, wait for the ends of their processes, close the port."""
        self._closing = True
        for leg in self._legs.values():
            leg.kick("The server is stopping.")
        await asyncio.gather(*self._ending, return_exceptions=True)
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: Address) -> None:
        leg = self._legs.get(address)
        if handshake.is_handshake(data):
            try:
                self._handshake(handshake.parse(data), data, address)
            except BrokenSrt:
                return
        elif leg:
            leg.receive(data)

    def _handshake(self, question: Handshake, data: bytes, address: Address) -> None:
        if question.to or self._closing:
            return  # where it is meant for somebody, it is an answer, and we asked nothing
        minute = int(time.time()) // COOKIE_SECONDS
        if question.kind == handshake.INDUCTION:
            answer = handshake.induction_answer(question, self._cookie(address, minute))
            self._send(handshake.serialise(answer), address)
        elif question.kind == handshake.CONCLUSION and question.cookie in (
            self._cookie(address, minute),
            self._cookie(address, minute - 1),
        ):
            self._conclusion(question, data, address)

    def _conclusion(self, question: Handshake, data: bytes, address: Address) -> None:
        before = self._legs.get(address)
        if before and before.socket == question.socket:
            return before.conclude()
        if why := self._reason_against(question, address):
            return self._send(handshake.serialise(handshake.rejection(question, why)), address)
        if before:
            before.kick("The encoder started again.")
        leg = Leg(
            self._gate,
            str(address[0]),
            question,
            data,
            lambda packet: self._send(packet, address),
            self._patience,
        )
        self._legs[address] = leg
        self._ending.add(leg.task)
        leg.task.add_done_callback(lambda task: self._gone(task, leg, address))
        return None

    def _reason_against(self, question: Handshake, address: Address) -> Reject | None:
        if question.version != handshake.VERSION or question.find(handshake.HSREQ) is None:
            return Reject.VERSION
        if not self._limiter.allows(str(address[0])):
            return Reject.OVERLOAD
        return Reject.OVERLOAD if len(self._legs) >= MOST_CALLERS else None

    def _gone(self, task: asyncio.Task[None], leg: Leg, address: Address) -> None:
        self._ending.discard(task)
        if self._legs.get(address) is leg:
            del self._legs[address]
        if not task.cancelled() and (error := task.exception()):
            self._loop.call_exception_handler({"message": "an SRT caller failed", "exception": error})

    def _send(self, packet: bytes, address: Address) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(packet, address)

    def _cookie(self, address: Address, minute: int) -> int:
        seed = f"{address[0]}|{address[1]}|{minute}".encode()
        return int.from_bytes(hmac.digest(self._secret, seed, "sha256")[:4], "big")


async def serve_srt(gate: SrtGate, host: str, port: int, *, patience: Patience | None = None) -> SrtServer:
    """Open the port; 0 picks a free one. OSError when it is taken."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: SrtServer(gate, patience or Patience()), local_addr=(host, port)
    )
    opened: socket.socket = transport.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    return server
