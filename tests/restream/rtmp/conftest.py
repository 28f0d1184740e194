"""An encoder that talks to it, one message at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from restream.rtmp.server import RtmpServer
from tests.restream.rtmp.peers import Peer, peer


@pytest.fixture
async def encoder(server: RtmpServer) -> AsyncIterator[Peer]:
    async with peer(server.port) as connected:
        yield connected
