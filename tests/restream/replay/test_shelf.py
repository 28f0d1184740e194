"""Replays over their life: while the show runs, at its end, after a restart, and when they are removed."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from restream.api import RecordingSpec, VerificationKey
from restream.record import shelf as recordings
from restream.record.library import Library
from restream.replay import replay
from restream.replay.door import ReplayDoor
from restream.replay.shelf import Shelf
from tests.restream.record.test_repair import until
from tests.restream.replay.reading import read
from tests.restream.replay.stage import (
    EMPTY_DISK,
    FIRST,
    SECRET,
    STARTED,
    Open,
    again,
    ask,
    cue,
    kept,
    signed,
    synthetic,
    wish,
    written,
)

INDEX = "/live/show/index.m3u8"
DVR = "/live/show/dvr.m3u8"
SOURCE = "/live/show/replay/source/media.m3u8"


class House:
    """A worker's shelf and door; `again` is another worker on the same disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.running: set[str] = set()
        self.now = STARTED
        self.begin()

    def begin(self) -> None:
        self.shelf = Shelf(
            self.root, self.running.__contains__, free=lambda _: EMPTY_DISK, now=lambda: self.now
        )
        self.door = ReplayDoor(self.shelf, Open())

    async def again(self) -> None:
        """The worker was killed and started anew; what the thread wrote last is on the disk."""
        await self.shelf.stop()
        self.running.clear()
        self.begin()
        await self.shelf.scan()

    async def play(self, count: int = 10) -> None:
        self.running.add("show")
        await kept(self.shelf, list(synthetic(count)))

    async def end(self, **changes: object) -> None:
        self.running.discard("show")
        await self.shelf.apply(wish(open=False, **changes))

    async def status(self, address: str) -> int:
        return (await ask(self.door, address)).status


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_the_replay_is_there_as_soon_as_the_show_has_ended(house: House) -> None:
    await house.play()
    assert not house.door.serves(INDEX), "the live origin has that address"
    media = read((await ask(house.door, SOURCE)).text)
    assert (media.ended, len(media.segments)) == (False, 10)
    await house.end(cues=[cue("a", 4.5)])
    assert house.door.serves(INDEX)
    assert (await ask(house.door, INDEX)).body == (await ask(house.door, DVR)).body
    media = read((await ask(house.door, SOURCE)).text)
    assert (media.ended, len(media.segments), list(media.cues)) == (True, 10, ["a"])
    await house.shelf.stop()


async def test_the_last_segments_are_in_the_replay(house: House) -> None:
    house.running.add("show")
    await house.shelf.apply(wish())
    for segment in synthetic(500):
        house.shelf.take("show", segment)
    await house.end()
    assert len(read((await ask(house.door, SOURCE)).text).segments) == 500
    await house.shelf.stop()


async def test_another_worker_finds_the_replay(house: House) -> None:
    await house.play()
    await house.end(cues=[cue("a", 4.5, kind="chapter", title="Start")])
    before = {address: (await ask(house.door, address)).text for address in (INDEX, SOURCE)}
    await house.again()
    assert not house.shelf._loaded
    assert house.door.serves(INDEX)
    assert {address: (await ask(house.door, address)).text for address in before} == before
    found = await ask(house.door, "/live/show/chapters.json")
    assert '"title": "Start"' in found.text
    await house.shelf.stop()


async def test_after_a_restart_the_show_goes_on_with_a_discontinuity(house: House) -> None:
    segments = list(synthetic(5))
    await house.play(5)
    before = (await ask(house.door, SOURCE)).text
    await house.again()
    # The hub has not told of the show yet: nobody may believe that it is over.
    assert not house.door.serves(INDEX)
    assert (await ask(house.door, SOURCE)).text == before
    house.running.add("show")
    await kept(house.shelf, again(segments, 60, 90.0))
    now = (await ask(house.door, SOURCE)).text
    assert now.startswith(before)
    media = read(now)
    assert [one.anew for one in media.segments] == [False] * 5 + [True] + [False] * 4
    assert len({one.map for one in media.segments}) == 1, "the same initialisation is kept once"
    await house.shelf.stop()


async def test_a_show_that_nobody_comes_back_to_is_over_after_a_while(house: House) -> None:
    await house.play()
    await house.again()
    house.now = datetime.now(UTC).timestamp() + 599
    assert not house.door.serves(INDEX)
    house.now += 100
    assert house.door.serves(INDEX)
    await house.again()
    assert not house.door.serves(INDEX), "the hub has had no time to say that it goes on"
    house.now += 100
    assert house.door.serves(INDEX)
    assert read((await ask(house.door, SOURCE)).text).ended
    await house.shelf.stop()


async def test_a_show_that_begins_again_goes_on_in_its_replay(house: House) -> None:
    await house.play(5)
    await house.end()
    assert read((await ask(house.door, SOURCE)).text).ended
    house.running.add("show")
    await kept(house.shelf, again(list(synthetic(5)), 500, 1000.0), wish(version=2))
    assert not house.door.serves(INDEX)
    media = read((await ask(house.door, SOURCE)).text)
    assert (media.ended, len(media.segments)) == (False, 10)
    await house.end()
    assert len(read((await ask(house.door, SOURCE)).text).segments) == 10
    await house.shelf.stop()


async def test_a_show_that_is_not_recorded_has_no_way_back(house: House) -> None:
    await house.shelf.apply(wish(recording=None))
    for segment in synthetic(3):
        house.shelf.take("show", segment)
    answer = await ask(house.door, DVR)
    assert answer.status == 404
    assert answer.text == "There is no recording of this show, or it is no longer kept.\n"
    assert not (house.root / "show").exists()
    await house.shelf.stop()


async def test_what_was_recorded_stays_when_recording_is_switched_off(house: House) -> None:
    await house.play(5)
    await house.shelf.apply(wish(version=2, recording=None))
    house.shelf.take("show", next(synthetic(1)))
    house.now += 10_000
    assert not house.door.serves(INDEX), "the show still runs"
    assert not read((await ask(house.door, SOURCE)).text).ended
    await house.end(version=3, recording=None)
    assert house.door.serves(INDEX)
    assert read((await ask(house.door, SOURCE)).text).ended
    await house.shelf.stop()


async def test_when_its_time_is_over_the_sweep_removes_it_and_that_is_said(house: House) -> None:
    await house.play()
    await house.end()
    recordings.keep(house.root / "show", 24, STARTED)
    library = Library(house.root)
    hours = [datetime.fromtimestamp(STARTED + hour * 3600, UTC) for hour in (23, 25)]
    assert await library.sweep(hours[0], []) == []
    assert await house.status(INDEX) == 200
    assert await library.sweep(hours[1], []) == ["show"]
    assert not (house.root / "show").exists()
    await house.shelf.scan()
    assert not house.door.serves(INDEX)
    for address in (DVR, SOURCE, f"/live/show/replay/source/s{FIRST}.m4s", "/live/show/chapters.json"):
        answer = await ask(house.door, address)
        assert answer.status == 404
        assert answer.text == "There is no recording of this show, or it is no longer kept.\n"
    await house.shelf.stop()


async def test_files_that_somebody_removed_are_noticed(house: House) -> None:
    await house.play()
    await house.end()
    (house.root / "show" / "replay" / "source.m4s").unlink()
    assert await house.status(f"/live/show/replay/source/s{FIRST}.m4s") == 404
    assert not house.door.serves(INDEX)
    await house.shelf.stop()


async def test_a_signed_replay_is_still_signed_after_a_restart(house: House) -> None:
    keys = [VerificationKey(id="k1", public_key="A" * 43)]
    policy = signed().model_copy(update={"keys": keys})
    house.running.add("show")
    await kept(house.shelf, list(synthetic(5)), wish(playback=policy))
    await house.end(playback=policy)
    await house.again()
    found = house.shelf.playback("show")
    assert found is not None
    assert (found.policy, found.keys) == ("signed", keys)
    assert house.shelf.playback("show") is found, "who may watch is made ready once for each version"
    about = house.root / "show" / "replay" / "about.json"
    assert about.stat().st_mode & 0o777 == 0o600
    assert SECRET not in repr(house.shelf._known)
    assert await house.status(SOURCE) == 404
    assert await house.status(f"/live/show/{'x' * 20}/replay/source/media.m3u8") == 404
    assert await house.status(f"/live/show/{SECRET}/replay/source/media.m3u8") == 200
    assert f"{SECRET}/replay/source/media.m3u8" in (await ask(house.door, INDEX)).text
    await house.shelf.stop()


@pytest.mark.parametrize("damage", [None, b"", b"{}", b'{"playback": {"policy": "any"}}'])
async def test_a_replay_whose_policy_is_lost_is_shown_to_nobody(house: House, damage: bytes | None) -> None:
    await house.play()
    await house.end()
    about = house.root / "show" / "replay" / "about.json"
    about.unlink()
    if damage is not None:
        about.write_bytes(damage)
    await house.again()
    assert house.shelf.playback("show") is None
    for address in (INDEX, DVR, SOURCE, f"/live/show/replay/source/s{FIRST}.m4s", "/live/show/chapters.json"):
        assert await house.status(address) == 403
    await house.shelf.apply(wish(open=False, playback=signed()))
    assert await house.status(f"/live/show/{SECRET}/replay/source/media.m3u8") == 200
    await house.again()
    assert await house.status(f"/live/show/{SECRET}/replay/source/media.m3u8") == 200
    await house.shelf.stop()


async def test_who_may_watch_can_be_changed_long_after_the_end(house: House) -> None:
    await house.play()
    await house.end()
    await house.again()
    assert await house.status(SOURCE) == 200
    await house.shelf.apply(wish(open=False, version=9, playback=signed()))
    assert await house.status(SOURCE) == 404
    assert await house.status(f"/live/show/{SECRET}/replay/source/media.m3u8") == 200
    await house.again()
    await house.shelf.apply(wish(open=False, version=8))
    assert await house.status(SOURCE) == 404, "an older wish came late"
    await house.shelf.stop()


async def test_rules_that_cannot_be_written_down_leave_no_older_ones(house: House) -> None:
    await house.play()
    await house.end()
    folder = house.root / "show" / "replay"
    (folder / "about.json.part").mkdir()  # nothing can be written under that name
    await house.shelf.apply(wish(open=False, version=2, cues=[cue("a", 1)]))
    assert (folder / "about.json").exists(), "the rules are the same"
    await house.shelf.apply(wish(open=False, version=3, playback=signed()))
    assert await house.status(SOURCE) == 404
    await house.again()
    assert await house.status(SOURCE) == 403
    await house.shelf.stop()


async def test_a_policy_counts_for_what_was_recorded_before_recording_was_switched_off(house: House) -> None:
    await house.play()
    await house.shelf.apply(wish(version=2, recording=None))
    await house.shelf.apply(wish(version=3, recording=None, playback=signed()))
    assert await house.status(SOURCE) == 404
    await house.again()
    assert await house.status(SOURCE) == 404
    assert await house.status(f"/live/show/{SECRET}/replay/source/media.m3u8") == 200
    await house.shelf.stop()


async def test_folders_that_are_no_shows_are_left_alone(house: House) -> None:
    await house.play()
    await house.end()
    (house.root / "show").rename(house.root / ".show")
    await house.again()
    assert await house.status("/live/.show/dvr.m3u8") == 404
    await house.shelf.stop()


async def test_a_new_policy_counts_at_once_in_a_running_show(house: House) -> None:
    await house.play()
    await house.shelf.apply(wish(version=2, playback=signed()))
    assert await house.status(SOURCE) == 404
    await written(house.shelf)
    await until(lambda: SECRET in (house.root / "show" / "replay" / "about.json").read_text())
    await house.shelf.stop()


async def test_a_wish_for_an_ended_show_without_a_replay_leaves_nothing(house: House) -> None:
    await house.shelf.apply(wish(open=False))
    assert not (house.root / "show").exists()
    assert house.shelf.playback("show") is None
    await house.shelf.stop()


async def test_a_stalled_disk_stalls_nobody_and_leaves_gaps(tmp_path: Path) -> None:
    flowing, asked = threading.Event(), threading.Event()

    def free(_: Path) -> int:
        asked.set()
        flowing.wait(60)
        return EMPTY_DISK

    folder, recording = tmp_path / "show" / "replay", RecordingSpec(least_free_gb=0)
    live = replay.Replay(folder, wish(), recording, free=free, most_waiting=5_000)
    live.start()
    media = [replace(one, data=(b"x" * 1000,)) for one in synthetic(2000, ("source",))]
    live.take(media[0])
    await until(asked.is_set)
    for segment in media[1:]:
        live.take(segment)  # returns at once, or the test's time is over
    assert live._put - live._taken <= 5_000
    assert live._queue.qsize() <= replay.MOST_SEGMENTS
    assert (live.trouble or "").startswith("The disk was too slow:")
    flowing.set()
    await live.stop()
    assert live.screening is not None
    index = live.screening.index
    there = [place for place in range(len(index)) if index.renditions["source"].piece(place)]
    assert there == [0, 1, 2, 3, 4]
    assert 900 < len(index) < 1100


async def test_only_so_many_replays_are_kept_in_memory(house: House) -> None:
    for name in range(12):
        spec = wish(slug=f"show{name}")
        await kept(house.shelf, list(synthetic(2)), spec)
        await house.shelf.apply(spec.model_copy(update={"open": False}))
    await house.again()
    for name in range(12):
        assert await house.status(f"/live/show{name}/replay/source/media.m3u8") == 200
    assert len(house.shelf._loaded) == 8
    await house.shelf.stop()
