"""One show's publishers: whose key opens which place, who is refused, what is told of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from restream.api import LiveSpec, SlateSpec, WorkerEvent
from restream.encode.encoders import Machine
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.health.health import Observed
from restream.journal import Journal
from restream.live import Session
from restream.media import Frame
from restream.programme import House, Programme
from restream.targets.target import Outfit
from restream.tls import client_context
from restream.worker import Worker
from tests.restream.hls.feed import Shape, stream

FEED = stream(Shape(seconds=1.0))


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def wish(version: int = 1, slug: str = "show", **more: Any) -> LiveSpec:
    """Keys are named after the show and the place they open."""
    keys = {"key_hashes": [hashed(f"{slug}-first")], "backup_key_hashes": [hashed(f"{slug}-standby")]}
    return LiveSpec(**{"slug": slug, "version": version, **keys, **more})


class Office:
    """A worker without ports; `cut` are the reasons publishers were cut for."""

    def __init__(self, data: Path) -> None:
        self.journal = Journal()
        outfit = Outfit(client_context(), on_change=lambda status: None)
        self.worker = Worker(House(outfit, self.journal, Machine(), data))
        self.cut: dict[str, str] = {}

    async def publish(self, key: str, slug: str | None = None, name: str = "", **more: Any) -> Session:
        """Somebody comes to the gate; cutting ends their session, as a server does."""
        made: list[Publisher] = []

        def kick(reason: str) -> None:
            self.cut[name or key] = reason
            for publisher in made:
                publisher.closed(reason)

        request = PublishRequest("live", key, "127.0.0.1", "OBS", slug=slug, **more)
        made.append(await self.worker.publish(request, kick))
        return session_of(made[0])

    def programme(self) -> Programme:
        found = self.worker.programme("show")
        assert found
        return found

    async def news(self, after: int = 0) -> list[WorkerEvent]:
        """Everything told so far."""
        found: list[WorkerEvent] = []
        async for event in self.journal.read(after, idle=0):
            if event is None:
                break
            found.append(event)
        return found


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    await made.worker.put(wish())
    yield made
    await made.worker.stop()


def session_of(publisher: Publisher) -> Session:
    """The live's side of what a server is given."""
    assert isinstance(publisher, Observed)
    assert isinstance(publisher.publisher, Session)
    return publisher.publisher


def send(session: Publisher, frames: tuple[Frame, ...] = FEED) -> None:
    for frame in frames:
        session.frame(frame)


async def refused(trial: Callable[[], Any]) -> PublishRefused:
    with pytest.raises(PublishRefused) as caught:
        await trial()
    return caught.value


async def test_each_key_opens_its_own_place_and_the_news_say_whose(office: Office) -> None:
    first = await office.publish("show-first", protocol="srt")
    standby = await office.publish("show-standby?token=1")
    assert (first.role, standby.role) == ("primary", "backup")
    send(first)
    send(standby)
    status = office.programme().status()
    assert status.on_air == "primary"
    assert status.publisher
    assert status.backup
    assert (status.publisher.protocol, status.backup.protocol) == ("srt", "rtmp")
    standby.closed("bye")
    assert office.programme().status().backup is None
    told = [(event.kind, event.role, event.on_air) for event in await office.news()]
    assert told == [
        ("publisher.started", "primary", None),
        ("publisher.started", "backup", None),
        ("source.switched", None, "primary"),
        ("publisher.stopped", "backup", None),
    ]


async def test_an_address_that_names_the_show_takes_only_that_shows_keys(office: Office) -> None:
    await office.worker.put(wish(slug="other"))
    refusal = await refused(lambda: office.publish("other-first", slug="show"))
    assert refusal.code == "NetStream.Publish.BadName"
    assert (await office.publish("other-first", slug="other")).role == "primary"
    assert (await office.publish("show-first")).role == "primary"


async def test_the_newest_takes_over_by_default(office: Office) -> None:
    send(await office.publish("show-first", name="one"))
    second = await office.publish("show-first", name="two")
    assert list(office.cut) == ["one"]
    assert office.programme().live.publisher is second


async def test_a_second_publisher_is_refused_where_the_show_says_so(office: Office) -> None:
    await office.worker.put(wish(version=2, takeover="refuse"))
    send(await office.publish("show-first"))
    refusal = await refused(lambda: office.publish("show-first"))
    assert refusal.code == "NetStream.Publish.BadName"
    assert "Stop it first" in refusal.description
    assert (await office.publish("show-standby")).role == "backup"
    assert (await office.news())[-2].kind == "publisher.refused"
    assert office.cut == {}


async def test_a_publisher_whose_first_connection_is_dead_may_come_back(office: Office) -> None:
    await office.worker.put(wish(version=2, takeover="refuse"))
    first = await office.publish("show-first", name="one")
    first._flow.last_at -= 60.0  # it has sent nothing for a minute
    second = await office.publish("show-first", name="two")
    assert list(office.cut) == ["one"]
    assert office.programme().live.publisher is second


async def test_a_changed_key_cuts_whoever_used_it_in_either_place(office: Office) -> None:
    await office.publish("show-first")
    await office.publish("show-standby")
    await office.worker.put(wish(version=2, backup_key_hashes=[hashed("another")]))
    assert list(office.cut) == ["show-standby"]
    await office.worker.put(wish(version=3, key_hashes=[hashed("show-standby")]))
    assert office.cut == dict.fromkeys(("show-standby", "show-first"), "The stream key has been changed.")
    assert office.programme().live.publisher is None


async def test_a_source_goes_behind_whoever_has_a_key(office: Office) -> None:
    source = session_of(office.programme().admit_source(lambda reason: None))
    send(source)
    status = office.programme().status()
    assert status.publisher
    assert (status.on_air, status.publisher.protocol) == ("primary", "source")
    encoder = await office.publish("show-first")
    send(encoder)
    assert office.programme().live.publisher is encoder
    await office.worker.put(wish(version=2, key_hashes=[hashed("another")]))
    assert office.programme().live.publisher is source, "no key opened its place, so none cuts it"


async def test_the_end_of_a_show_cuts_everybody_and_covers_nothing(office: Office) -> None:
    send(await office.publish("show-first"))
    await office.publish("show-standby")
    await office.worker.put(wish(version=2, open=False))
    assert office.cut == dict.fromkeys(("show-first", "show-standby"), "The show has ended.")
    assert office.programme().status().on_air == "nothing"
    for late in (lambda: office.publish("show-first"), lambda: office.publish("show-standby")):
        assert (await refused(late)).code == "NetStream.Publish.Denied"
    with pytest.raises(PublishRefused):
        office.programme().admit_source(lambda reason: None)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"continuity", "slate"}


async def test_a_slate_that_cannot_be_had_is_a_finding(office: Office) -> None:
    await office.worker.put(wish(version=2, slate=SlateSpec(asset="0" * 64)))
    session = await office.publish("show-first")
    session.metadata({"framerate": 30.0})
    send(session)
    async with asyncio.timeout(60):
        while not (findings := office.programme().status().findings):
            await asyncio.sleep(0.05)
    assert [(one.code, one.severity) for one in findings] == [("slate.trouble", "warning")]
    assert "Choose the picture again" in findings[0].sentence
    assert office.programme().status().findings == findings, "since the same moment"
    await office.worker.put(wish(version=3))
    async with asyncio.timeout(60):
        while office.programme().status().findings:
            await asyncio.sleep(0.05)
