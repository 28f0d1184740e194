"""A far end of our own: an RTMP server that notes what it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from restream.rtmp.server import RtmpServer, serve
from tests.restream.rtmp.peers import NotingGate


@pytest.fixture
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
async def server(gate: NotingGate) -> AsyncIterator[RtmpServer]:
    running = await serve(gate, "127.0.0.1", 0)
    yield running
    await running.close()
