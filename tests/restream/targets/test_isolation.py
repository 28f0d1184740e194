"""Twelve targets on one live, five of them broken each in its own way: the other seven lose nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from restream.api import TargetStatus
from restream.certificate import development_certificate
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.media import Frame, Kind
from restream.rtmp.server import serve
from restream.targets.target import Target
from restream.targets.way import Pace
from restream.tls import client_context, server_context
from tests.restream.hls.feed import Shape, frames_of, stream
from tests.restream.targets.far_away import black_hole, tls_front
from tests.restream.targets.servers import Wire, nginx, wire
from tests.restream.targets.show import Show, parted, spec

SHAPE = Shape(seconds=15, gop=30, bframes=2, size="854x480")
PACE = Pace(check=0.1, stuck=3.0, steady=30.0, step=5.0)
BUFFER = 200_000
RESET_EVERY = 2.0
SECONDS = 60.0
GOOD = {"plain 128": 128, "plain 4096": 4096, "plain": 60_000, "another": 60_000, "huge": 1 << 20}
SECURE = ("secure", "secure too")


class Nobody:
    """A gate that knows no key."""

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        raise PublishRefused("NetStream.Publish.BadName", f"Nobody knows {request.key}.")


@asynccontextmanager
async def broken(stack: AsyncExitStack, nginx_port: int, folder: Path) -> AsyncIterator[dict[str, str]]:
    """The addresses of five far ends with nothing good about them."""
    stalled = await stack.enter_async_context(wire(nginx_port, receive_buffer=32_768))
    stalled.freeze_after(100_000)
    dying = await stack.enter_async_context(wire(nginx_port))
    refusing = await serve(Nobody(), "127.0.0.1", 0)
    stack.push_async_callback(refusing.close)
    (folder / "untrusted").mkdir()
    untrusted = server_context(*development_certificate(folder / "untrusted"))
    doubtful = await stack.enter_async_context(tls_front(nginx_port, untrusted))
    resetting = asyncio.create_task(reset(dying))
    with black_hole() as hole:
        try:
            yield {
                "black hole": f"rtmp://127.0.0.1:{hole}/live",
                "stalls": f"rtmp://127.0.0.1:{stalled.port}/live",
                "bad name": f"rtmp://127.0.0.1:{refusing.port}/live",
                "resets": f"rtmp://127.0.0.1:{dying.port}/live",
                "bad certificate": f"rtmps://localhost:{doubtful}/live",
            }
        finally:
            resetting.cancel()


async def reset(dying: Wire) -> None:
    while True:
        await asyncio.sleep(RESET_EVERY)
        dying.cut()


def digests(frames: list[Frame], kind: Kind) -> list[bytes]:
    return [
        hashlib.sha256(frame.payload).digest() for frame in frames if frame.kind == kind and not frame.header
    ]


def recorded(folder: Path, key: str) -> list[Frame]:
    return list(frames_of((folder / f"{key}.flv").read_bytes()))


def key_of(name: str) -> str:
    return name.replace(" ", "-")


async def test_five_broken_targets_cost_the_other_seven_no_frame(tmp_path: Path) -> None:
    certificate, private = development_certificate(tmp_path)
    show = Show(client_context(certificate), buffer=BUFFER, pace=PACE, really_rests=True)
    opening, rest = parted(stream(SHAPE))
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(nginx(tmp_path))
        secure = await stack.enter_async_context(tls_front(port, server_context(certificate, private)))
        urls = await stack.enter_async_context(broken(stack, port, tmp_path))
        good = [
            show.add(spec(port, name, key=SecretStr(key_of(name)), chunk_size=size))
            for name, size in GOOD.items()
        ]
        good += [
            show.add(spec(0, name, url=f"rtmps://localhost:{secure}/live", key=SecretStr(key_of(name))))
            for name in SECURE
        ]
        bad = {
            name: show.add(spec(0, name, url=url, key=SecretStr(key_of(name)))) for name, url in urls.items()
        }
        assert len(good) + len(bad) == 12
        await show.feed(opening)
        async with asyncio.timeout(SECONDS):
            while not all(target.status().frames_sent for target in good):
                await asyncio.sleep(0.01)
        playing = asyncio.create_task(show.play(rest))
        await meddle(good[0], bad["bad name"])
        await playing
        async with asyncio.timeout(SECONDS):
            while not all(target.status().state == "live" for target in good):
                await asyncio.sleep(0.01)
        broke = {name: target.status() for name, target in bad.items()}
        await show.stop()
    frames = [*opening, *rest]
    assert len(digests(frames, Kind.VIDEO)) == len(set(digests(frames, Kind.VIDEO))) == 450
    for target in good:
        unharmed(show, target, frames, recorded(tmp_path, key_of(target.spec.id)))
    as_broken_as_they_are(show, broke)


async def meddle(one: Target, refused: Target) -> None:
    """Somebody renames a target that is fine, and pauses and resumes one that is not, in the middle of it."""
    await asyncio.sleep(3)
    await one.apply(one.spec.model_copy(update={"name": "Main", "plan": "twitch", "platform": "twitch"}))
    await refused.apply(refused.spec.model_copy(update={"wanted": False}))
    await refused.apply(refused.spec.model_copy(update={"wanted": True}))


def unharmed(show: Show, target: Target, sent: list[Frame], got: list[Frame]) -> None:
    for kind in (Kind.VIDEO, Kind.AUDIO):
        assert digests(got, kind) == digests(sent, kind), target.spec.id
        times = [frame.dts for frame in got if frame.kind == kind]
        assert times == sorted(times)
    status = target.status()
    assert (status.frames_dropped, status.connects, status.gaps) == (0, 1, 0)
    assert show.states(target) == ["idle", "connecting", "live", "idle"]


def as_broken_as_they_are(show: Show, broke: dict[str, TargetStatus]) -> None:
    said = {name: " ".join(s.reason or "" for s in show.news if s.id == name) for name in broke}
    assert "did not answer in time" in said["black hole"]
    assert broke["black hole"].seconds_live == 0
    assert "taken nothing" in said["stalls"]
    assert broke["stalls"].frames_dropped > 0
    assert broke["bad name"].state == "failed"
    assert broke["bad name"].connects == 4  # two, and two after it was resumed
    assert broke["resets"].connects >= 3
    assert "certificate is not trusted" in said["bad certificate"]
    assert broke["bad certificate"].seconds_live == 0
