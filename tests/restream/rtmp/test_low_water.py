"""Few wake-ups for a fast feed, and nothing left lying for a slow one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from restream.rtmp.low_water import FAST_BYTES, LEAST_BYTES, LOOK_SECONDS, LowWater
from tests.restream.rtmp.peers import SECONDS


class Intake(asyncio.Protocol):
    """Counts what comes, and how often it was woken for it."""

    def __init__(self) -> None:
        self.bytes = self.wakes = 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        self.wakes += 1

    def mark(self) -> int:
        """What the kernel was told last."""
        assert self.transport
        kernel = self.transport.get_extra_info("socket")
        return int(kernel.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT))


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Intake, asyncio.StreamWriter]]:
    """A real connection whose receiving side is watched."""
    intake = Intake()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: intake, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    while intake.transport is None:
        await asyncio.sleep(0)
    low_water = LowWater(intake.transport, lambda: intake.bytes)
    try:
        yield intake, writer
    finally:
        low_water.stop()
        writer.close()
        intake.transport.abort()
        server.close()


async def until_fast(intake: Intake, writer: asyncio.StreamWriter) -> None:
    """Send until the feed counts as fast."""
    async with asyncio.timeout(SECONDS):
        while intake.mark() != LEAST_BYTES:
            writer.write(bytes(FAST_BYTES))
            await asyncio.sleep(0.01)


async def test_the_last_little_of_a_fast_feed_is_read_too() -> None:
    async with connected() as (intake, writer):
        await until_fast(intake, writer)
        writer.write(b"bye")
        async with asyncio.timeout(SECONDS):
            while intake.mark() != 1 or intake.bytes % FAST_BYTES != 3:
                await asyncio.sleep(0.01)


async def test_a_picture_is_read_at_once() -> None:
    async with connected() as (intake, writer):
        await until_fast(intake, writer)
        async with asyncio.timeout(SECONDS):
            while intake.bytes % FAST_BYTES:
                await asyncio.sleep(0.001)
        writer.write(bytes(20_000))
        async with asyncio.timeout(SECONDS):
            while intake.bytes % FAST_BYTES != 20_000 % FAST_BYTES:
                await asyncio.sleep(0.001)


async def test_a_slow_feed_is_read_byte_by_byte() -> None:
    async with connected() as (intake, writer):
        for count in range(1, 6):
            writer.write(b".")
            async with asyncio.timeout(SECONDS):
                while intake.bytes < count:
                    await asyncio.sleep(0.001)
        assert intake.mark() == 1
        assert intake.wakes == 5


async def test_a_connection_that_was_cut_is_left_alone() -> None:
    loop, wrong = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: wrong.append(context))
    async with connected() as (intake, writer):
        await until_fast(intake, writer)
        assert intake.transport
        intake.transport.abort()
        over = loop.time() + 2 * LOOK_SECONDS
        while loop.time() < over:
            await asyncio.sleep(0.01)
    assert not wrong
