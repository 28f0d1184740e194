"""The way over SRT against libsrt (ffmpeg listens): what arrives, what is refused, what breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
import structlog
from pydantic import SecretStr

from restream.api import TargetSpec
from restream.targets.srt import call_of
from restream.targets.way import Pace, Unfit
from tests.restream.encoder import ffmpeg
from tests.restream.hls.feed import Shape, looped, pictures, stream
from tests.restream.targets.far_away import command_lines, lossy_wire
from tests.restream.targets.servers import free_port
from tests.restream.targets.show import Show, parted, spec

SHAPE = Shape(seconds=1, gop=15, bframes=2)
PATIENT = Pace(check=0.02, stuck=15.0, step=2.0)
STREAM_ID = "publish:k3y?x=1&y=#/:,r=ü"
PASSPHRASE = "correct horse battery"
SECONDS = 40.0


def wish(port: int, query: str = "", passphrase: str = PASSPHRASE) -> TargetSpec:
    return spec(
        0, url=f"srt://127.0.0.1:{port}{query}", key=SecretStr(STREAM_ID), passphrase=SecretStr(passphrase)
    )


@asynccontextmanager
async def listener(
    port: int, taken: Path, *options: str, query: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg takes one SRT stream and writes it to a file."""
    address = f"srt://127.0.0.1:{port}?mode=listener&passphrase={PASSPHRASE}{query}"
    async with ffmpeg(
        "-loglevel", "verbose", *options, "-f", "mpegts", "-i", address, "-c", "copy", str(taken)
    ) as it:
        yield it


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not ready():
            await asyncio.sleep(0.01)


def decoded(file: Path) -> int:
    with av.open(str(file), "r") as container:
        frames = list(container.decode(video=0))
    assert not any(frame.is_corrupt for frame in frames)
    return len(frames)


@pytest.fixture
async def show() -> AsyncIterator[Show]:
    built = Show(pace=PATIENT)
    yield built
    await built.stop()


async def played(show: Show, times: int) -> int:
    """Play the recording as soon as the target is connected; the number of pictures."""
    opening, rest = parted(looped(SHAPE, times))
    await show.feed(opening)
    await until(lambda: show.targets[0].status().frames_sent > 0)
    await show.play(rest)
    return times * len(pictures(stream(SHAPE)))


@pytest.mark.parametrize("query", ["", "?pbkeylen=32&latency=200000"])
async def test_every_picture_arrives_behind_a_passphrase(show: Show, tmp_path: Path, query: str) -> None:
    port, taken = free_port(), tmp_path / "taken.ts"
    with structlog.testing.capture_logs() as lines:
        async with listener(port, taken) as listening:
            target = show.add(wish(port, query))  # tries until somebody listens
            pictures_sent = await played(show, 2)
            status = await show.until(target, "live")
            visible = command_lines()
            delay = target.delay()
            await show.stop()
            _, said = await asyncio.wait_for(listening.communicate(), SECONDS)
    assert decoded(taken) == pictures_sent
    assert f"accept streamid [{STREAM_ID}]" in said.decode()
    assert target.status().bytes_acknowledged > 50_000
    assert delay is not None
    assert delay[1] == "acknowledged"
    assert 0 <= delay[0] < 5000
    assert visible
    for told in (visible, lines, show.news, status, target.spec):
        assert "k3y" not in repr(told)
        assert "horse" not in repr(told)


@pytest.mark.parametrize(
    "after", [Shape(seconds=1, gop=30, bframes=0), Shape(seconds=1, gop=15, bframes=2, audio=False)]
)
async def test_another_publisher_with_other_headers_goes_on_in_the_same_connection(
    show: Show, tmp_path: Path, after: Shape
) -> None:
    port, taken = free_port(), tmp_path / "taken.ts"
    async with listener(port, taken) as listening:
        target = show.add(wish(port))
        pictures_sent = await played(show, 1)
        publisher = show.live.publisher
        assert publisher is not None
        publisher.closed("bye")
        await show.play(stream(after))
        await show.stop()
        await asyncio.wait_for(listening.communicate(), SECONDS)
    assert decoded(taken) == pictures_sent + len(pictures(stream(after)))
    assert target.status().connects == show.states(target).count("connecting")
    assert target.status().gaps == 0


async def test_a_feed_without_sound_arrives(show: Show, tmp_path: Path) -> None:
    port, taken = free_port(), tmp_path / "taken.ts"
    silent = Shape(seconds=2, gop=15, audio=False)
    async with listener(port, taken) as listening:
        show.add(wish(port))
        opening, rest = parted(stream(silent))
        await show.feed(opening)
        await until(lambda: show.targets[0].status().frames_sent > 0)
        await show.play(rest)
        await show.until(show.targets[0], "live")
        await show.stop()
        await asyncio.wait_for(listening.communicate(), SECONDS)
    assert decoded(taken) == len(pictures(stream(silent)))


async def test_what_the_network_loses_is_sent_again(show: Show, tmp_path: Path) -> None:
    port, taken = free_port(), tmp_path / "taken.ts"
    async with listener(port, taken) as listening, lossy_wire(port, 0.1) as between:
        show.add(wish(between.port, "?latency=1500"))
        pictures_sent = await played(show, 2)
        await show.stop()
        await asyncio.wait_for(listening.communicate(), SECONDS)
    assert between.lost > 10
    assert decoded(taken) == pictures_sent


async def test_a_listener_that_takes_everybody_is_not_fed_what_it_cannot_decrypt(
    show: Show, tmp_path: Path
) -> None:
    port = free_port()
    async with listener(port, tmp_path / "taken.ts", query="&enforced_encryption=0"):
        target = show.add(wish(port, passphrase="incorrect horse"))
        await show.feed(stream(SHAPE))
        await show.until_so(target, lambda status: "the passphrase is wrong" in str(status.reason))
        assert "live" not in show.states(target)
        await show.stop()


async def test_a_wrong_passphrase_opens_the_breaker(show: Show, tmp_path: Path) -> None:
    port = free_port()
    async with listener(port, tmp_path / "taken.ts"):
        target = show.add(wish(port, passphrase="incorrect horse"))
        await show.feed(stream(SHAPE))
        status = await show.until(target, "failed")
        refused = [
            one.reason for one in show.news if one.state == "retrying" and "the passphrase" in str(one.reason)
        ]
    assert "the passphrase is wrong" in str(status.reason)
    assert "Check the stream key and the passphrase" in str(status.reason)
    assert len(refused) == 1  # the second was the last
    assert "horse" not in repr(show.news)


async def test_a_listener_that_dies_is_called_again_and_so_is_one_that_falls_silent(tmp_path: Path) -> None:
    show = Show(pace=Pace(check=0.02, stuck=1.5, step=2.0))
    port = free_port()
    async with lossy_wire(port, 0.0) as between:
        target = show.add(wish(between.port))
        playing = asyncio.create_task(show.play(looped(SHAPE, 120)))
        try:
            async with listener(port, tmp_path / "first.ts"):
                await show.until(target, "live")
            status = await show.until(target, "retrying")
            assert "closed the connection" in str(status.reason) or "confirmed nothing" in str(status.reason)
            async with listener(port, tmp_path / "second.ts"):
                await show.until(target, "live")
                between.mute = True
                status = await show.until_so(target, lambda now: "confirmed nothing" in str(now.reason))
                assert status.state == "retrying"
                assert status.gaps == 2
        finally:
            playing.cancel()
            await show.stop()


async def test_nobody_there_is_said_and_tried_again(show: Show) -> None:
    target = show.add(wish(free_port()))
    await show.feed(stream(SHAPE))
    status = await show.until(target, "retrying")
    assert "could not be reached" in str(status.reason) or "did not answer" in str(status.reason)


@pytest.mark.parametrize(
    ("url", "passphrase", "said"),
    [
        ("srt://server", PASSPHRASE, "a port"),
        ("srt://:9000", PASSPHRASE, "name a server"),
        ("srt://server:99999", PASSPHRASE, "makes no sense"),
        ("srt://server:9000", "too short", "10 to 79"),
        ("srt://server:9000?pbkeylen=17", PASSPHRASE, "pbkeylen"),
        ("srt://server:9000?latency=0", PASSPHRASE, "latency"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_what_to_change(
    url: str, passphrase: str, said: str
) -> None:
    with pytest.raises(Unfit, match=said):
        call_of(wish(0, passphrase=passphrase).model_copy(update={"url": url}))


def test_what_the_address_says_counts_where_the_wish_is_silent() -> None:
    both = "srt://server:9000?streamid=from-address&passphrase=from-the-address&latency=800"
    silent = spec(0, url=both, key=SecretStr(""), passphrase=None)
    found = call_of(silent)
    assert (found.stream_id, found.passphrase, found.latency) == ("from-address", "from-the-address", 800)
    assert call_of(wish(0).model_copy(update={"url": both})).stream_id == STREAM_ID
    assert call_of(wish(0, "").model_copy(update={"url": "srt://server:9000?latency=250000"})).latency == 250
