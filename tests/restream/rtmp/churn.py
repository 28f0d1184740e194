"""Encoders that come and go in every way there is, many times."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

from restream.rtmp import handshake
from restream.rtmp.message import AUDIO, VIDEO, Message
from restream.rtmp.server import RtmpServer, _Connection
from tests.restream.rtmp.peers import SECONDS, NotingGate, Peer, peer

PICTURE = Message(VIDEO, 0, 1, b"\x17\x01\0\0\0" + bytes(20_000))
AT_ONCE = 20


async def come_and_go(port: int, number: int) -> None:
    """One connection, left in one of seven states."""
    async with peer(port) as one:
        ways = (_nothing, _greeting, _connected, _publishing, _half_a_message, _junk, _refused)
        await ways[number % len(ways)](one)


async def _nothing(one: Peer) -> None:
    pass


async def _greeting(one: Peer) -> None:
    one.writer.write(bytes([handshake.VERSION]) + handshake.hello())
    await one.skip(1 + 2 * handshake.SIZE)


async def _connected(one: Peer) -> None:
    await one.connect()


async def _publishing(one: Peer) -> None:
    await one.publish()
    one.send(PICTURE)
    one.send(Message(AUDIO, 0, 1, b"\xaf\x01sound"))
    one.say("deleteStream", 5, None, 1.0)
    await one.left()


async def _half_a_message(one: Peer) -> None:
    await one.publish()
    one.writer.write(bytes([6, 0, 0, 0, 0x0F, 0xFF, 0xFF, VIDEO, 1, 0, 0, 0]) + bytes(10_000))
    await one.writer.drain()


async def _junk(one: Peer) -> None:
    await one.greet()
    one.writer.write(b"\xc3" * 400)
    await one.left()


async def _refused(one: Peer) -> None:
    await one.publish("guess")
    await one.left()


async def churn(server: RtmpServer, first: int, last: int) -> None:
    """Connections `first` to `last`, some at a time; returns when the server has let go of all of them."""
    waiting = iter(range(first, last))

    async def visitor() -> None:
        for number in waiting:
            await come_and_go(server.port, number)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(visitor())
    async with asyncio.timeout(SECONDS):
        while server._connections:
            await asyncio.sleep(0.02)


def held(gate: NotingGate) -> tuple[int, int]:
    """File descriptors of this process, and connections that are still in memory somewhere."""
    gate.intakes.clear()
    gc.collect()
    alive = sum(isinstance(thing, _Connection) for thing in gc.get_objects())
    return len(os.listdir("/proc/self/fd")), alive  # noqa: PTH208 (numbers, not paths)


def resident() -> int:
    """Bytes of memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
