"""A network that is not good: a relay that loses packets, and a namespace with the kernel's netem."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

GATE = "10.211.77.1"
INSIDE = "10.211.77.2"


@dataclass
class Relay:
    """Between one viewer and the server.

    `loss` is the share of media packets lost on the way to the viewer, `jitter` the most they are delayed by
    (seconds); none overtakes another.
    """

    server: tuple[str, int]
    loss: float = 0.0
    jitter: float = 0.0
    lost: int = 0
    carried: int = 0
    port: int = 0
    _due: float = 0.0
    _under_way: asyncio.Queue[tuple[float, bytes]] = field(default_factory=asyncio.Queue)
    _viewer: tuple[str, int] | None = None
    _chance: random.Random = field(default_factory=lambda: random.Random(7))
    _near: asyncio.DatagramTransport | None = None
    _far: asyncio.DatagramTransport | None = None

    def to_server(self, data: bytes, viewer: tuple[str, int]) -> None:
        self._viewer = viewer
        if self._far:
            self._far.sendto(data, self.server)

    def to_viewer(self, data: bytes) -> None:
        self.carried += 1
        media = 128 <= data[0] < 192 and not 192 <= data[1] < 224
        if media and self._chance.random() < self.loss:
            self.lost += 1
        elif self.jitter:
            now = asyncio.get_running_loop().time()
            self._due = max(self._due, now + self._chance.uniform(0, self.jitter))
            self._under_way.put_nowait((self._due, data))
        else:
            self._deliver(data)

    async def carry(self) -> None:
        """Deliver what is delayed, until cancelled."""
        while True:
            due, data = await self._under_way.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        if self._near and self._viewer and not self._near.is_closing():
            self._near.sendto(data, self._viewer)


class _End(asyncio.DatagramProtocol):
    def __init__(self, relay: Relay, *, near: bool) -> None:
        self._relay, self._near = relay, near

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if self._near:
            self._relay.to_server(data, (str(addr[0]), int(addr[1])))
        else:
            self._relay.to_viewer(data)


@asynccontextmanager
async def relay() -> AsyncIterator[Relay]:
    """A relay; say later which server it is before."""
    loop = asyncio.get_running_loop()
    made = Relay(("127.0.0.1", 0))
    near, _ = await loop.create_datagram_endpoint(lambda: _End(made, near=True), local_addr=("127.0.0.1", 0))
    far, _ = await loop.create_datagram_endpoint(lambda: _End(made, near=False), local_addr=("127.0.0.1", 0))
    made._near, made._far = near, far
    for end in (near, far):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    carrying = asyncio.create_task(made.carry())
    made.port = near.get_extra_info("sockname")[1]
    yield made
    carrying.cancel()
    near.close()
    far.close()


def run(*command: str) -> bool:
    """Whether the machine lets us."""
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0


@contextmanager
def bad_network(folder: Path, *netem: str, browser: str) -> Iterator[Path]:
    """A namespace behind `netem`; a program in it that starts `browser`. The server listens at GATE."""
    number = next(itertools.count(os.getpid()))
    name, outer, inner = f"whep{number}", f"wa{number}"[:15], f"wb{number}"[:15]
    try:
        able = (
            os.geteuid() == 0
            and run("ip", "netns", "add", name)
            and run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
            and run("ip", "addr", "add", f"{GATE}/24", "dev", outer)
            # Or a whole burst would be lost for one packet.
            and run("ip", "link", "set", outer, "up", "gso_max_segs", "1")
            and run("ip", "-n", name, "addr", "add", f"{INSIDE}/24", "dev", inner)
            and run("ip", "-n", name, "link", "set", inner, "up")
            and run("ip", "-n", name, "link", "set", "lo", "up")
            and run("tc", "qdisc", "add", "dev", outer, "root", "netem", *netem)
        )
        if not able:
            pytest.skip("needs root, network namespaces and netem")
        program = folder / "browser"
        program.write_text(f'#!/bin/sh\nexec ip netns exec {name} {browser} "$@"\n')
        program.chmod(0o755)
        yield program
    finally:
        run("ip", "link", "del", outer)
        run("ip", "netns", "del", name)
