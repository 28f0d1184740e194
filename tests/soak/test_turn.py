"""A viewer behind a firewall that lets only a TURN server through (Debian's coturn)."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from restream.api.ice import ice_servers
from tests.bench.rows import free_port, listening, process
from tests.restream.webrtc import browser as chromium
from tests.restream.webrtc.stage import show, until

pytestmark = pytest.mark.soak

SECRET = "shared-with-coturn"


async def test_a_viewer_sees_the_show_through_a_turn_server_with_the_passwords_we_give(
    tmp_path: Path,
) -> None:
    binary = shutil.which("turnserver")
    if not binary:
        pytest.skip("coturn is missing. Run: apt-get install coturn")
    port = free_port()
    argv = [binary, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"]
    argv += ["--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=simulcast", "--log-file=stdout"]
    argv += ["--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli", f"--pidfile={tmp_path}/pid"]
    turn = [f"turn:127.0.0.1:{port}?transport=udp"]
    with process(argv, log=tmp_path / "coturn.log"):
        listening(port, "coturn")
        given = ice_servers([], turn, SecretStr(SECRET), time.time())
        stale = ice_servers([], turn, SecretStr("another"), time.time())
        async with show() as stage, chromium.browser() as page:
            stage.publish()
            servers = [one.model_dump(exclude_none=True) for one in given]
            ways = {"iceServers": servers, "iceTransportPolicy": "relay"}
            assert (await chromium.watch(page, stage.address, ways=ways))["status"] == 201

            async def shown() -> int:
                return len((await chromium.stats(page))["shown"])

            async with asyncio.timeout(60):
                while await shown() < 30:
                    await asyncio.sleep(0.2)
            pair = await page.evaluate(
                """async () => [...(await window.peer.getStats()).values()]
                    .filter(one => one.type === "local-candidate").map(one => one.candidateType)"""
            )
            assert set(pair) == {"relay"}
            await until(lambda: stage.door.viewers("show") == 1)
        async with show() as stage, chromium.browser() as page:
            stage.publish()
            servers = [one.model_dump(exclude_none=True) for one in stale]
            ways = {"iceServers": servers, "iceTransportPolicy": "relay"}
            await chromium.watch(page, stage.address, ways=ways)
            found = await page.evaluate("() => window.peer.localDescription.sdp.includes('typ relay')")
            assert not found, "coturn took a password made with another secret"
