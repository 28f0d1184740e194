"""WHEP over a network that loses packets."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.restream.webrtc.browser import CHROMIUM, browser, stats, there, watch
from tests.restream.webrtc.lossy import GATE, Relay, bad_network, relay
from tests.restream.webrtc.stage import SHAPE, show, until, viewer

LARGE = replace(SHAPE, size="640x360")
HOST = re.compile(r" (\d+) typ host")


def through(way: Relay, answer: str) -> str:
    """The answer, with the relay in the server's place."""
    found = HOST.search(answer)
    assert found
    way.server = ("127.0.0.1", int(found[1]))
    return HOST.sub(f" {way.port} typ host", answer)


@pytest.mark.parametrize("repair", [True, False], ids=["rtx", "plain"])
async def test_lost_packets_are_sent_again(repair: bool) -> None:
    async with show() as stage, relay() as way, viewer() as watching:
        stage.publish()
        way.loss = 0.1
        offer = watching.offer

        async def without_repair() -> str:
            return re.sub(r"a=(rtpmap|fmtp):\d+ (rtx|apt=).*\r\n", "", await offer())

        if not repair:
            watching.offer = without_repair  # type: ignore[method-assign]
        await watching.watch(stage.address, lambda text: through(way, text))
        assert ("rtx" in watching.answer) == repair
        await until(lambda: len(watching.pictures) > 90)
        (seat,) = stage.door._pool.seats  # type: ignore[union-attr]
        await until(lambda: seat.told.repeated >= 8)
        assert way.lost >= 8
        await until(lambda: any(loss > 0 for loss, _ in stage.door.health("show")))
        times = [at for *_, at in watching.pictures[-60:]]
        gaps = sum(later - earlier > 0.06 for earlier, later in itertools.pairwise(times))
        assert gaps < 10, "most of what was lost was repaired in time"


@pytest.mark.skipif(not there(), reason="needs Debian's chromium")
async def test_a_browser_shows_the_show_in_spite_of_loss_and_jitter() -> None:
    async with show() as stage, relay() as way, browser() as page:
        stage.publish(LARGE)
        way.loss, way.jitter = 0.02, 0.08
        found = await watch(page, stage.address, way.port)
        way.server = ("127.0.0.1", found["port"])
        await page.wait_for_function("() => window.shown.length > 200", timeout=60_000)
        seen = await stats(page)
        video = seen["video"]
        assert way.lost > 10
        assert video["framesDecoded"] > 200
        assert video["retransmittedPacketsReceived"] > 5
        assert video["totalFreezesDuration"] < 2.0


@pytest.mark.skipif(not there(), reason="needs Debian's chromium")
async def test_a_browser_behind_netem_shows_the_show(tmp_path: Path) -> None:
    netem = ("loss", "2%", "delay", "80ms", "80ms")
    with bad_network(tmp_path, *netem, browser=CHROMIUM) as program:
        async with show(host=GATE) as stage, browser(str(program)) as page:
            stage.publish(LARGE)
            assert (await watch(page, stage.address))["status"] == 201
            await page.wait_for_function("() => window.shown.length > 200", timeout=60_000)
            video = (await stats(page))["video"]
            assert video["totalFreezesDuration"] < 2.0
            assert video["framesDecoded"] > 200
