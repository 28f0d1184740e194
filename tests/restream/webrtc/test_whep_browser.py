"""Chromium watches by WHEP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.restream.webrtc.browser import browser, stats, there, watch
from tests.restream.webrtc.lossy import relay
from tests.restream.webrtc.stage import SHAPE, show, until, viewer

pytestmark = pytest.mark.skipif(not there(), reason="needs Debian's chromium")
SHAPE = replace(SHAPE, size="640x360", gop=60)


async def test_a_browser_sees_a_picture_at_once_and_is_not_behind_later() -> None:
    async with show() as stage, browser() as page:
        stage.publish(SHAPE)
        async with viewer() as first:  # the process is there
            await first.watch(stage.address)
            await until(lambda: first.pictures)
        found = await watch(page, stage.address)
        assert found["status"] == 201
        assert found["location"].startswith(stage.address)
        assert found["etag"]
        await page.wait_for_function("() => window.shown.length > 100", timeout=60_000)
        seen = await stats(page)
        video, audio = seen["video"], seen["audio"]
        # Fast: our own way of sealing is used. A keyframe comes every two seconds, and was not waited for.
        assert seen["transport"]["srtpCipher"] == "SRTP_AEAD_AES_128_GCM"
        assert seen["shown"][0] < 1500
        assert video["framesDecoded"] > 100
        assert (video["frameWidth"], video["frameHeight"]) == (640, 360)
        assert video["packetsLost"] == 0
        assert audio["packetsReceived"] > 50
        assert audio["concealedSamples"] < 0.1 * audio["totalSamplesReceived"]
        # Kept for so long on average before it was shown; and picture and sound belong together.
        assert video["jitterBufferDelay"] / video["jitterBufferEmittedCount"] < 0.3
        assert abs(video["estimatedPlayoutTimestamp"] - audio["estimatedPlayoutTimestamp"]) < 400
        assert (await page.request.delete(found["location"])).status == 200
        await page.wait_for_function("() => window.peer.connectionState !== 'connected'", timeout=60_000)


async def test_a_browser_goes_on_after_the_publisher_dropped_and_came_with_another_size() -> None:
    async with show() as stage, browser() as page:
        stage.publish(SHAPE)
        await watch(page, stage.address)
        await page.wait_for_function("() => window.shown.length > 30", timeout=60_000)
        await stage.drop()
        stage.publish(replace(SHAPE, size="320x180"))
        await page.wait_for_function("() => window.video.videoWidth === 320", timeout=60_000)
        before = (await stats(page))["video"]["framesDecoded"]
        await page.wait_for_function(f"() => window.shown.length > {before + 30}", timeout=60_000)
        assert (await stats(page))["state"] == "connected"


async def test_a_decoder_that_is_lost_is_given_the_kept_pictures() -> None:
    async with show() as stage, relay() as way, browser() as page:
        stage.publish(replace(SHAPE, size="1280x720", seconds=20.0, gop=600))  # the next keyframe is far away
        found = await watch(page, stage.address, way.port)
        way.server = ("127.0.0.1", found["port"])
        await page.wait_for_function("() => window.shown.length > 30", timeout=60_000)
        # Longer than anything is kept to be sent again.
        way.loss = 1.0
        lost = way.lost
        await until(lambda: way.lost > lost + 2200)
        way.loss = 0.0
        shown = len((await stats(page))["shown"])
        await page.wait_for_function(f"() => window.shown.length > {shown + 60}", timeout=60_000)
        video = (await stats(page))["video"]
        assert video["keyFramesDecoded"] >= 2
        assert video["pliCount"] >= 1
