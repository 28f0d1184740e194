"""The server under both event loops, plain and in TLS; in production it is uvloop that fills its buffer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from restream.certificate import development_certificate
from restream.rtmp.server import serve
from restream.tls import server_context
from tests.restream.encoder import ended, expected, publishing
from tests.restream.hls.feed import Shape
from tests.restream.rtmp.peers import KEY, NotingGate

SHAPE = Shape(seconds=2, gop=30, size="640x360")
PLAYPATH = ("-rtmp_app", "live", "-rtmp_playpath", KEY)

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_two_encoders_at_once_arrive_whole(run: Run, secure: bool, tmp_path: Path) -> None:
    run(two_encoders(secure, tmp_path))


async def two_encoders(secure: bool, folder: Path) -> None:
    """Both are read into the same memory; neither may find the other's bytes there."""
    certificate, key = development_certificate(folder)
    gate = NotingGate()
    server = await serve(gate, "127.0.0.1", 0, ssl=server_context(certificate, key) if secure else None)
    address = f"{'rtmps' if secure else 'rtmp'}://127.0.0.1:{server.port}/live"
    trust = ("-ca_file", str(certificate)) if secure else ()
    async with (
        publishing(SHAPE, address, *PLAYPATH, *trust) as one,
        publishing(SHAPE, address, *PLAYPATH, *trust) as other,
    ):
        for code, said in await asyncio.gather(ended(one), ended(other)):
            assert code == 0, said
    for number in range(2):
        intake = await gate.intake(number)
        await intake.until(intake.over.is_set)
        assert sorted((f.kind, f.dts, f.payload) for f in intake.frames) == sorted(
            (f.kind, f.dts, f.payload) for f in expected(SHAPE)
        )
    await server.close()
