"""We call and send over SRT: the connection, its acknowledgements and what is sent again.

In our own process and not in ffmpeg's, because ffmpeg takes stream id and passphrase on its command line
only, where everybody on the machine can read them; and because here the acknowledgements are ours to see.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from restream.srt import handshake, packets
from restream.srt.handshake import Handshake, Reject
from restream.srt.packets import BrokenSrt, Control
from restream.targets.way import Refused

if TYPE_CHECKING:
    from restream.srt.keys import Secret

ASK_EVERY: Final = 0.25
BURST: Final = 16
PAUSE: Final = 0.002
"""Packets in one go, and the seconds between: up to 84 Mbit/s, so that a keyframe does not flood a router."""
ALIVE_EVERY: Final = 1.0
NUDGE_AFTER: Final = 0.1
MOST_WAITING: Final = 2048
"""Packets; whoever produces them then waits for `room`."""
LEAST_KEPT: Final = 1.0
"""Seconds a packet is kept to be sent again, at least; libsrt does the same."""
DEFAULT_LATENCY: Final = 500
NAMES: Final[dict[int, str]] = {
    Reject.PEER: "it refused the stream",
    Reject.RESOURCE: "it has no room for another stream",
    Reject.BACKLOG: "it has no room for another stream",
    Reject.BAD_SECRET: "the passphrase is wrong",
    Reject.UNSECURE: "it wants a passphrase, or wants none",
    Reject.UNAUTHORIZED: "it does not know the stream key",
    Reject.FORBIDDEN: "it does not allow the stream key",
    Reject.NOT_FOUND: "it does not know the stream key",
    Reject.CONFLICT: "somebody is streaming there already",
}
AUTH: Final = (
    Reject.PEER,
    Reject.BAD_SECRET,
    Reject.UNSECURE,
    Reject.UNAUTHORIZED,
    Reject.FORBIDDEN,
    Reject.NOT_FOUND,
)


@dataclass(frozen=True)
class Call:
    """Whom to call and as whom. `latency` is milliseconds, `key_bytes` 16, 24 or 32."""

    host: str
    port: int
    stream_id: str = field(repr=False)
    passphrase: str = field(repr=False)
    latency: int = DEFAULT_LATENCY
    key_bytes: int = 16


class Kept(NamedTuple):
    """A packet until it is acknowledged. `total` counts the payload up to its end."""

    sequence: int
    packet: bytes
    total: int
    at: float


class SrtSender(asyncio.DatagramProtocol):
    """`send` payloads of PAYLOAD bytes at most; `over` holds the reason when it has ended."""

    def __init__(self, call: Call, on_acknowledged: Callable[[int], None]) -> None:
        self.acknowledged = 0
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self.over: asyncio.Future[str] = self._loop.create_future()
        self.room = asyncio.Event()
        self.room.set()
        self._settled = asyncio.Event()
        self._settled.set()
        self._call = call
        self._tell = on_acknowledged
        self._transport: asyncio.DatagramTransport | None = None
        self._answers: asyncio.Queue[Handshake | Exception] = asyncio.Queue(4)
        self._socket = int.from_bytes(os.urandom(4), "big") >> 1 or 1
        self._peer = 0
        self._began = self._loop.time()
        self._sequence = int.from_bytes(os.urandom(4), "big") % packets.SEQUENCES
        self._messages = 1
        self._secret = _secret(call)
        self._total = 0
        self._queue: deque[Kept] = deque()
        self._flying: deque[Kept] = deque()
        self._window = handshake.WINDOW
        self._pumping: asyncio.TimerHandle | None = None
        self._sent_at = 0.0

    @property
    def owing(self) -> bool:
        """Whether something was sent that is not acknowledged."""
        return bool(self._flying or self._queue)

    async def shake_hands(self, step: float) -> None:
        """Introduce ourselves. Raises Refused, OSError or TimeoutError."""
        call, own, first = self._call, self._socket, self._sequence
        async with asyncio.timeout(step):
            answer = await self._ask(
                lambda: handshake.induction(own, first, self._time()), wanted=handshake.INDUCTION
            )
            cookie = answer.cookie
            answer = await self._ask(
                lambda: handshake.conclusion(
                    own, first, cookie, call.latency, call.stream_id, self._secret, self._time()
                ),
                wanted=handshake.CONCLUSION,
            )
        if self._secret and answer.cannot_decrypt:
            raise _refusal(Reject.BAD_SECRET)
        self._peer = answer.socket
        self._window = min(max(answer.window, 32), handshake.WINDOW)
        self._pump()

    def send(self, payload: bytes) -> None:
        """Queue a packet; never blocks."""
        sequence, encrypted = self._sequence, self._secret is not None
        sealed = self._secret.encrypt(sequence, payload) if self._secret else payload
        packet = packets.data(sequence, self._messages, self._time(), self._peer, sealed, encrypted=encrypted)
        self._sequence = (sequence + 1) % packets.SEQUENCES
        self._messages = self._messages % (packets.MESSAGES - 1) + 1
        self._total += len(payload)
        self._settled.clear()
        self._queue.append(Kept(sequence, packet, self._total, self._loop.time()))
        if len(self._queue) > MOST_WAITING:
            self.room.clear()
        if self._pumping is None:
            self._pump()

    def rest(self) -> None:
        """Called now and then: forget what comes too late to be sent again, and say that we are there."""
        now, kept = self._loop.time(), max(LEAST_KEPT, 2 * self._call.latency / 1000)
        while self._flying and now - self._flying[0].at > kept:
            self._flying.popleft()
        if self._queue and self._pumping is None:
            self._pump()
        if self._peer and now - self._sent_at > ALIVE_EVERY:
            self._say(packets.KEEPALIVE)
        if now - self._sent_at > NUDGE_AFTER:
            self._nudge()

    async def drain(self) -> None:
        """Let what was sent arrive, and be played: a listener throws away what it holds when we hang up."""
        while not self._settled.is_set():
            try:
                async with asyncio.timeout(NUDGE_AFTER):
                    await self._settled.wait()
            except TimeoutError:
                self._nudge()
        await asyncio.sleep(self._call.latency / 1000)

    def close(self) -> None:
        """Say goodbye and hang up."""
        if self._pumping:
            self._pumping.cancel()
        if self._transport and not self._transport.is_closing():
            if self._peer:
                self._say(packets.SHUTDOWN)
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """asyncio's."""
        self.heard_at = self._loop.time()
        try:
            found = packets.read_control(data)
            if found:
                self._obey(found, data)
        except BrokenSrt:
            self.error_received(ConnectionResetError(errno.ECONNRESET, "it speaks no SRT we know"))

    def error_received(self, exc: Exception) -> None:
        """asyncio's: nobody listens there (any more)."""
        if self._peer:
            self._end("The platform can no longer be reached.")
        elif not self._answers.full():
            self._answers.put_nowait(exc)

    def _obey(self, found: Control, packet: bytes) -> None:
        match found.kind:
            case packets.HANDSHAKE:
                if not self._peer and not self._answers.full():
                    self._answers.put_nowait(handshake.parse_answer(packet))
            case packets.ACK:
                if found.info:  # a light one has no number and wants no answer
                    self._say(packets.ACKACK, found.info)
                self._forget(packets.acknowledged(found.body))
            case packets.NAK:
                self._send_again(found.body)
            case packets.SHUTDOWN:
                self._end("The platform closed the connection.")

    def _forget(self, upto: int) -> None:
        newest = None
        while self._flying and packets.ahead(upto, self._flying[0].sequence) > 0:
            newest = self._flying.popleft()
        if newest:
            self.acknowledged = newest.total
            if not self.owing:
                self._settled.set()
            self._tell(newest.total)
            if self._queue and self._pumping is None:
                self._pump()

    def _send_again(self, body: bytes) -> None:
        for first, last in packets.lost(body):
            oldest = self._flying[0].sequence if self._flying else self._sequence
            if packets.ahead(oldest, first) > 0:
                gone = last if packets.ahead(oldest, last) > 0 else (oldest - 1) % packets.SEQUENCES
                self._write(packets.drop_request(first, gone, self._time(), self._peer))
            begin = max(packets.ahead(first, oldest), 0)
            for at in range(begin, min(packets.ahead(last, oldest) + 1, len(self._flying))):
                self._write(packets.again(self._flying[at].packet))

    def _nudge(self) -> None:
        """Send the newest packet again: when it was lost, nothing behind it shows that one is missing."""
        if self._flying:
            self._write(packets.again(self._flying[-1].packet))

    def _pump(self) -> None:
        self._pumping = None
        for _ in range(BURST):
            if not self._queue or not self._peer or len(self._flying) >= self._window:
                break
            kept = self._queue.popleft()
            self._flying.append(kept)
            self._write(kept.packet)
        else:
            self._pumping = self._loop.call_later(PAUSE, self._pump)
        if len(self._queue) <= MOST_WAITING:
            self.room.set()

    async def _ask(self, question: Callable[[], Handshake], *, wanted: int) -> Handshake:
        """Ask until it is answered: a datagram may get lost. The caller limits the time."""
        while True:
            self._write(handshake.serialise(question()))
            try:
                async with asyncio.timeout(ASK_EVERY):
                    while True:
                        answer = await self._answers.get()
                        if isinstance(answer, Exception):
                            raise answer
                        if answer.kind == wanted:
                            return answer
                        if answer.rejected is not None:
                            raise _refusal(answer.rejected)
            except TimeoutError:
                continue

    def _say(self, kind: int, info: int = 0) -> None:
        self._write(packets.control(kind, info, self._time(), self._peer))

    def _write(self, packet: bytes) -> None:
        self._sent_at = self._loop.time()
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(packet)

    def _time(self) -> int:
        return int((self._loop.time() - self._began) * 1_000_000)

    def _end(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_result(reason)


def _secret(call: Call) -> Secret | None:
    if not call.passphrase:
        return None
    # Loaded when somebody encrypts: it takes some megabytes of every worker.
    from restream.srt.keys import secret

    return secret(call.passphrase, os.urandom(call.key_bytes), os.urandom(16))


def _refusal(code: int) -> Refused:
    why, number = NAMES.get(code, "it gave no reason we know"), handshake.FIRST_REJECTION + code
    return Refused(f"The platform refused the stream: {why} (SRT {number}).", auth=code in AUTH)
