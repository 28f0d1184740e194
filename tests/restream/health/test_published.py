"""A real encoder over RTMP into a running live, with everything attached that a show has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restream.api import RecordingSpec
from restream.gate import Publisher, PublishRequest
from restream.health.health import Health
from restream.live import Live
from restream.record.library import Library
from restream.record.recorder import Recorder
from restream.rtmp.server import serve
from tests.restream.encoder import publishing
from tests.restream.health.stage import target
from tests.restream.hls.feed import Shape
from tests.restream.record.reel import decode

WAIT_SECONDS = 90.0


class Show:
    """A live, its health and its recording, behind an RTMP server (`gate.Gate`)."""

    def __init__(self, root: Path, *platforms: str) -> None:
        self.live = Live("show")
        self.health = Health()
        self.recorder = Recorder(root, "show", RecordingSpec(least_free_gb=0))
        self.library = Library(root, least_free_gb=0)
        self.targets = [target(platform) for platform in platforms]

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        session = self.live.open_session(request.peer, request.encoder, kick, time.time())
        return self.health.observe(session)

    async def until(self, true: Callable[[], bool]) -> None:
        """Tick as a worker does, until it holds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not true():
                await asyncio.sleep(0.2)
                self.health.tick(self.targets)

    def found(self, code: str, place: str | None) -> bool:
        return any((f.code, f.target) == (code, place) for f in self.health.findings())


@asynccontextmanager
async def running(root: Path, *platforms: str) -> AsyncIterator[tuple[Show, str]]:
    """A show, and the address to publish to."""
    show = Show(root, *platforms)
    show.recorder.start()
    show.live.attach(show.recorder)
    server = await serve(show, "127.0.0.1", 0)
    try:
        yield show, f"rtmp://127.0.0.1:{server.port}/live/key"
    finally:
        await server.close()
        await show.recorder.stop(show_over=True)


async def test_long_groups_are_found_and_the_show_is_recorded_clipped_and_pictured(tmp_path: Path) -> None:
    async with running(tmp_path, "youtube", "facebook") as (show, address):
        async with publishing(Shape(seconds=8, gop=120, bframes=2), address, live=True):
            await show.until(lambda: show.found("keyframe_interval", "youtube"))
            assert not show.found("audio_missing", "facebook")
            assert show.found("b_frames", "player")
            measured = show.health.measured
            assert measured
            assert measured.frame_rate == pytest.approx(30, abs=0.5)
            assert measured.late_ms is not None
            assert show.health.samples()[-1].video_kbps
            picture = await show.library.thumbnail("show", datetime.now(UTC))
            assert picture.startswith(b"\xff\xd8")
        await show.until(lambda: show.health.measured is None)
        assert show.health.findings() == []
    (recorded,) = (tmp_path / "show").glob("*.mp4")
    whole = decode(recorded)
    assert whole.corrupt == 0
    assert max(whole.holes[:-1]) < 0.2
    (info,) = await show.library.recordings("show")
    assert info.seconds == pytest.approx(whole.pictures[-1], abs=0.2)
    clip = await show.library.clip("show", info.begins_at, info.begins_at + timedelta(seconds=3))
    assert clip.begins_at == info.begins_at
    assert decode(show.library.clip_path("show", clip.name)).corrupt == 0


async def test_a_feed_without_sound_is_an_alarm_for_facebook(tmp_path: Path) -> None:
    async with (
        running(tmp_path, "facebook") as (show, address),
        publishing(Shape(audio=False), address, live=True),
    ):
        await show.until(lambda: show.found("audio_missing", "facebook"))
        await show.until(lambda: show.recorder.status().seconds > 3)
        assert show.recorder.status().state == "recording"
