"""A sender process: takes media from the worker over a Unix socket and sends it to viewers by WebRTC.

It decides nothing. It ends when the worker does; what it had of viewers comes again.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Final, cast

from restream.webrtc import channel, stun
from restream.webrtc.channel import (
    Answered,
    Begin,
    BrokenChannel,
    Control,
    Forget,
    Gone,
    Leave,
    Open,
    Ready,
    Restart,
    Splitter,
    Told,
    Unit,
)
from restream.webrtc.dtls import Identity
from restream.webrtc.offer import answer, parse_viewer, restarted
from restream.webrtc.pacing import Pacer
from restream.webrtc.port import Address, UdpPort, bind, hosts_of
from restream.webrtc.sdp import Local
from restream.webrtc.stage import Line, Pictures, Sound
from restream.webrtc.viewer import Viewer

TICK: Final = 0.2
TELL_EVERY: Final = 1.0
HIGHEST: Final = 2_130_706_431
"""The priority of the first host candidate (RFC 8445, 5.1.2.1)."""


class Sender:
    """`take` gets the worker's messages; `tell` carries ours to it."""

    def __init__(self, tell: Callable[[Control], None]) -> None:
        self._tell = tell
        self._identity = Identity()
        self._pacer = Pacer()
        self._loop = asyncio.get_running_loop()
        self._port: UdpPort | None = None
        self._hosts: list[str] = []
        self._viewers: dict[str, Viewer] = {}
        self._names: dict[str, Viewer] = {}
        self._addresses: dict[Address, Viewer] = {}
        self._lines: dict[str, Line] = {}
        self._streams: dict[int, Pictures | Sound] = {}
        self._repeated = 0
        self._told = self._loop.time()
        self._timer = self._loop.call_later(TICK, self._tick)

    def take(self, message: Control | Unit) -> None:
        """One message of the worker."""
        if isinstance(message, Unit):
            if stream := self._streams.get(message.stream):
                stream.take(message)
        elif isinstance(message, Open):
            self._tell(Answered(message.ask, self._open(message)))
        elif isinstance(message, Restart):
            self._tell(Answered(message.ask, self._restart(message)))
        elif isinstance(message, Leave):
            self._remove(message.viewer)
        elif isinstance(message, Forget):
            self._forget(message.stream)
        elif isinstance(message, Begin):
            self._tell(self._begin(message))

    def close(self) -> None:
        """Say goodbye to everybody."""
        self._timer.cancel()
        for name in list(self._viewers):
            self._remove(name)
        self._pacer.close()
        if self._port:
            self._port.close()

    def _begin(self, message: Begin) -> Ready:
        try:
            self._port = UdpPort(bind(message.host, message.port), self._receive)
        except OSError as error:
            return Ready(0, f"The UDP port {message.port} for WebRTC cannot be opened: {error.strerror}.")
        self._hosts = hosts_of(message.host, message.told)
        return Ready(self._port.number)

    def _open(self, message: Open) -> str:
        if self._port is None:
            return ""
        try:
            offer = parse_viewer(message.offer.encode(), message.profile)
        except ValueError:  # the worker has looked at it before
            return ""
        line = self._lines.setdefault(message.show, Line(time.time))
        pictures = self._streams.setdefault(message.picture, Pictures(line))
        sound = self._streams.setdefault(message.sound, Sound(line))
        if not isinstance(pictures, Pictures) or not isinstance(sound, Sound):
            return ""
        viewer = Viewer(offer, pictures, sound, self._port, self._identity, self._pacer.wait)
        self._viewers[message.viewer] = self._names[viewer.local.username] = viewer
        pictures.watchers.add(viewer)
        sound.watchers.add(viewer)
        return answer(offer, self._with_ways(viewer.local), viewer.sources, viewer.name)

    def _restart(self, message: Restart) -> str:
        viewer = self._viewers.get(message.viewer)
        if viewer is None:
            return ""
        local = viewer.restart()
        self._names[local.username] = viewer
        return restarted(self._with_ways(local))

    def _with_ways(self, local: Local) -> Local:
        port = self._port.number if self._port else 0
        ways = [
            f"{rank + 1} 1 udp {HIGHEST - (rank << 8)} {host} {port} typ host"
            for rank, host in enumerate(self._hosts)
        ]
        return Local(local.username, local.password, local.fingerprint, ways)

    def _receive(self, data: bytes, sender: Address) -> None:
        if not stun.is_stun(data):
            if viewer := self._addresses.get(sender):
                viewer.take(data)
            return
        request = stun.read_request(data)
        viewer = self._names.get(request.username.partition(":")[0]) if request else None
        if request is None or viewer is None:
            return
        before = viewer.address
        viewer.check(request, sender)
        if viewer.address != before and viewer.address:
            if before:
                self._addresses.pop(before, None)
            self._addresses[viewer.address] = viewer

    def _remove(self, name: str) -> None:
        viewer = self._viewers.pop(name, None)
        if viewer is None:
            return
        viewer.close()
        self._pacer.forget(viewer)
        self._repeated += viewer.repeated
        for stream in self._streams.values():
            stream.watchers.discard(viewer)
        self._names = {ours: owner for ours, owner in self._names.items() if owner is not viewer}
        self._addresses = {at: owner for at, owner in self._addresses.items() if owner is not viewer}

    def _forget(self, stream: int) -> None:
        found = self._streams.pop(stream, None)
        for name in [name for name, viewer in self._viewers.items() if found and viewer in found.watchers]:
            self._remove(name)
            self._tell(Gone(name, "The feed has ended."))
        used = {one.line for one in self._streams.values()}
        self._lines = {show: line for show, line in self._lines.items() if line in used}

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK, self._tick)
        for name, viewer in list(self._viewers.items()):
            viewer.tick()
            if viewer.over:
                self._remove(name)
                self._tell(Gone(name, viewer.over))
        if self._port and self._loop.time() - self._told >= TELL_EVERY:
            self._told = self._loop.time()
            known = {
                name: (one.health.loss, one.health.round_trip)
                for name, one in self._viewers.items()
                if one.connected
            }
            repeated = self._repeated + sum(one.repeated for one in self._viewers.values())
            self._tell(Told(known, self._port.sent, repeated, self._port.dropped))


class _Wire(asyncio.Protocol):
    """The Unix socket to the worker."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self._sender = Sender(self._tell)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._splitter.feed(data):
                self._sender.take(message)
        except BrokenChannel:
            self.over.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._sender.close()
        self.over.set()

    def _tell(self, message: Control) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(channel.control(message))


async def run(descriptor: int) -> None:
    """Until the worker closes its end of the socket that was inherited as `descriptor`."""
    ours = socket.socket(fileno=descriptor)
    _, wire = await asyncio.get_running_loop().create_unix_connection(_Wire, sock=ours)
    await wire.over.wait()
