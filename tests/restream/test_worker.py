"""A whole worker on real ports: a real encoder in, real receivers out, the control API and the origin."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
import pytest
from pydantic import SecretStr

from restream.api import LiveSpec, LiveStatus, TargetSpec, WorkerEvent
from restream.client import WorkerClient, WorkerUnreachable
from restream.main import running
from restream.settings import MediaSettings

KEY = "a-stream-key"
TOKEN = "the-media-token"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path) -> MediaSettings:
    return MediaSettings(
        data=tmp_path,
        media_port=free_port(),
        media_control_port=free_port(),
        rtmp_port=free_port(),
        rtmps_port=free_port(),
        srt_port=free_port(),
        webrtc_port=free_port(),
        media_token=SecretStr(TOKEN),
    )


@pytest.fixture
async def client(settings: MediaSettings) -> AsyncIterator[WorkerClient]:
    """A running worker, as the hub sees it."""
    async with running(settings):
        found = WorkerClient(f"http://127.0.0.1:{settings.media_control_port}", TOKEN)
        yield found
        await found.close()


def spec(version: int = 1, key: str = KEY, **more: Any) -> LiveSpec:
    return LiveSpec(
        slug="show", version=version, key_hashes=[hashlib.sha256(key.encode()).hexdigest()], **more
    )


def target(settings: MediaSettings, receiving: str, **more: Any) -> TargetSpec:
    """A target that pushes into another show of the same worker."""
    url = f"rtmp://127.0.0.1:{settings.rtmp_port}/live"
    return TargetSpec(id=receiving, name=receiving, url=url, key=SecretStr(receiving), **more)


async def until(client: WorkerClient, true: Callable[[LiveStatus], bool]) -> LiveStatus:
    """The first status of the show, as the worker tells it, for which `true` holds."""
    async with asyncio.timeout(20):
        async for event in client.events():
            if event.status and event.slug == "show" and true(event.status):
                return event.status
    raise AssertionError("the news ended")


@asynccontextmanager
async def encoder(port: int, key: str = KEY) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg publishing a test pattern."""
    source = ["-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=30", "-f", "lavfi", "-i", "sine"]
    video = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
        "-g",
        "30",
        "-pix_fmt",
        "yuv420p",
    ]
    process = await asyncio.create_subprocess_exec(
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-loglevel", "error", *source, *video, "-c:a", "aac", "-f", "flv"),
        f"rtmp://127.0.0.1:{port}/live/{key}",
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def test_a_feed_reaches_its_targets_and_its_players(
    settings: MediaSettings, client: WorkerClient
) -> None:
    await client.put(LiveSpec(slug="far", version=1, key_hashes=[hashlib.sha256(b"far").hexdigest()]))
    await client.put(spec(targets=[target(settings, "far"), target(settings, "nobody")]))
    async with encoder(settings.rtmp_port), httpx.AsyncClient() as http:
        status = await until(client, lambda now: now.playable and now.targets[0].state == "live")
        assert status.publisher
        assert (status.publisher.width, status.publisher.height) == (320, 180)
        far = next(live for live in await client.lives() if live.slug == "far")
        assert far.publisher
        assert far.publisher.width == 320
        refused = await until(client, lambda now: now.targets[1].state == "failed")
        assert "stream key" in (refused.targets[1].reason or "")
        assert refused.targets[0].state == "live"
        base = f"http://127.0.0.1:{settings.media_port}"
        playlist = (await http.get(f"{base}/live/show/source/live.m3u8")).text
        assert "#EXT-X-PART:" in playlist
        figures = (await http.get(f"{base}/metrics")).text
        assert 'simulcast_target_live{id="far",show="show",target="far"} 1.0' in figures


async def test_a_wrong_key_is_refused_and_the_encoder_says_so(
    settings: MediaSettings, client: WorkerClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.put(spec())
    async with encoder(settings.rtmp_port, "not-the-key") as process:
        async with asyncio.timeout(20):
            _, complaint = await process.communicate()
        assert process.returncode != 0
        assert complaint
    assert "not-the-key" not in caplog.text
    (status,) = await client.lives()
    assert status.publisher is None


async def test_a_changed_key_cuts_whoever_publishes_with_the_old_one(
    settings: MediaSettings, client: WorkerClient
) -> None:
    await client.put(spec())
    async with encoder(settings.rtmp_port) as process:
        await until(client, lambda now: now.publisher is not None)
        await client.put(spec(version=2, key="another"))
        async with asyncio.timeout(20):
            await process.communicate()
    (status,) = await client.lives()
    assert status.publisher is None


async def test_an_older_wish_changes_nothing(settings: MediaSettings, client: WorkerClient) -> None:
    await client.put(spec(version=5, targets=[target(settings, "far")]))
    status = await client.put(spec(version=4))
    assert status.version == 5
    assert [one.id for one in status.targets] == ["far"]


async def test_the_same_wish_again_changes_nothing(settings: MediaSettings, client: WorkerClient) -> None:
    """A target whose key was refused waits for a person, not for whoever repeats the wish."""
    wanted = spec(targets=[target(settings, "nobody")])
    await client.put(wanted)
    async with encoder(settings.rtmp_port):
        before = await until(client, lambda now: now.targets[0].state == "failed")
        after = await client.put(wanted)
        (was,), (now,) = before.targets, after.targets
        assert (now.state, now.since, now.connects) == (was.state, was.since, was.connects)
        assert after.publisher


async def test_a_removed_target_is_gone_and_a_paused_one_says_so(
    settings: MediaSettings, client: WorkerClient
) -> None:
    await client.put(spec(targets=[target(settings, "one"), target(settings, "two")]))
    await client.put(spec(version=2, targets=[target(settings, "two", wanted=False)]))
    status = await until(client, lambda now: [one.state for one in now.targets] == ["paused"])
    assert status.targets[0].id == "two"


async def test_the_end_of_a_show_ends_playback_and_refuses_the_key(
    settings: MediaSettings, client: WorkerClient
) -> None:
    await client.put(spec())
    async with encoder(settings.rtmp_port) as process, httpx.AsyncClient() as http:
        await until(client, lambda now: now.playable)
        await client.put(spec(version=2, open=False))
        async with asyncio.timeout(20):
            await process.communicate()
        playlist = await http.get(f"http://127.0.0.1:{settings.media_port}/live/show/source/live.m3u8")
        assert playlist.text.endswith("#EXT-X-ENDLIST\n")
    async with encoder(settings.rtmp_port) as process:
        async with asyncio.timeout(20):
            await process.communicate()
        assert process.returncode != 0
    told = await news(client, 5)
    assert [(event.kind, event.role, event.on_air) for event in told] == [
        ("publisher.started", "primary", None),
        ("source.switched", None, "primary"),
        ("publisher.stopped", "primary", None),
        ("source.switched", None, "nothing"),
        ("publisher.refused", None, None),
    ]


async def news(client: WorkerClient, count: int, after: int = 0) -> list[WorkerEvent]:
    """The first events that are not statistics."""
    found: list[WorkerEvent] = []
    async with asyncio.timeout(10):
        async for event in client.events(after):
            if event.kind != "live.stats":
                found.append(event)
            if len(found) == count:
                break
    return found


async def test_news_goes_on_where_the_listener_was(settings: MediaSettings, client: WorkerClient) -> None:
    await client.put(spec(targets=[target(settings, "one"), target(settings, "two")]))
    first, second = await news(client, 2)
    (again,) = await news(client, 1, after=first.seq)
    assert again == second
    # A number from a worker before this one: everything is new.
    (oldest,) = await news(client, 1, after=1_000_000)
    assert oldest == first


async def test_strangers_and_nonsense_are_turned_away(settings: MediaSettings, client: WorkerClient) -> None:
    base = f"http://127.0.0.1:{settings.media_control_port}"
    body = spec(targets=[target(settings, "a-secret-key")]).model_dump(mode="json")
    async with httpx.AsyncClient(base_url=base) as http:
        for wrong in ({}, {"Authorization": "Bearer guess"}):
            for method, path in (("GET", "/lives"), ("GET", "/events"), ("PUT", "/lives/show")):
                assert (await http.request(method, path, headers=wrong, json=body)).status_code == 401
        known = {"Authorization": f"Bearer {TOKEN}"}
        body["targets"][0] |= {"key": "a-secret-key", "chunk_size": 1}
        broken = await http.put("/lives/show", headers=known, json=body)
        assert broken.status_code == 422
        assert "chunk_size" in broken.text
        assert "a-secret-key" not in broken.text
        assert (await http.put("/lives/other", headers=known, json=spec().model_dump())).status_code == 422
        assert (await http.get("/events?after=x", headers=known)).status_code == 422
    assert await client.lives() == []


async def test_a_taken_port_is_an_error_and_leaves_nothing_open(settings: MediaSettings) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.media_control_port)),
        pytest.raises(OSError, match="in use"),
    ):
        async with running(settings):
            raise AssertionError("it must not start")
    async with running(settings):
        pass


async def test_a_stopped_worker_is_unreachable(settings: MediaSettings) -> None:
    async with running(settings):
        client = WorkerClient(f"http://127.0.0.1:{settings.media_control_port}", TOKEN)
        await client.put(spec())
    with pytest.raises(WorkerUnreachable):
        await client.lives()
    await client.close()
