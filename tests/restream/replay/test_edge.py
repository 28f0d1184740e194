"""A CDN's edge that refuses what is not signed, and our own player behind it, in Chromium, as it is built."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import pytest

from tests.restream.replay.hall import PLAYER, REHEARSED, on_the_air, viewer
from tests.restream.webrtc.browser import there
from tests.restream.webrtc.stage import until

FIRST, SECOND = "edge_token=1780000000_first~", "edge_token=1790000000_second~"
PLAYS: Final = "it.state === 'live' && it.moving && it.agree"

pytestmark = pytest.mark.skipif(
    not (there() and PLAYER.exists()), reason="needs Debian's chromium and the player as it is built"
)


async def test_every_request_is_signed_and_newer_signatures_are_taken_over(tmp_path: Path) -> None:
    async with on_the_air(tmp_path) as hall:
        hall.signatures = [FIRST]
        async with viewer(hall, REHEARSED) as she:
            await she.sees(f"it.live && {PLAYS}")
            hall.signatures.append(SECOND)
            await until(lambda: SECOND in hall.signed)
            del hall.signatures[0]  # the old one has run out
            renewed = time.time()
            seen = await she.sees(f"it.live && {PLAYS} && Date.now() > {renewed * 1000 + 3000}")
            assert await she.asks("player().seek(8)")
            back = await she.sees(f"!it.live && {PLAYS} && it.at < 15")
            assert seen["errors"] == back["errors"] == hall.unsigned == []
            assert any(path.endswith("dvr.m3u8") for path in hall.asked)
