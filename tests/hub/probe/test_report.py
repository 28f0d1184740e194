"""What a probe calls good, and the sentences for what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.probe.report import Heard, ProbeReport, heard_from, judged, lines_of
from hub.probe.stage import glass_ms
from tests.hub.quality.players import said

SHOW = "evening"


def found(*bodies: dict[str, Any], wanted: str = "auto", **more: Any) -> ProbeReport:
    texts = [json.dumps({"kind": "probe", **body}) for body in bodies]
    beacons, unreadable = heard_from(texts)
    return judged(SHOW, wanted, Heard(beacons=beacons, unreadable=unreadable, player=True, **more))


def played(**more: Any) -> dict[str, Any]:
    return said(**{"kind": "probe", **more})


def test_the_newest_report_tells_everything_whatever_order_they_came_in() -> None:
    first, last = (
        played(seq=1, latency_ms=1_000),
        played(seq=2, latency_ms=2_000, watched_ms=20_000, stalls=0),
    )
    report = found(last, first, glass=[1_500, 1_600, 1_700])
    assert report.ok, report.problems
    assert (report.watched_ms, report.startup_ms, report.transport) == (20_000, 800, "hls")
    assert report.latency_ms == 1_500
    assert report.glass
    assert (report.glass.median, report.glass.p95, report.glass.readings) == (1_600, 1_700, 3)
    assert report.rebuffer_ratio == 0
    assert report.average_height == 720
    assert any("First picture 0.8 s" in line for line in lines_of(report))


@pytest.mark.parametrize(
    ("body", "more", "sentence"),
    [
        (played(startup_ms=2_400), {}, "The first picture took 2.4 s; it should take less than 2 s."),
        (
            played(watched_ms=9_700, stalled_ms=300, stalls=2),
            {},
            "The picture stood still for 3.0% of the time (stalls: 2); it should be less than 0.5 %.",
        ),
        (played(latency_ms=3_200), {}, "The picture is 3.2 s late; it should be less than 3 s."),
        (
            played(),
            {"glass": [3_500]},
            "From glass to glass it took up to 3.5 s (p95); it should be less than 3 s.",
        ),
        (
            played(latency_ms=2_900),
            {"glass": [1_500]},
            "The player says 2.9 s and the clock in the picture 1.5 s: the show's times are wrong.",
        ),
        (played(), {"wanted": "whep"}, "It was to play by WebRTC and played by LL-HLS."),
        (
            played(kind="viewer"),
            {},
            "The player took itself for a viewer: this run is counted among the viewers'.",
        ),
        (played(), {"refused": [422, 422]}, "The hub did not take 2 of the player's reports (422)."),
        (
            played() | {"watched_ms": -1},
            {},
            "The hub cannot read 1 of the player's reports. Update the player.",
        ),
        (
            played(startup_ms=None, watched_ms=0),
            {"words": "The show has ended."},
            "Nothing was played: The show has ended.",
        ),
        (
            played(startup_ms=None, watched_ms=0, errors=[{"code": "decode", "detail": ""}]),
            {},
            "Nothing was played: decode",
        ),
    ],
)
def test_what_is_not_good_is_said_in_a_sentence(
    body: dict[str, Any], more: dict[str, Any], sentence: str
) -> None:
    report = found(body, **more)
    assert not report.ok
    assert sentence in report.problems


def test_a_player_that_says_nothing_and_a_page_without_one_are_no_success() -> None:
    silent = judged(SHOW, "auto", Heard(player=True, words="Connecting to the show…"))
    assert silent.problems == ["The player reported nothing. Connecting to the show…"]
    empty = judged(SHOW, "auto", Heard())
    assert empty.problems == ["There is no <simulcast-player> on this page. Check the address."]
    assert not silent.ok
    assert not empty.ok
    assert lines_of(empty)


def test_a_misread_clock_is_no_reading() -> None:
    assert glass_ms({"luma": None, "now": 0}) is None
    assert (
        glass_ms({"luma": [0] * 40, "now": 1_000_000_000}) is None
    )  # the year the clock began: a black picture
    assert glass_ms({"luma": [255] * 39 + [0], "now": 0}) is None
