"""Whole ways through a running worker: real encoders in, nginx-rtmp and players out, pictures decoded."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import httpx
import pytest

from restream.api import (
    LiveStatus,
    RecordingSpec,
    SlateSpec,
    SourceSpec,
    TargetSpec,
    TargetStatus,
    WorkerEvent,
)
from restream.ingest.whip_door import WhipDoor
from restream.media import Frame, Kind
from restream.programme import Programme
from restream.rtmp.flv import video_track
from tests.restream.continuity.recording import backward, largest_gap, media
from tests.restream.continuity.recording import decoded as decodable
from tests.restream.encode.stage import decoded, like
from tests.restream.encode.test_encoders import profile
from tests.restream.encoder import ended, expected, ffmpeg, publishing
from tests.restream.hls.feed import Shape, frames_of
from tests.restream.ingest.studio import AAC, PICTURE, children
from tests.restream.targets.servers import nginx
from tests.restream.test_control import KEY, PATIENCE, Station, picture, station, wish
from tests.restream.test_programme import Office, office

__all__ = ["office"]

SHAPE = Shape(seconds=20, gop=30)
PASSPHRASE = "a passphrase of srt"
RED = (200, 30, 30)
HEAD = re.compile('EXT-X-MAP:URI="([^"]+)"')
SEGMENT = re.compile(r"^s\d+\.m4s$", re.MULTILINE)


@dataclass
class Show(Station):
    """A worker, and nginx-rtmp as every target's far end."""

    folder: Path
    port: int

    def target(self, name: str, **more: object) -> TargetSpec:
        """What is recorded under that name."""
        spec = {"id": name, "name": name, "url": f"rtmp://127.0.0.1:{self.port}/live", "key": name}
        return TargetSpec.model_validate({**spec, **more})

    def received(self, name: str) -> list[Frame]:
        """What the far end has got so far, whole frames only."""
        data = (self.folder / f"{name}.flv").read_bytes()
        end = 13
        while end + 11 <= len(data):
            after = end + 15 + int.from_bytes(data[end + 1 : end + 4], "big")
            if after > len(data):
                break
            end = after
        return list(frames_of(data[:end]))

    async def gets(self, name: str, count: int) -> None:
        """Until the far end has got so many more pictures."""
        file = self.folder / f"{name}.flv"
        wanted = count + (len(media(self.received(name), Kind.VIDEO)) if file.exists() else 0)
        async with asyncio.timeout(PATIENCE):
            while not file.exists() or len(media(self.received(name), Kind.VIDEO)) < wanted:
                await asyncio.sleep(0.1)

    async def shown(self, slug: str = "show") -> tuple[int, int]:
        """Width and height of what a player gets, which must be media that decodes."""
        async with httpx.AsyncClient(base_url=f"{self.media}/live/{slug}/source/") as http:
            text = (await http.get("live.m3u8")).text
            names = [HEAD.findall(text)[-1], SEGMENT.findall(text)[-1]]
            parts = [(await http.get(name)).content for name in names]
        with av.open(io.BytesIO(b"".join(parts)), "r", options={"err_detect": "explode"}) as file:
            pictures = list(file.decode(video=0))
        assert len(pictures) >= 20
        assert not any(one.is_corrupt for one in pictures)
        return pictures[0].width, pictures[0].height

    async def playable(self) -> None:
        """Until a player finds a whole segment."""
        await self.until(lambda now: now.playable)
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as http:
            address = f"{self.media}/live/{(await self.status()).slug}/source/live.m3u8"
            while not SEGMENT.search((await http.get(address)).text):
                await asyncio.sleep(0.1)

    async def news(self, kind: str) -> WorkerEvent:
        """The first event of that kind."""
        async with asyncio.timeout(PATIENCE):
            async for event in self.client.events():
                if event.kind == kind:
                    return event
        raise AssertionError("the news ended")


@asynccontextmanager
async def everything(tmp_path: Path) -> AsyncIterator[Show]:
    """Running; afterwards nothing of it is left."""
    far = tmp_path / "far"
    far.mkdir()
    before = asyncio.all_tasks()
    async with nginx(far) as port:
        async with station(tmp_path / "data") as here:
            yield Show(here.settings, here.worker, here.client, far, port)
        async with asyncio.timeout(5):
            while left := asyncio.all_tasks() - before - {asyncio.current_task()}:
                await asyncio.wait(left)
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("recording")]
        assert not [line for line in children().values() if "ffmpeg" in line]


@pytest.fixture
async def show(tmp_path: Path) -> AsyncIterator[Show]:
    async with everything(tmp_path) as found:
        yield found


def states(status: LiveStatus) -> list[str]:
    """Of the targets."""
    return [target.state for target in status.targets]


def untouched(before: TargetStatus, after: TargetStatus) -> bool:
    """Nothing happened to a target meanwhile."""
    return (before.state, before.since, before.connects) == (after.state, after.since, after.connects)


def unbroken(frames: Sequence[Frame], shape: Shape) -> None:
    """Every picture of an encoder that loops, from the first that came to the last, and sound all along."""
    places = {f.body: n for n, f in enumerate(media(expected(shape), Kind.VIDEO))}
    numbers = [places[frame.body] for frame in media(frames, Kind.VIDEO)]
    assert all(b == (a + 1) % len(places) for a, b in pairwise(numbers))
    assert backward(frames) == 0
    assert largest_gap(media(frames, Kind.AUDIO)) < 100


async def test_an_upright_profile_dies_and_returns_and_the_untouched_feed_loses_nothing(show: Show) -> None:
    tall = profile("tall", width=720, height=1280, fit="crop", fps=15.0, video_kbps=1500)
    targets = [show.target("far"), show.target("tall", profile="tall")]
    await show.client.put(wish(profiles=[tall], targets=targets))
    async with publishing(SHAPE, f"{show.rtmp}/{KEY}", live=True):
        await show.until(lambda now: states(now) == ["live", "live"] and now.encoders[0].state == "running")
        await show.gets("tall", 15)
        programme = show.worker.programme("show")
        assert programme
        pid = programme._encoders._plugged["tall"].pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        await show.until(lambda now: now.encoders[0].restarts == 1)
        await show.until(lambda now: now.encoders[0].state == "running")
        await show.gets("tall", 15)
        status = await show.status()
    assert [target.connects for target in status.targets] == [1, 1]
    unbroken(show.received("far"), SHAPE)
    frames = show.received("tall")
    assert {(picture.picture.width, picture.picture.height) for picture in decoded(frames[:40])} == {
        (720, 1280)
    }
    assert decodable(frames) == len(media(frames, Kind.VIDEO)) >= 30
    assert backward(frames) == 0


async def test_what_is_sent_by_srt_with_a_passphrase_reaches_a_target_and_players(show: Show) -> None:
    await show.client.put(wish(srt_passphrase=PASSPHRASE, targets=[show.target("far")]))
    address = f"srt://127.0.0.1:{show.settings.srt_port}?connect_timeout=20000"
    output = ("-f", "mpegts", "-srt_streamid", f"publish:{KEY}")
    async with ffmpeg("-re", *PICTURE, *AAC, *output, address) as careless:
        assert (await ended(careless))[0] != 0, "without the passphrase nobody gets in"
    async with ffmpeg("-re", *PICTURE, *AAC, *output, "-passphrase", PASSPHRASE, address):
        status = await show.until(lambda now: now.publisher and states(now) == ["live"])
        assert status.publisher
        assert status.publisher.protocol == "srt"
        await show.playable()
        assert await show.shown() == (320, 180)
        await show.gets("far", 30)
    frames = show.received("far")
    assert decodable(frames) == len(media(frames, Kind.VIDEO))
    assert media(frames, Kind.AUDIO)


async def test_what_is_sent_by_whip_can_be_played_whatever_the_show_is_called(show: Show) -> None:
    await show.client.put(wish(slug="whip-day"))
    address = f"{show.media}/live/whip-day/whip"
    output = ("-f", "whip", "-handshake_timeout", "20000", "-authorization", KEY, address)
    sound = ("-c:a", "libopus", "-ac", "2", "-b:a", "64k")
    async with ffmpeg("-re", *PICTURE, "-profile:v", "baseline", *sound, *output):
        status = await show.until(lambda now: now.publisher)
        assert status.publisher
        assert status.publisher.protocol == "whip"
        await show.playable()
        assert await show.shown("whip-day") == (320, 180)


def test_only_what_ends_in_whip_goes_to_its_door() -> None:
    served = ["/live/show/whip", "/live/show/whip/session", "/live/whip/whip"]
    others = ["/live/whip/live.m3u8", "/live/whip-day/live.m3u8", "/live/show/whips", "/whip", "/live/whip"]
    assert [WhipDoor.serves(path) for path in served + others] == [True] * 3 + [False] * 5


async def test_a_publisher_goes_before_the_source_which_comes_back_after_it(show: Show) -> None:
    await show.client.put(wish(source=SourceSpec(kind="pattern"), targets=[show.target("far")]))

    await show.until(lambda now: states(now) == ["live"] and now.publisher and now.publisher.fps)
    pattern = (await show.status()).publisher
    assert pattern
    assert pattern.protocol == "source"
    async with publishing(SHAPE, f"{show.rtmp}/{KEY}", live=True):
        await show.until(lambda now: now.publisher and now.publisher.protocol == "rtmp")
        await show.gets("far", 45)
    back = await show.until(
        lambda now: now.publisher and now.publisher.protocol == "source" and now.publisher.audio_rate
    )
    assert back.publisher
    assert back.publisher.b_frames is False
    await show.gets("far", 45)
    assert (await show.client.health("show"))[-1].fps, "the source is measured again"
    status = await show.status()
    assert (status.on_air, states(status), status.targets[0].connects) == ("primary", ["live"], 1)
    frames = show.received("far")
    widths = [video_track(frame.body).width for frame in frames if frame.header and frame.kind == Kind.VIDEO]
    changes = [width for n, width in enumerate(widths) if n == 0 or widths[n - 1] != width]
    assert changes == [pattern.width, 320, pattern.width]
    assert backward(frames) == 0


async def test_player_and_recording_are_switched_while_targets_notice_nothing(show: Show) -> None:
    first = wish(player=False, recording=RecordingSpec(least_free_gb=0), targets=[show.target("far")])
    await show.client.put(first)
    async with publishing(SHAPE, f"{show.rtmp}/{KEY}", live=True):
        before = await show.until(lambda now: states(now) == ["live"] and now.recording.seconds > 2)
        assert not before.playable
        async with httpx.AsyncClient() as http:
            nothing = await http.get(f"{show.media}/live/show/source/live.m3u8")
            assert "#EXTINF" not in nothing.text
        await show.client.put(wish(version=2, targets=first.targets))
        (recorded,) = await show.client.recordings("show")
        await show.playable()
        assert await show.shown() == (320, 180)
        after = await show.status()
        assert after.recording.state == "off"
        assert await show.client.recordings("show") == [recorded]
        assert untouched(before.targets[0], after.targets[0])
        await show.client.put(wish(version=3, player=False, targets=first.targets))
        again = await show.status()
        assert not again.playable
        assert untouched(before.targets[0], again.targets[0])
    unbroken(show.received("far"), SHAPE)


async def test_keyframes_that_are_too_far_apart_are_a_finding_of_the_platform_that_minds(
    show: Show,
) -> None:
    targets = [show.target("far", platform="youtube"), show.target("other")]
    await show.client.put(wish(targets=targets))
    async with publishing(Shape(seconds=20, gop=120), f"{show.rtmp}/{KEY}", live=True):
        status = await show.until(lambda now: [f for f in now.findings if f.target == "far"])
        minded = next(finding for finding in status.findings if finding.target == "far")
        assert "keyframe" in minded.sentence.lower()
        assert not [finding for finding in status.findings if finding.target == "other"]
        told = (await show.news("finding.raised")).finding
        assert told
        assert told.code in [finding.code for finding in status.findings]
        await show.client.put(wish(version=2, open=False, targets=targets))
    cleared = (await show.news("finding.cleared")).finding
    assert cleared


async def test_the_uploaded_slate_is_what_the_far_end_shows_while_nobody_sends(show: Show) -> None:
    data = picture(RED)
    sha = hashlib.sha256(data).hexdigest()
    await show.client.put_asset(sha, data)
    await show.client.put(wish(slate=SlateSpec(asset=sha), targets=[show.target("far")]))
    programme = show.worker.programme("show")
    assert programme
    async with publishing(SHAPE, f"{show.rtmp}/{KEY}", live=True):
        await show.until(lambda now: states(now) == ["live"] and programme.live.director.slate)
    await show.until(lambda now: now.on_air == "slate")
    await show.gets("far", 45)
    *_, last = decoded(show.received("far"))
    assert all(like(last.colour(x, y), RED) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9))


async def test_a_show_that_is_opened_again_begins_anew_with_all_its_parts(show: Show) -> None:
    tall = profile("tall", fps=15.0)
    parts = {
        "profiles": [tall],
        "targets": [show.target("far"), show.target("tall", profile="tall")],
        "recording": RecordingSpec(least_free_gb=0),
    }
    for version in (1, 3):
        await show.client.put(wish(version=version, **parts))
        programme = show.worker.programme("show")
        assert programme
        async with publishing(SHAPE, f"{show.rtmp}/{KEY}", live=True):
            await show.until(lambda now: states(now) == ["live", "live"] and now.recording.seconds > 1)
            await show.playable()
            assert await show.shown() == (320, 180)
            while programme.live.director.slate is None:
                await asyncio.sleep(0.05)
        await show.until(lambda now: now.on_air == "slate")
        closed = await show.client.put(wish(version=version + 1, open=False, **parts))
        assert (closed.on_air, states(closed), closed.recording.state) == ("nothing", ["idle"] * 2, "off")
        assert all(target.frames_sent for target in closed.targets), "the figures outlast the end"
        async with httpx.AsyncClient() as http:
            assert "#EXT-X-ENDLIST" in (await http.get(f"{show.media}/live/show/source/live.m3u8")).text
        late = await show.client.put(wish(version=version, **parts))
        assert not late.open, "an old wish opens nothing"
    assert len(await show.client.recordings("show")) >= 2


async def test_one_show_that_breaks_does_not_silence_the_others(office: Office) -> None:
    class Broken(Programme):
        def tick(self) -> None:
            raise RuntimeError("a mistake of ours")

    spec = wish(slug="broken")
    office.worker._programmes = {"broken": Broken(spec, office.worker.house), **office.worker._programmes}
    telling = asyncio.create_task(office.worker.tell_statistics(0.01))
    try:
        async with asyncio.timeout(PATIENCE):
            async for event in office.journal.read(0, idle=5.0):
                if event and event.kind == "live.stats":
                    assert event.slug == "show"
                    break
        assert not telling.done()
    finally:
        telling.cancel()


async def test_wishes_questions_and_the_end_may_all_come_at_once(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    office = Office(tmp_path)
    tall = profile("tall")
    wishes = [
        wish(
            version=version,
            targets=[
                TargetSpec.model_validate(
                    {"id": f"t{n}", "name": f"t{n}", "url": "rtmp://127.0.0.1:9/live", "key": "k"}
                    | {"profile": "tall" if (n + version) % 2 else None, "wanted": n % 3 != version % 3}
                )
                for n in range(version % 5)
            ],
            profiles=[tall] if version % 3 else [],
            recording=RecordingSpec(least_free_gb=0) if version % 2 else None,
            player=version % 4 > 0,
            source=SourceSpec(kind="pattern") if version % 2 else None,
        )
        for version in range(1, 13)
    ]
    await office.worker.put(wishes[0])
    telling = asyncio.create_task(office.worker.tell_statistics(0.005))
    await asyncio.gather(*(office.worker.put(wishes[n]) for n in (4, 2, 9, 1, 7, 3, 11, 6, 5, 10, 8)))
    await office.worker.put(wishes[3])
    (status,) = office.worker.statuses()
    assert (status.version, len(status.targets)) == (12, 12 % 5)
    # Who comes after the stop, as the ports are closed only after it, is for the second.
    await asyncio.gather(
        office.worker.put(wish(version=13, open=False)),
        office.worker.put(wish(version=14, recording=RecordingSpec(least_free_gb=0))),
        office.worker.put(wish(version=15, targets=wishes[3].targets)),
        office.worker.stop(),
    )
    await office.worker.stop()
    assert not telling.done()
    telling.cancel()
    async with asyncio.timeout(5):
        while left := asyncio.all_tasks() - before - {asyncio.current_task()}:
            await asyncio.wait(left)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("recording")]
    assert not [line for line in children().values() if "ffmpeg" in line]
