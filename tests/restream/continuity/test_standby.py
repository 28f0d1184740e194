"""The hot standby and the source that stands in, decided under an injected clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from restream.media import Kind
from tests.restream.continuity.stage import Notebook, Stage, goes_on


def test_the_standby_takes_over_at_once_from_its_kept_keyframe() -> None:
    stage = Stage()
    primary = stage.encoder("one", gop=60)
    standby = stage.encoder("two", "backup", gop=60, begins=99_000)
    stage.run(3.0)
    assert stage.reader.sources() == ["one"]
    primary.leave()
    gone = stage.clock.now
    stage.run(0.1)
    assert stage.on_air() == "backup"
    first_at, first = next((a, f) for a, f in stage.reader.noted if f.body.startswith(b"two:p"))
    assert first_at - gone <= 0.1
    assert first.keyframe
    numbers = stage.pictures("two")
    assert numbers == [f"p{n}" for n in range(60, standby.pictures)]
    stage.run(1.0)
    times = [frame.dts for frame in stage.reader.frames(Kind.VIDEO)]
    assert all(a < b for a, b in pairwise(times))
    ran = (stage.clock.now - 1_000) * 1000
    assert times[-1] == pytest.approx(ran, abs=150), "the show's time is that of the clock"
    goes_on(stage.reader)


def test_the_standby_covers_a_primary_that_has_frozen() -> None:
    stage = Stage()
    primary = stage.encoder("one", gop=60)
    stage.encoder("two", "backup", gop=60)
    stage.run(3.0)
    primary.sending = False
    stage.run(0.5)
    assert stage.on_air() == "backup"
    assert stage.reader.sources() == ["one", "two"], "no slate in between"
    goes_on(stage.reader)


def test_a_returning_primary_is_trusted_after_two_steady_seconds_and_at_a_keyframe() -> None:
    stage = Stage()
    primary = stage.encoder("one")
    stage.encoder("two", "backup")
    stage.run(2.0)
    primary.leave()
    stage.run(2.0)
    stage.encoder("three")
    stage.run(1.9)
    assert stage.on_air() == "backup"
    stage.run(1.2)
    assert stage.on_air() == "primary"
    shown = stage.pictures("three")
    assert int(shown[0][1:]) % 30 == 0
    assert stage.switches == ["primary", "backup", "primary"]
    goes_on(stage.reader)


def test_a_sticky_standby_stays_until_it_drops() -> None:
    stage = Stage(sticky=True)
    primary = stage.encoder("one")
    standby = stage.encoder("two", "backup")
    stage.run(2.0)
    primary.leave()
    stage.run(1.0)
    stage.encoder("three")
    stage.run(10.0)
    assert stage.on_air() == "backup"
    standby.leave()
    stage.run(0.1)
    assert stage.on_air() == "primary"
    goes_on(stage.reader)


def test_a_standby_alone_is_on_air() -> None:
    stage = Stage()
    stage.encoder("two", "backup")
    stage.run(1.0)
    assert stage.on_air() == "backup"


def test_a_primary_that_says_nothing_does_not_keep_the_standby_off() -> None:
    stage = Stage()
    stage.session()
    stage.encoder("two", "backup")
    stage.run(1.0)
    assert stage.on_air() == "backup"


def test_a_source_is_a_stand_in_for_the_primary() -> None:
    stage = Stage()
    stage.encoder("loop", "source")
    stage.run(1.0)
    assert stage.on_air() == "primary"
    publisher = stage.encoder("one")
    assert stage.live.publisher is publisher.session
    stage.run(1.0)
    assert stage.reader.sources() == ["loop", "one"]
    publisher.leave()
    stage.run(0.6)
    assert stage.reader.sources() == ["loop", "one", "loop"]
    goes_on(stage.reader)


def test_a_track_that_is_missing_after_a_switch_is_over_and_readers_are_told() -> None:
    stage = Stage()
    primary = stage.encoder("one")
    stage.encoder("two", "backup", audio=False)
    stage.run(2.0)
    primary.leave()
    stage.run(1.0)
    assert stage.on_air() == "backup"
    assert stage.reader.ends == 1
    assert stage.live.audio is None
    late = Notebook(stage.clock)
    stage.live.attach(late)
    assert [frame.kind for frame in late.frames()].count(Kind.AUDIO) == 0
