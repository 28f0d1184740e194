"""2,000 encoders come and go: file descriptors and memory are flat."""

from __future__ import annotations

import pytest

from restream.rtmp.server import serve
from tests.restream.rtmp.churn import churn, held, resident
from tests.restream.rtmp.peers import NotingGate

WARM, ROUNDS, EACH = 500, 4, 500
LEEWAY = 4 << 20
"""Bytes an allocator may keep for itself; one connection that stayed behind is 40 kB or more."""


@pytest.mark.soak
async def test_two_thousand_connections_leave_nothing_behind() -> None:
    gate = NotingGate()
    server = await serve(gate, "127.0.0.1", 0)
    await churn(server, 0, WARM)
    begin, memory = held(gate), resident()
    for turn in range(ROUNDS):
        await churn(server, turn * EACH, (turn + 1) * EACH)
        assert held(gate)[0] <= begin[0]
    descriptors, alive = held(gate)
    assert descriptors <= begin[0]
    assert alive <= begin[1] + 20, "those of the last two seconds may wait for their hanging up"
    assert resident() - memory < LEEWAY
    await server.close()
