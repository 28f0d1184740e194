"""The way over WHIP against aiortc: pictures and sound are decoded there, and refusals are believed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from restream.api import TargetSpec
from restream.media import Frame, Kind
from restream.targets.way import Pace
from tests.restream.hls.feed import Shape, looped, stream
from tests.restream.targets.far_away import command_lines
from tests.restream.targets.servers import free_port
from tests.restream.targets.show import Show, spec
from tests.restream.targets.whip_server import TOKEN, WhipServer, whip_server

SHAPE = Shape(seconds=2, gop=15)
PACE = Pace(check=0.05, stuck=20.0, step=10.0)
SECONDS = 40.0


@pytest.fixture
async def server() -> AsyncIterator[WhipServer]:
    async with whip_server() as running:
        yield running


@pytest.fixture
async def show() -> AsyncIterator[Show]:
    built = Show(pace=PACE)
    yield built
    await built.stop()


def wish(server: WhipServer, token: str = TOKEN) -> TargetSpec:
    return spec(0, url=server.url, key=SecretStr(token))


async def test_it_is_live_when_media_flows_and_everything_decodes_there(
    show: Show, server: WhipServer
) -> None:
    with structlog.testing.capture_logs() as lines:
        target = show.add(wish(server))
        playing = asyncio.create_task(show.play(looped(SHAPE, 60)))
        try:
            await show.until(target, "live")
            async with asyncio.timeout(SECONDS):
                while server.decoded["video"] < 60 or server.decoded["audio"] < 100:
                    await asyncio.sleep(0.01)
            visible, packets, delay = command_lines(), await server.packets(), target.delay()
        finally:
            playing.cancel()
        await show.stop()
    assert packets > 160
    assert delay is not None
    assert delay[1] == "sent"
    assert server.asked == [f"Bearer {TOKEN}"]
    assert (server.deleted, server.sessions) == (1, {})
    assert show.states(target) == ["idle", "connecting", "live", "idle"]
    assert visible
    for told in (visible, lines, show.news, target.status()):
        assert TOKEN not in repr(told)
        assert f":{server.port}/" not in repr(told)


async def test_a_token_that_is_refused_twice_opens_the_breaker(show: Show, server: WhipServer) -> None:
    target = show.add(wish(server, "guess"))
    playing = asyncio.create_task(show.play(looped(SHAPE, 60)))
    try:
        status = await show.until(target, "failed")
    finally:
        playing.cancel()
    assert "The platform refused the stream key (HTTP 401). Check the stream key" in str(status.reason)
    assert len(server.asked) == status.connects == 2


async def test_a_platform_that_is_full_or_gone_is_tried_again(show: Show, server: WhipServer) -> None:
    server.answer_with = 503
    gone = TargetSpec(id="gone", name="gone", url=f"http://127.0.0.1:{free_port()}/whip", key=SecretStr("k"))
    full, absent = show.add(wish(server)), show.add(gone)
    playing = asyncio.create_task(show.play(looped(SHAPE, 60)))
    try:
        assert "HTTP 503" in str((await show.until(full, "retrying")).reason)
        assert "could not be reached" in str((await show.until(absent, "retrying")).reason)
        server.answer_with = 201
        await show.until(full, "live")
    finally:
        playing.cancel()


async def test_an_offer_that_was_taken_is_not_yet_live(show: Show, server: WhipServer) -> None:
    server.deaf = True
    target = show.add(wish(server))
    playing = asyncio.create_task(show.play(looped(SHAPE, 60)))
    try:
        status = await show.until(target, "retrying")
    finally:
        playing.cancel()
    assert "no media connection came about" in str(status.reason)
    assert "live" not in show.states(target)


async def test_a_platform_that_hangs_up_is_noticed(server: WhipServer) -> None:
    show = Show(pace=replace(PACE, stuck=2.0))
    target = show.add(wish(server))
    playing = asyncio.create_task(show.play(looped(SHAPE, 60)))
    try:
        await show.until(target, "live")
        await server.hang_up()
        await show.until_so(target, lambda status: status.gaps == 1)
    finally:
        playing.cancel()
        await show.stop()


async def test_a_feed_without_sound_arrives(show: Show, server: WhipServer) -> None:
    target = show.add(wish(server))
    playing = asyncio.create_task(show.play(looped(Shape(seconds=2, gop=15, audio=False), 60)))
    try:
        await show.until(target, "live")
        async with asyncio.timeout(SECONDS):
            while server.decoded["video"] < 30:
                await asyncio.sleep(0.01)
    finally:
        playing.cancel()


async def test_a_child_that_is_killed_is_replaced(show: Show, server: WhipServer) -> None:
    target = show.add(wish(server))
    playing = asyncio.create_task(show.play(looped(SHAPE, 60)))
    try:
        await show.until(target, "live")
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        await show.until_so(target, lambda status: status.gaps == 1)
        await show.until(target, "live")
    finally:
        playing.cancel()
    assert target.status().connects == 2
    assert server.deleted == 1  # the session whose child died was ended all the same


def children() -> list[int]:
    """The processes of this one that are fed through a pipe."""
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in own if b"pipe:0" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_b_frames_fail_with_what_to_change(show: Show, server: WhipServer) -> None:
    target = show.add(wish(server))
    await show.feed(stream(Shape(seconds=2, gop=15, bframes=2)))
    status = await show.until(target, "failed")
    assert "Turn them off in the encoder" in str(status.reason)
    assert "choose a profile" in str(status.reason)
    assert status.connects == 1


async def test_another_codec_fails_with_what_to_change(show: Show, server: WhipServer) -> None:
    target = show.add(wish(server))
    await show.feed(enhanced(stream(SHAPE)))
    status = await show.until(target, "failed")
    assert "Set the encoder to H.264" in str(status.reason)


def enhanced(frames: tuple[Frame, ...]) -> list[Frame]:
    """As if the pictures were HEVC in Enhanced RTMP; nobody decodes them here."""
    return [
        replace(frame, payload=bytes([0x90 if frame.header else 0x91]) + b"hvc1" + frame.body)
        if frame.kind is Kind.VIDEO
        else frame
        for frame in frames
    ]


async def test_an_address_without_a_server_fails_at_once(show: Show) -> None:
    target = show.add(spec(0, url="https:///whip"))
    await show.feed(stream(SHAPE))
    assert "must name a server" in str((await show.until(target, "failed")).reason)
