"""The control API over HTTP, as the hub sees it: who may ask, what is refused and why, what is kept."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr
from starlette.routing import Route

from restream.api import ClipWish, Delay, LiveSpec, LiveStatus, RecordingSpec, SlateSpec, uplink_token
from restream.archive import Archive
from restream.assets import LARGEST
from restream.client import AssetsMissing, NotPossible, WorkerClient, WorkerUnreachable
from restream.control import Control
from restream.encode.encoders import Machine
from restream.journal import Journal
from restream.main import running
from restream.programme import House
from restream.record.library import Library
from restream.settings import MediaSettings
from restream.targets.target import Outfit
from restream.tls import client_context
from restream.worker import Worker
from tests.restream.encode.test_encoders import profile
from tests.restream.encoder import publishing
from tests.restream.hls.feed import Shape
from tests.restream.record.reel import decode
from tests.restream.rtmp.peers import peer
from tests.restream.targets.servers import free_port
from tests.restream.test_programme import Office, office

__all__ = ["office"]

TOKEN, KEY = "the-media-token", "a-stream-key"
SHAPE = Shape(seconds=10, gop=30)
PATIENCE = 60.0


@dataclass
class Station:
    """A running worker, its ports, and the hub's way to it."""

    settings: MediaSettings
    worker: Worker
    client: WorkerClient

    @property
    def rtmp(self) -> str:
        """Where encoders publish to, without the key."""
        return f"rtmp://127.0.0.1:{self.settings.rtmp_port}/live"

    @property
    def media(self) -> str:
        """Where players and WHIP encoders come."""
        return f"http://127.0.0.1:{self.settings.media_port}"

    async def status(self) -> LiveStatus:
        """Of the only show, as it is told."""
        (status,) = await self.client.lives()
        return status

    async def until(self, true: Callable[[LiveStatus], object]) -> LiveStatus:
        """The first status for which something is so."""
        async with asyncio.timeout(PATIENCE):
            while not true(status := await self.status()):
                await asyncio.sleep(0.05)
        return status


@asynccontextmanager
async def station(data: Path) -> AsyncIterator[Station]:
    """All ports open, no show yet."""
    settings = MediaSettings(
        data=data,
        media_port=free_port(),
        media_control_port=free_port(),
        rtmp_port=free_port(),
        rtmps_port=free_port(),
        srt_port=free_port(),
        webrtc_port=free_port(),
        media_token=SecretStr(TOKEN),
    )
    async with running(settings) as worker:
        client = WorkerClient(f"http://127.0.0.1:{settings.media_control_port}", TOKEN)
        try:
            yield Station(settings, worker, client)
        finally:
            await client.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Station]:
    async with station(tmp_path) as found:
        yield found


def wish(version: int = 1, **more: Any) -> LiveSpec:
    """What the hub wants of the show."""
    keys = [hashlib.sha256(KEY.encode()).hexdigest()]
    return LiveSpec(**{"slug": "show", "version": version, "key_hashes": keys, **more})


def picture(colour: tuple[int, int, int]) -> bytes:
    """A PNG of one colour."""
    made = io.BytesIO()
    Image.new("RGB", (64, 36), colour).save(made, "PNG")
    return made.getvalue()


def said(error: WorkerUnreachable) -> tuple[int, str]:
    """Status and body of what the client could not use."""
    cause = error.__cause__
    assert isinstance(cause, httpx.HTTPStatusError)
    return cause.response.status_code, cause.response.text


async def test_every_route_but_one_wants_the_token(tmp_path: Path) -> None:
    journal = Journal()
    outfit = Outfit(client_context(), on_change=lambda status: None)
    worker = Worker(House(outfit, journal, Machine(), tmp_path))
    archive = Archive(worker, Library(tmp_path))
    control = Control(worker, journal, SecretStr(TOKEN), lambda tc_url: 0, archive.routes)
    routes = [route for route in control.app.routes if isinstance(route, Route)]
    asked = 0
    transport = httpx.ASGITransport(control.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://worker") as http:
        for route in routes:
            path = route.path.format(slug="show", sha="0" * 64, name="a.mp4")
            for method in (route.methods or set()) - {"HEAD"}:
                for headers in ({}, {"authorization": "Bearer guess"}, {"authorization": TOKEN}):
                    answer = await http.request(method, path, headers=headers)
                    open_to_all = path == "/healthz"
                    assert answer.status_code == (200 if open_to_all else 401), (method, path)
                    asked += 1
    assert len(routes) == len(control.app.routes)
    assert asked >= 3 * 14


async def test_a_show_is_taken_once_its_pictures_are_there(here: Station) -> None:
    data = picture((200, 30, 30))
    sha = hashlib.sha256(data).hexdigest()
    wanted = wish(slate=SlateSpec(asset=sha))
    with pytest.raises(AssetsMissing) as missing:
        await here.client.put(wanted)
    assert missing.value.shas == [sha]
    assert await here.client.lives() == []
    for bad, wrong in (("0" * 64, data), (hashlib.sha256(b"text").hexdigest(), b"text")):
        with pytest.raises(WorkerUnreachable) as caught:
            await here.client.put_asset(bad, wrong)
        status, sentence = said(caught.value)
        assert status == 422
        assert "Send it again." in sentence or "Save it as one of these." in sentence
    with pytest.raises(WorkerUnreachable) as caught:
        await here.client.put_asset(sha, data.ljust(LARGEST + 1, b"\0"))
    assert said(caught.value)[0] == 413
    with pytest.raises(AssetsMissing):
        await here.client.put(wanted)
    await here.client.put_asset(sha, data)
    await here.client.put_asset(sha, data)
    assert (await here.client.put(wanted)).version == 1


async def test_a_plan_prices_and_refuses_and_changes_nothing(here: Station) -> None:
    small, huge = profile("small"), profile("huge", width=3840, height=3840, fps=60.0)
    found = await here.client.plan(wish(profiles=[small, huge], targets=[target("small"), target("huge")]))
    assert list(found.refused) == ["huge"]
    assert "Choose a smaller size" in found.refused["huge"]
    assert 0 < found.costs["small"] < found.costs["huge"]
    assert found.wanted_cores > found.cores
    assert await here.client.lives() == []


def target(name: str | None, **more: Any) -> dict[str, Any]:
    """A target of a profile, as it goes over the wire."""
    address = {"url": "rtmp://127.0.0.1:9/live", "key": "a-target-key"}
    return {"id": f"to-{name}", "name": f"to {name}", "profile": name, **address, **more}


async def test_a_show_on_the_air_can_be_looked_at_and_cut(here: Station) -> None:
    await here.client.put(wish(recording=RecordingSpec(least_free_gb=0)))
    began = datetime.now(UTC)
    async with publishing(SHAPE, f"{here.rtmp}/{KEY}", live=True):
        await here.until(lambda now: now.recording.seconds >= 4 and now.publisher and now.delays)
        shown = await here.client.picture("show")
        assert shown
        assert Image.open(io.BytesIO(shown)).size == (320, 180)
        samples = await here.client.health("show")
        assert any((sample.video_kbps or 0) > 50 for sample in samples)
        middle = samples[len(samples) // 2].at
        assert {sample.at for sample in await here.client.health("show", since=middle)} >= {
            sample.at for sample in samples if sample.at >= middle
        }
        assert all(sample.at >= middle for sample in await here.client.health("show", since=middle))
        (delay,) = await here.client.delays("show")
        assert (delay.destination, delay.way) == ("player", "sent")
        noted = Delay(destination="player", ms=3210.0, way="player", at=datetime.now(UTC))
        await here.client.note_delay("show", noted)
        (delay,) = await here.client.delays("show")
        assert (delay.ms, delay.way) == (3210.0, "player")
        assert (await here.client.delays("show", "player", began))[0].destination == "player"
        assert await here.client.delays("show", "player", datetime.now(UTC) + timedelta(hours=1)) == []
        await cut(here, began)
    await here.client.put(wish(version=2, open=False, recording=RecordingSpec(least_free_gb=0)))
    await cut(here, began)


async def cut(here: Station, began: datetime) -> None:
    """Recordings, a clip of two seconds, its bytes, a picture of a moment."""
    recordings = await here.client.recordings("show")
    assert recordings
    assert (recordings[0].width, recordings[0].height) == (320, 180)
    first = recordings[0].begins_at
    assert first >= began - timedelta(seconds=1)
    asked = ClipWish(begins_at=first + timedelta(seconds=1), ends_at=first + timedelta(seconds=3))
    clip = await here.client.clip("show", asked)
    assert clip.begins_at <= asked.begins_at
    assert clip.ends_at >= asked.ends_at
    async with here.client.clip_file("show", clip.name) as pieces:
        data = b"".join([piece async for piece in pieces])
    assert len(data) == clip.bytes
    file = here.settings.data / "clip.mp4"
    file.write_bytes(data)
    decoded = decode(file)
    assert decoded.corrupt == 0
    assert len(decoded.pictures) >= 55
    thumbnail = await here.client.picture("show", at=asked.begins_at)
    assert thumbnail
    assert Image.open(io.BytesIO(thumbnail)).size == (320, 180)


async def test_what_cannot_be_had_is_refused_in_a_sentence(here: Station) -> None:
    client, now = here.client, datetime.now(UTC)
    for question in (client.health("none"), client.delays("none")):
        with pytest.raises(NotPossible, match="This show is not on this worker"):
            await question
    await client.put(wish())
    assert await client.picture("show") is None
    assert await client.picture("show", at=now) is None
    assert await client.recordings("show") == []
    with pytest.raises(NotPossible, match="Nothing was recorded at that time"):
        await client.clip("show", ClipWish(begins_at=now - timedelta(seconds=5), ends_at=now))
    with pytest.raises(NotPossible, match="has to end after it begins"):
        await client.clip("show", ClipWish(begins_at=now, ends_at=now))
    with pytest.raises(NotPossible, match="There is no such clip"):
        async with client.clip_file("show", "no.mp4"):
            pass
    with pytest.raises(NotPossible, match="slug"):
        await client.recordings(".show")
    base = f"http://127.0.0.1:{here.settings.media_control_port}"
    async with httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {TOKEN}"}) as http:
        for path in ("health?since=yesterday", "thumbnail?at=2026-01-31T20:00:00", "clips/..%2f..%2fx"):
            assert (await http.get(f"/lives/show/{path}")).status_code in (404, 422), path
        for path, body in (("delays", '{"ms": "x"}'), ("clips", "{}")):
            assert (await http.post(f"/lives/show/{path}", content=body)).status_code == 422


async def test_encoders_that_understand_are_asked_to_come_again(here: Station) -> None:
    await here.client.put(wish())
    base = f"http://127.0.0.1:{here.settings.media_control_port}"
    async with (
        httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {TOKEN}"}) as http,
        peer(here.settings.rtmp_port) as encoder,
    ):
        await encoder.publish(KEY, capsEx=1.0)
        assert (await http.post("/drain", content='{"tc_url": 7}')).status_code == 422
        there = {"tc_url": "rtmp://other.example/live"}
        assert (await http.post("/drain", json=there)).json() == {"asked": 1}
        asked = await encoder.status()
        assert asked["code"] == "NetConnection.Connect.ReconnectRequest"
        assert asked["tcUrl"] == there["tc_url"]


async def test_no_answer_holds_a_secret(here: Station) -> None:
    secrets = ["key-of-the-target", "passphrase-of-srt", "passphrase-of-it", "user:word@far.example"]
    wanted = wish(
        srt_passphrase="passphrase-of-srt",
        source={"kind": "pull", "addresses": ["rtmp://user:word@far.example.invalid/live"]},
        targets=[target(None, key=secrets[0], passphrase=secrets[2]), target("none", key=secrets[0])],
    )
    await here.client.put(wanted)
    base = f"http://127.0.0.1:{here.settings.media_control_port}"
    body = wanted.model_dump(mode="json")
    body["targets"][0] |= {"key": secrets[0], "passphrase": {"no": secrets[2]}, "plan": secrets[0]}
    body["srt_passphrase"] = [secrets[1]]
    async with httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {TOKEN}"}) as http:
        await here.until(lambda now: now.findings)
        answers = [
            await http.put("/lives/show", json=body),
            await http.post("/plan", json=body),
            await http.get("/lives"),
            await http.get("/lives/show/health"),
            await http.get(f"{here.media}/metrics"),
        ]
        async with asyncio.timeout(PATIENCE), http.stream("GET", "/events") as events:
            async for line in events.aiter_lines():
                assert not [secret for secret in (*secrets, KEY, TOKEN) if secret in line]
                if "live.stats" in line:
                    break
    assert [answer.status_code for answer in answers] == [422, 422, 200, 200, 200]
    for answer in answers:
        assert not [secret for secret in (*secrets, KEY, TOKEN) if secret in answer.text], answer.url


async def test_an_upload_is_measured_for_who_has_the_shows_token(here: Station) -> None:
    await here.client.put(wish())
    body = os.urandom(2 << 20)
    async with httpx.AsyncClient(base_url=here.media) as http:
        asked = {"origin": "https://studio.example", "access-control-request-method": "POST"}
        preflight = await http.options("/uplink", headers=asked)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert "POST" in preflight.headers["access-control-allow-methods"]
        for wrong in ("", "guess", TOKEN, uplink_token(TOKEN, "other"), uplink_token("guess", "show")):
            refused = await http.post("/uplink", params={"token": wrong}, content=b"x")
            assert refused.status_code == 401
        good = {"authorization": f"Bearer {uplink_token(TOKEN, 'show')}"}
        measured = await http.post("/uplink", headers=good, content=body)
        assert measured.status_code == 200
        assert measured.headers["access-control-allow-origin"] == "*"
        assert measured.json()["mbps"] > 0


async def test_a_wish_that_comes_after_the_worker_stopped_starts_nothing(office: Office) -> None:
    await office.worker.stop()
    before = asyncio.all_tasks()
    late = wish(version=2, targets=[target(None)], recording=RecordingSpec(), source={"kind": "pattern"})
    status = await office.worker.put(late)
    assert (status.version, status.targets) == (1, [])
    assert asyncio.all_tasks() == before


async def test_a_show_is_opened_again_only_when_its_end_is_done(office: Office) -> None:
    recorded = {"recording": RecordingSpec(least_free_gb=0)}
    await office.worker.put(wish(version=2, **recorded))
    ended = office.programme()
    ending = asyncio.create_task(office.worker.put(wish(version=3, open=False, **recorded)))
    while ended.spec.open:
        await asyncio.sleep(0)
    status = await office.worker.put(wish(version=4, **recorded))
    assert ending.done(), "two must not write into one folder"
    assert (status.version, status.open) == (4, True)
    assert office.programme() is not ended
