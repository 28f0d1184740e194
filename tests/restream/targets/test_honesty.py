"""What a target says of itself: dead though green, how late, how long, and when it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from restream.api import TargetSpec
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.media import Frame, Kind
from restream.rtmp.server import RtmpServer, serve
from restream.targets.serialiser import Serialiser
from restream.targets.way import Pace
from tests.restream.hls.feed import Shape, stream
from tests.restream.rtmp.peers import KEY, NotingGate
from tests.restream.targets.servers import free_port, wire
from tests.restream.targets.show import Show, bulky, spec

SHAPE = Shape(seconds=2, gop=15)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


async def test_a_far_end_that_stops_confirming_is_left_though_it_takes_every_byte(
    gate: NotingGate, server: RtmpServer
) -> None:
    show = Show(pace=Pace(check=0.01, stuck=30.0, silent=0.3, step=5.0))
    async with wire(server.port) as between:
        target = show.add(spec(between.port))
        frames = iter(bulky(1000))
        await show.feed([next(frames)])
        intake = await gate.intake()
        await fed_until(show, frames, lambda: target.status().bytes_acknowledged > 8_000_000)
        assert target.status().state == "live"
        between.deafen()
        seen = len(intake.frames)
        await fed_until(show, frames, lambda: target.status().state == "retrying")
        assert "stopped confirming" in str(target.status().reason)
        assert len(intake.frames) - seen > 70  # they did arrive
        assert target.status().gaps == 1
        await show.stop()


async def fed_until(show: Show, frames: Iterator[Frame], ready: Callable[[], bool]) -> None:
    """Frames as fast as they are taken, until something is so."""
    async with asyncio.timeout(60):
        while not ready():
            frame = next(frames, None)
            if frame:
                await show.feed([frame])
            await asyncio.sleep(0.002)


async def test_the_delay_is_what_lies_between_arrival_and_confirmation(
    gate: NotingGate, server: RtmpServer
) -> None:
    show = Show()
    target = show.add(spec(server.port))
    assert target.delay() is None
    playing = asyncio.create_task(show.play(stream(Shape(seconds=10, gop=15))))
    try:
        async with asyncio.timeout(30):
            while (delay := target.delay()) is None or delay[1] != "acknowledged":
                await asyncio.sleep(0.01)
    finally:
        playing.cancel()
    assert 0 <= delay[0] < 3000
    await show.stop()
    assert target.delay() is None


async def test_what_waits_in_our_buffer_is_delay(gate: NotingGate, server: RtmpServer) -> None:
    show = Show(pace=Pace(check=0.01, stuck=30.0))
    async with wire(server.port) as between:
        target = show.add(spec(between.port))
        await show.feed(bulky(1, size=100))
        intake = await gate.intake()
        await intake.until(lambda: len(intake.frames) == 1)
        between.freeze()
        delays: list[float] = []
        playing = asyncio.create_task(show.play(bulky(200, size=60_000)[1:]))
        try:
            async with asyncio.timeout(30):
                while not delays or delays[-1] < 500:
                    delay = target.delay()
                    if delay:
                        assert delay[1] == "sent"
                        delays.append(delay[0])
                    await asyncio.sleep(0.02)
        finally:
            playing.cancel()
            between.thaw()
        await show.stop()


async def test_time_is_counted_by_the_clock_and_only_while_there_is_something_to_send(
    gate: NotingGate, server: RtmpServer
) -> None:
    clock = Clock()
    show = Show(now=clock.now)
    async with wire(server.port) as between:
        target = show.add(spec(between.port))
        clock.wait(100)  # nobody publishes yet
        await show.feed(stream(SHAPE))
        await show.until(target, "live")
        clock.wait(50)
        show.patience.clear()
        between.cut()
        await show.until(target, "retrying")
        clock.wait(7)
        show.patience.set()
        await show.until(target, "live")
        clock.wait(40)
        await target.apply(target.spec.model_copy(update={"wanted": False}))
        clock.wait(1000)
        status = target.status()
    assert (status.seconds_wanted, status.seconds_live, status.gaps) == (97, 90, 1)
    await show.stop()


async def test_a_key_that_is_used_up_fails_with_what_to_do_and_another_one_tries_again(
    gate: NotingGate, server: RtmpServer
) -> None:
    clock = Clock()
    show = Show(now=clock.now)
    dead = free_port()
    target = show.add(spec(dead, plan="single_use"))
    await show.feed(stream(SHAPE))
    await show.until(target, "retrying")
    clock.wait(61)
    status = await show.until(target, "failed")
    assert "fetch a new key" in str(status.reason)
    await target.apply(target.spec)
    assert target.status().state == "failed"
    again = target.spec.model_copy(update={"url": f"rtmp://127.0.0.1:{server.port}/live"})
    await target.apply(again)
    await show.feed(stream(SHAPE))
    await show.until(target, "live")
    await show.stop()


class Refusing:
    """A gate that counts how often it said no."""

    asked = 0

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        self.asked += 1
        raise PublishRefused("NetStream.Publish.Denied", "No.")


@pytest.mark.parametrize(
    ("change", "tries"),
    [
        ({"key": SecretStr("another")}, 4),
        ({"plan": "twitch"}, 4),
        ({"passphrase": SecretStr("a passphrase")}, 4),
        ({"name": "Main", "platform": "twitch"}, 2),
    ],
)
async def test_the_breaker_closes_only_for_an_edit_that_matters(
    change: dict[str, object], tries: int
) -> None:
    gate = Refusing()
    server = await serve(gate, "127.0.0.1", 0)
    show = Show()
    target = show.add(spec(server.port))
    await show.feed(stream(SHAPE))
    await show.until(target, "failed")
    await target.apply(target.spec.model_copy(update=change))
    await show.until(target, "failed")
    assert gate.asked == tries
    await show.stop()
    await server.close()


class Plain(NotingGate):
    """Hangs up when media comes."""

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        intake = await super().publish(request, kick)
        asyncio.get_running_loop().call_soon(kick, "no reason given")
        return intake


@pytest.mark.parametrize("hevc", [True, False])
async def test_a_server_that_hangs_up_on_another_codec_is_said_to_know_it_not(hevc: bool) -> None:
    show, server = Show(), await serve(Plain(), "127.0.0.1", 0)
    target = show.add(spec(server.port))
    frames = stream(SHAPE)
    await show.feed([as_hevc(frame) for frame in frames] if hevc else frames)
    status = await show.until(target, "retrying")
    assert ("It may not take HEVC: set the encoder to H.264" in str(status.reason)) == hevc
    await show.stop()
    await server.close()


def as_hevc(frame: Frame) -> Frame:
    """As Enhanced RTMP would carry it; nobody decodes it here."""
    if frame.kind is not Kind.VIDEO:
        return frame
    return replace(frame, payload=bytes([0x90 if frame.header else 0x91]) + b"hvc1" + frame.body)


async def test_a_target_that_is_moved_to_another_feed_connects_anew_and_keeps_its_counts(
    gate: NotingGate, server: RtmpServer
) -> None:
    show, other = Show(), Show()
    target = show.add(spec(server.port))
    await show.feed(stream(SHAPE))
    await show.until(target, "live")
    sent = target.status().frames_sent
    show.live.detach(target)
    await target.move(
        target.spec.model_copy(update={"profile": "vertical"}), Serialiser(), other.live.backlog
    )
    other.live.attach(target)
    assert target.status().state != "live"
    await other.feed(bulky(3))
    intake = await gate.intake(1)
    await other.feed(bulky(30)[3:])
    await intake.until(lambda: len(intake.frames) == 30)
    assert [frame.body for frame in intake.frames] == [frame.body for frame in bulky(30)]
    assert target.status().frames_sent == sent + 30
    assert target.status().gaps == 0  # it was wanted
    await show.stop()


def test_a_targets_key_is_not_in_its_repr() -> None:
    wish: TargetSpec = spec(1)
    assert KEY not in repr(wish)
    assert KEY not in str(wish)


async def test_tls_where_none_is_spoken_is_called_by_its_name() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    show, server = Show(), await asyncio.start_server(web, "127.0.0.1", 0)
    target = show.add(spec(0, url=f"rtmps://localhost:{server.sockets[0].getsockname()[1]}/live"))
    await show.feed(stream(SHAPE))
    assert "TLS: " in str((await show.until(target, "retrying")).reason)
    await show.stop()
    server.close()


class Haunted(NotingGate):
    """A gate that has not noticed that the last connection is dead; counts how often it said so."""

    haunted = False
    refused = 0

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        if self.haunted:
            self.refused += 1
            raise PublishRefused("NetStream.Publish.BadName", "Somebody publishes with this name already.")
        return await super().publish(request, kick)


async def test_a_far_end_that_still_holds_our_dead_connection_is_waited_for() -> None:
    gate, clock = Haunted(), Clock()
    server = await serve(gate, "127.0.0.1", 0)
    show = Show(now=clock.now)
    target = show.add(spec(server.port))
    await show.feed(stream(SHAPE))
    await show.until(target, "live")
    gate.haunted = True
    gate.intakes[0].kick("The network between us broke.")
    await show.until_so(target, lambda status: "may still hold" in str(status.reason))
    async with asyncio.timeout(20):
        while gate.refused < 5:
            await asyncio.sleep(0.01)
    assert target.status().state != "failed"
    gate.haunted = False
    await show.until(target, "live")
    gate.haunted = True
    gate.intakes[-1].kick("It broke again.")
    await show.until_so(target, lambda status: "may still hold" in str(status.reason))
    clock.wait(61)  # no platform holds a dead connection for so long: the key is no longer good
    status = await show.until(target, "failed")
    assert "Check the stream key" in str(status.reason)
    await show.stop()
    await server.close()
