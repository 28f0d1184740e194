"""What profiles cost, and which of them a machine is asked to carry."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from restream.api import ProfileSpec
from restream.encode.ffmpeg import Facts
from restream.encode.planner import RESERVE, cores_here, cost, plan

FEED = Facts(1920, 1080)


def profile(name: str = "tall", **changes: object) -> ProfileSpec:
    wish = {"name": name, "width": 720, "height": 1280, "video_kbps": 2500, "fit": "crop"}
    return ProfileSpec.model_validate({**wish, **changes})


def test_costs_are_near_what_was_measured() -> None:
    """Cores of one pinned core at 30 pictures a second, with room for busier pictures than the trial's."""
    assert 0.33 <= cost(profile(), FEED, "superfast") <= 0.55
    assert 0.22 <= cost(profile(), FEED, "ultrafast") <= 0.45
    assert 0.64 <= cost(profile(width=1080, height=1920), FEED, "superfast") <= 0.95


def test_smaller_and_slower_costs_less_and_a_blur_costs_more() -> None:
    usual = cost(profile(), FEED, "superfast")
    assert cost(profile(width=360, height=640), FEED, "superfast") < usual
    assert cost(profile(fps=15), FEED, "superfast") < usual
    assert cost(profile(), Facts(1280, 720), "superfast") < usual
    assert cost(profile(fit="blur"), FEED, "superfast") > usual


def test_there_is_a_price_before_there_is_a_feed() -> None:
    assert plan([profile()], None, 2).status.costs == plan([profile()], FEED, 2).status.costs


def test_the_better_preset_is_taken_where_there_is_room() -> None:
    assert plan([profile()], FEED, 8).allotments["tall"].preset == "superfast"
    assert plan([profile()], FEED, 1.0).allotments["tall"].preset == "ultrafast"


def test_what_does_not_fit_is_refused_in_the_order_of_the_list_with_a_sentence_that_helps() -> None:
    wish = [
        profile("first"),
        profile("huge", width=2160, height=3840),
        profile("last", width=360, height=640),
    ]
    planned = plan(wish, FEED, 2)
    assert set(planned.allotments) == {"first", "last"}
    assert set(planned.status.refused) == {"huge"}
    sentence = planned.status.refused["huge"]
    assert "“huge”" in sentence
    assert "smaller size" in sentence
    assert "cores" in sentence


def test_equal_settings_are_paid_for_once() -> None:
    one, both = plan([profile("a")], FEED, 2).status, plan([profile("a"), profile("b")], FEED, 2).status
    assert both.wanted_cores == one.wanted_cores
    assert both.costs == {"a": one.costs["a"], "b": one.costs["a"]}


def test_a_profile_nobody_uses_is_priced_but_takes_no_room() -> None:
    planned = plan([profile("idle", fps=29), profile("used")], FEED, 1.2, wanted={"used"})
    assert set(planned.status.costs) == {"idle", "used"}
    assert set(planned.allotments) == {"used"}
    assert planned.status.wanted_cores == planned.status.costs["used"]


def test_a_slower_machine_gets_higher_prices() -> None:
    fast, slow = plan([profile()], FEED, 8), plan([profile()], FEED, 8, factor=2)
    assert abs(slow.allotments["tall"].cost - 2 * fast.allotments["tall"].cost) < 0.001


def test_a_running_encoder_keeps_its_preset_when_others_come_and_go() -> None:
    two = [profile("new", fps=29), profile("old")]
    room = RESERVE + cost(profile(fps=29), FEED, "ultrafast") + cost(profile(), FEED, "superfast") + 0.01
    planned = plan(two, FEED, room, running={"old": "superfast"})
    assert {name: given.preset for name, given in planned.allotments.items()} == {
        "new": "ultrafast",
        "old": "superfast",
    }
    assert (
        plan([profile("old")], FEED, 8, running={"old": "ultrafast"}).allotments["old"].preset == "ultrafast"
    )


sizes = st.integers(64, 1920).map(lambda half: half * 2)
profiles = st.lists(
    st.builds(
        lambda number, width, height, fps: profile(str(number), width=width, height=height, fps=fps),
        st.integers(0, 1000),
        sizes,
        sizes,
        st.none() | st.floats(5, 60),
    ),
    unique_by=lambda wish: wish.name,
    max_size=6,
)


@given(profiles, st.floats(0.1, 64), st.floats(0.1, 10))
def test_the_granted_cores_never_touch_the_reserve(
    wish: list[ProfileSpec], cores: float, factor: float
) -> None:
    planned = plan(wish, FEED, cores, factor=factor)
    granted = sum(allotment.cost for allotment in {id(a): a for a in planned.allotments.values()}.values())
    assert granted <= max(0.0, cores - RESERVE) + 1e-9
    assert set(planned.allotments) | set(planned.status.refused) == {profile.name for profile in wish}
    assert not set(planned.allotments) & set(planned.status.refused)


def test_a_containers_quota_counts(tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text("50000 100000\n")
    assert cores_here(file) == 0.5
    file.write_text("max 100000\n")
    assert cores_here(file) >= 1
    assert cores_here(tmp_path / "none") >= 1
