"""The way over SRT: an ffmpeg child turns the live into an MPEG transport stream, our sender carries it."""

from __future__ import annotations

import asyncio
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from restream.api import TargetSpec
from restream.media import Frame
from restream.srt.handshake import LONGEST_STREAM_ID
from restream.srt.packets import PAYLOAD, TS_PACKET
from restream.targets.bundler import Bundle
from restream.targets.piped import Piped, start_piped
from restream.targets.progress import Marks
from restream.targets.srt_sender import DEFAULT_LATENCY, Call, SrtSender
from restream.targets.way import Tally, Terms, Unfit

OUTPUT: Final = (
    *("-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-f", "mpegts"),
    *("-muxdelay", "0", "-muxpreload", "0", "-flush_packets", "1", "pipe:1"),
)
GOODBYE_SECONDS: Final = 4.0
LONGEST_LATENCY: Final = 10_000
"""Milliseconds. ffmpeg and OBS write `latency` in microseconds, everybody else in milliseconds."""
KEY_BYTES: Final = (16, 24, 32)
PASSPHRASE: Final = range(10, 80)


def call_of(spec: TargetSpec) -> Call:
    """Whom to call. What the address says of stream id and passphrase counts where the spec is silent.

    Raises Unfit.
    """
    try:
        parts = urlsplit(spec.url)
        port = parts.port
    except ValueError:
        raise Unfit("The server or the port in the address makes no sense.") from None
    if not parts.hostname or not port:
        raise Unfit("The address must name a server and a port: srt://server:port.")
    asked = dict(parse_qsl(parts.query))
    passphrase = spec.passphrase.get_secret_value() if spec.passphrase else asked.get("passphrase", "")
    if passphrase and len(passphrase.encode()) not in PASSPHRASE:
        raise Unfit("An SRT passphrase has 10 to 79 characters.")
    stream_id = spec.key.get_secret_value() or asked.get("streamid", "")
    if len(stream_id.encode()) > LONGEST_STREAM_ID:
        raise Unfit("An SRT stream id has 512 characters at most.")
    latency, key_bytes = _number(asked, "latency", DEFAULT_LATENCY), _number(asked, "pbkeylen", KEY_BYTES[0])
    if latency > LONGEST_LATENCY:
        latency //= 1000
    if key_bytes not in KEY_BYTES or not 0 < latency <= LONGEST_LATENCY:
        raise Unfit("In the address, latency is milliseconds and pbkeylen is 16, 24 or 32.")
    return Call(parts.hostname, port, stream_id, passphrase, latency, key_bytes)


async def open_srt(spec: TargetSpec, terms: Terms, tally: Tally) -> SrtWay:
    """Call, then start the child. Raises Refused, Unfit, OSError or TimeoutError."""
    call, marks = call_of(spec), Marks()
    way: SrtWay | None = None

    def acknowledged(total: int) -> None:
        if way:
            way.note(total)

    try:
        _, sender = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: SrtSender(call, acknowledged), remote_addr=(call.host, call.port)
        )
    except UnicodeError:
        raise Unfit("The address names no server that could exist.") from None
    try:
        await sender.shake_hands(terms.pace.step)
        piped = await start_piped(f"srt {spec.id}", OUTPUT, terms, tally)
    except BaseException:
        sender.close()
        raise
    way = SrtWay(sender, piped, marks, terms, tally)
    return way


class SrtWay:
    """A child and a sender (`way.Way`)."""

    def __init__(self, sender: SrtSender, piped: Piped, marks: Marks, terms: Terms, tally: Tally) -> None:
        self._sender = sender
        self._piped = piped
        self._marks = marks
        self._terms = terms
        self._tally = tally
        self._sent = 0
        self._rest = b""
        self._seen = (0, 0)
        self._moved_at = sender.heard_at
        self._acknowledged_after: float | None = None

    @property
    def proven(self) -> bool:
        """It acknowledged media."""
        return self._sender.acknowledged > 0

    @property
    def acknowledged(self) -> int:
        """Bytes of the transport stream."""
        return self._sender.acknowledged

    def push(self, frame: Frame) -> None:
        """Feed the child."""
        self._piped.push(frame)
        self._tally.bytes += len(frame.payload)

    def push_bundle(self, bundle: Bundle) -> None:
        """One after the other."""
        for frame in bundle.frames:
            self.push(frame)

    def ended(self) -> None:
        """The connection stays."""
        self._piped.ended()

    async def follow(self) -> str:
        """Carry packets from the child to the far end until one of them ends."""
        carrying = asyncio.create_task(self._carry())
        ends: set[asyncio.Future[None] | asyncio.Future[str]] = {carrying, self._sender.over}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            carrying.cancel()
            await asyncio.gather(carrying, return_exceptions=True)
        if self._sender.over.done():
            return self._sender.over.result()
        return "The process that prepares the stream ended."

    def look(self, now: float) -> str | None:
        """It acknowledges every few milliseconds, and says that it is there when there is nothing to."""
        self._piped.count()
        self._sender.rest()
        seen = (self._sender.acknowledged, self._piped.fed)
        nothing_due = seen[1] == self._seen[1] and not self._sender.owing
        if seen[0] > self._seen[0] or nothing_due:
            self._moved_at = now
        self._seen = seen
        patience = self._terms.pace.stuck
        if now - min(self._moved_at, self._sender.heard_at) > patience:
            return f"The platform has confirmed nothing for {patience:.0f} seconds."
        return None

    def note(self, total: int) -> None:
        """The far end has that many bytes."""
        arrived = self._marks.arrived(total)
        if arrived is not None:
            self._acknowledged_after = self._terms.since(arrived)

    def delay(self) -> tuple[float, Literal["sent", "acknowledged"]] | None:
        """By the newest acknowledgement."""
        after = self._acknowledged_after
        return None if after is None else (after * 1000, "acknowledged")

    async def close(self, *, polite: bool) -> None:
        """Hang up; `polite` lets what is on its way arrive first."""
        try:
            if polite and not self._sender.over.done():
                async with asyncio.timeout(GOODBYE_SECONDS):
                    self._piped.child.finish()
                    await self._carry()
                    await self._sender.drain()
        except TimeoutError:
            pass  # what is late by so much is of no use
        finally:
            self._sender.close()
            await self._piped.close(polite=polite)

    async def _carry(self) -> None:
        child = self._piped.child
        while data := await child.read():
            data = self._rest + data
            whole = len(data) - len(data) % TS_PACKET
            for at in range(0, whole, PAYLOAD):
                self._sender.send(data[at : min(at + PAYLOAD, whole)])
            self._rest = data[whole:]
            self._sent += whole
            if self._piped.arrived:
                self._marks.add(self._sent, self._piped.arrived)
            await self._sender.room.wait()


def _number(asked: dict[str, str], name: str, otherwise: int) -> int:
    value = asked.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else otherwise
