"""Who is on air, decided under an injected clock."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restream.continuity.director import Role, Rules
from restream.continuity.flow import SILENCE
from restream.media import Frame, Kind
from tests.restream.continuity.stage import Notebook, Stage, goes_on, slate


def test_a_drop_is_covered_within_half_a_second_and_live_is_back_at_the_first_keyframe() -> None:
    stage = Stage()
    first = stage.encoder("one", begins=7_000_000)
    stage.run(3.0)
    first.leave()
    gone = stage.clock.now
    stage.run(5.0)
    assert stage.on_air() == "slate"
    begun = next(at for at, frame in stage.reader.noted if frame.body.startswith(b"slate"))
    assert begun - gone <= 0.5
    again = stage.encoder("two", begins=123)
    again.pictures = 17  # in the middle of a group
    stage.run(2.0)
    assert stage.reader.sources() == ["one", "slate", "two"]
    assert stage.pictures("two")[0] == "p30"
    assert stage.reader.ends == 0
    assert stage.switches == ["primary", "slate", "primary"]
    goes_on(stage.reader)


def test_a_frozen_publisher_is_covered_too_and_comes_back_with_a_keyframe_of_now() -> None:
    stage = Stage()
    encoder = stage.encoder("one")
    stage.run(3.0)
    encoder.sending = False
    stage.run(4.0)
    assert stage.on_air() == "slate"
    assert stage.live.publisher is encoder.session
    before = len(stage.pictures("one"))
    encoder.sending = True  # what it has missed comes in one burst
    stage.run(2.0)
    assert stage.reader.sources() == ["one", "slate", "one"]
    numbers = stage.pictures("one")
    assert numbers[before] == "p180", "seven seconds in: what is much older is not of now"
    assert len(set(numbers)) == len(numbers), "nothing is shown twice"
    goes_on(stage.reader)


def test_a_frozen_publisher_that_never_catches_up_is_shown_all_the_same() -> None:
    stage = Stage()
    encoder = stage.encoder("one")
    stage.run(3.0)
    encoder.sending = False
    stage.run(4.0)
    encoder._started = stage.clock.now - encoder.pictures / 30  # its clock stood still with it
    encoder.sending = True
    stage.run(3.0)
    assert stage.on_air() == "primary"
    goes_on(stage.reader)


def test_the_slate_waits_for_nobody_after_the_grace_window() -> None:
    stage = Stage(grace=10.0)
    encoder = stage.encoder("one")
    stage.run(2.0)
    encoder.leave()
    stage.run(9.0)
    assert (stage.on_air(), stage.reader.ends) == ("slate", 0)
    stage.run(1.5)
    assert (stage.on_air(), stage.reader.ends) == ("nothing", 1)
    assert list(stage.live.backlog()) == []
    count = len(stage.reader.noted)
    stage.run(5.0)
    assert len(stage.reader.noted) == count
    stage.encoder("two")
    stage.run(1.0)
    assert stage.reader.sources()[-1] == "two"
    assert stage.switches == ["primary", "slate", "nothing", "primary"]


def test_the_slate_is_never_ahead_of_the_clock_and_interleaved() -> None:
    stage = Stage()
    encoder = stage.encoder("one")
    stage.run(2.0)
    encoder.leave()
    stage.run(10.0)
    shown = [(at, f) for at, f in stage.reader.noted if f.body.startswith(b"slate")]
    first_at, first = shown[0]
    for at, frame in shown:
        assert frame.dts - first.dts <= (at - first_at) * 1000 + 1
    times = [frame.dts for _, frame in shown]
    assert times == sorted(times)
    pictures = [frame for _, frame in shown if frame.kind == Kind.VIDEO]
    assert sum(frame.keyframe for frame in pictures) == 5
    assert len(pictures) == pytest.approx(9.6 * 30, abs=2)
    assert sum(frame.kind == Kind.AUDIO for _, frame in shown) == pytest.approx(9.6 * 48000 / 1024, abs=2)


def test_without_a_slate_the_live_holds_and_readers_begin_anew() -> None:
    stage = Stage(with_slate=False)
    encoder = stage.encoder("one")
    stage.run(2.0)
    encoder.leave()
    count = len(stage.reader.noted)
    stage.run(5.0)
    assert len(stage.reader.noted) == count
    assert (stage.on_air(), stage.reader.ends) == ("nothing", 0)
    stage.encoder("two")
    stage.run(1.0)
    assert stage.reader.sources() == ["one", "two"]
    assert stage.reader.ends == 1, "their clocks have run on"
    times = [frame.dts for frame in stage.reader.frames(Kind.VIDEO)]
    assert times == sorted(times)
    assert stage.switches == ["primary", "nothing", "primary"]


def test_without_a_slate_a_stall_costs_no_frame() -> None:
    stage = Stage(with_slate=False)
    encoder = stage.encoder("one")
    stage.run(2.0)
    encoder.sending = False
    stage.run(3.0)
    encoder.sending = True
    stage.run(1.0)
    assert stage.pictures("one") == [f"p{n}" for n in range(encoder.pictures)]
    assert stage.reader.ends == 0


def test_a_slate_that_is_ready_late_begins_late_and_another_replaces_it() -> None:
    stage = Stage(with_slate=False)
    encoder = stage.encoder("one")
    stage.run(1.0)
    encoder.leave()
    stage.run(2.0)
    stage.director.slate = slate()
    stage.run(1.0)
    assert stage.on_air() == "slate"
    stage.director.slate = other = slate(size="640x360")
    stage.run(0.1)
    newest = [frame for _, frame in stage.reader.noted if frame.header][-2]
    assert newest.payload == other.headers[0].payload
    stage.director.slate = None
    stage.run(0.1)
    assert stage.on_air() == "nothing"
    assert stage.reader.ends == 0


def test_a_publisher_who_never_began_is_not_covered() -> None:
    stage = Stage()
    session = stage.session()
    stage.run(3.0)
    session.closed("bye")
    stage.run(3.0)
    assert stage.reader.noted == []
    assert stage.director.idle
    assert stage.switches == []


def test_the_newest_publisher_takes_over_without_an_end_in_between() -> None:
    stage = Stage()
    stage.encoder("one")
    stage.run(2.0)
    stage.encoder("two")
    assert len(stage.kicked) == 1
    stage.run(2.0)
    assert stage.reader.sources() == ["one", "two"]
    assert stage.reader.ends == 0
    goes_on(stage.reader)


def test_sound_that_begins_before_the_picture_passes_and_time_goes_on() -> None:
    stage = Stage()
    encoder = stage.encoder("one", video=False)
    stage.run(2.0)
    assert stage.on_air() == "primary"
    assert stage.shape_known() is False, "a slate needs a picture's size"
    encoder.session.frame(next(f for f in slate().headers if f.kind == Kind.VIDEO))
    encoder.pictures, encoder.video = 60, True
    stage.run(2.0)
    assert stage.shape_known() is True
    goes_on(stage.reader)


def test_sound_alone_that_drops_is_held_and_returns() -> None:
    stage = Stage(with_slate=False)
    encoder = stage.encoder("one", video=False)
    stage.run(2.0)
    encoder.leave()
    stage.run(2.0)
    stage.encoder("two", video=False)
    stage.run(2.0)
    assert stage.reader.sources() == ["one", "two"]


def test_a_feed_of_few_pictures_and_no_sound_is_not_silent_between_them() -> None:
    stage = Stage(with_slate=False)
    session = stage.session()
    for header in slate(audio=False).headers:
        session.frame(header)
    for number in range(10):
        if stage.director.shape:
            stage.director.slate = slate(audio=False)  # there is none before it is known what it must fit
        body = b"slow:p%d" % number
        session.frame(Frame(Kind.VIDEO, number * 700, body, body, keyframe=True))
        stage.run(0.7)
    assert stage.reader.sources() == ["slow"]


def test_a_joiner_during_the_slate_gets_its_headers_and_its_group() -> None:
    stage = Stage()
    encoder = stage.encoder("one")
    encoder.session.metadata({"encoder": "OBS", "framerate": 30.0})
    stage.run(2.0)
    encoder.leave()
    stage.run(3.0)
    late = Notebook(stage.clock)
    stage.live.attach(late)
    found = [frame for _, frame in late.noted]
    assert [(f.kind, f.header) for f in found[:2]] == [(Kind.VIDEO, True), (Kind.AUDIO, True)]
    assert found[2].body == b"slate:0"


def test_a_new_size_leaves_no_picture_of_the_old_one_to_joiners() -> None:
    stage = Stage()
    encoder = stage.encoder("one")
    stage.run(1.5)
    encoder.session.frame(next(f for f in slate(size="640x360").headers if f.kind == Kind.VIDEO))
    late = Notebook(stage.clock)
    stage.live.attach(late)
    assert late.frames() == []
    stage.run(1.0)
    assert stage.director.shape
    assert stage.director.shape.width == 640


def test_the_worker_being_held_up_does_not_make_the_slate_run() -> None:
    stage = Stage()
    encoder = stage.encoder("one")
    stage.run(2.0)
    encoder.leave()
    stage.run(1.0)
    count = len(stage.reader.frames())
    stage.clock.now += 30.0
    stage.director.tick()
    assert len(stage.reader.frames()) - count <= 3


@settings(max_examples=40, deadline=None)
@example(  # thawed in the middle of a group, when nobody else was there any more
    script=[
        ("come", "primary", 1.0),
        ("come", "backup", 1.0),
        ("freeze", "backup", 1.0),
        ("leave", "primary", 1.0),
        ("thaw", "backup", 1.0),
    ],
    sticky=False,
    with_slate=False,
    grace=0.0,
)
@given(
    script=st.lists(
        st.tuples(
            st.sampled_from(["come", "leave", "freeze", "thaw", "skip"]),
            st.sampled_from(["primary", "backup", "source"]),
            st.floats(0.01, 2.5),
        ),
        max_size=12,
    ),
    sticky=st.booleans(),
    with_slate=st.booleans(),
    grace=st.sampled_from([0.0, 1.0, 60.0]),
)
def test_whatever_happens_no_track_steps_back_and_every_feed_begins_with_a_keyframe(
    script: list[tuple[str, Role, float]], sticky: bool, with_slate: bool, grace: float
) -> None:
    stage = Stage(grace, sticky=sticky, with_slate=with_slate)
    for number, (what, role, seconds) in enumerate(script):
        own = [one for one in stage.encoders if one.session.role == role]
        if what == "come":
            for one in own:
                one.sending = False
            stage.encoder(f"e{number}", role, begins=number * 12_345)
        elif own and what == "leave":
            own[-1].leave()
        elif own and what != "leave":
            if what == "skip":
                own[-1].skip()
            own[-1].sending = what != "freeze" and stage.director.sessions.get(role) is own[-1].session
        stage.run(seconds)
    for kind in (Kind.VIDEO, Kind.AUDIO):
        times = [frame.dts for _, frame in stage.reader.noted if frame.kind == kind]
        assert times == sorted(times)
    before = b""
    for frame in stage.reader.frames(Kind.VIDEO):
        name = frame.body.partition(b":")[0]
        assert frame.keyframe or name == before
        before = name


def test_rules_that_change_meanwhile_are_followed() -> None:
    stage = Stage(grace=60.0)
    encoder = stage.encoder("one")
    stage.run(1.0)
    encoder.leave()
    stage.run(2 * SILENCE)
    stage.director.rules = Rules(grace=0.5)
    stage.run(0.1)
    assert stage.on_air() == "nothing"
    assert stage.reader.ends == 1
