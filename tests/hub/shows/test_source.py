"""A channel without an encoder: its source reaches the worker, and its addresses nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hub.shows.conftest import Studio

CAMERA = "rtsp://staff:hunter2@camera.example:554/main"


async def source(studio: Studio, wish: Any, ok: int = 200) -> Any:
    answer = await studio.call("PATCH", "/feed", {"source": wish}, ok=ok)
    await studio.market.work()
    return answer.get("source") if ok == 200 else answer


def told(studio: Studio) -> Any:
    found = studio.spec.source
    return found and (found.kind, [one.get_secret_value() for one in found.addresses], found.loop)


async def test_a_source_reaches_the_worker_and_can_be_taken_away(studio: Studio) -> None:
    assert told(studio) is None
    said = await source(studio, {"kind": "pull", "addresses": [f" {CAMERA} "]})
    assert said == {"kind": "pull", "count": 1, "loop": True}
    assert told(studio) == ("pull", [CAMERA], True)
    await studio.call("PATCH", "/feed", {"grace_seconds": 30}, ok=200)  # what is not named stays
    await studio.market.work()
    assert told(studio) == ("pull", [CAMERA], True)
    assert await source(studio, None) is None
    assert told(studio) is None


async def test_its_addresses_are_sealed_and_never_answered_back(studio: Studio) -> None:
    await source(studio, {"kind": "pull", "addresses": [CAMERA]})
    kept = str(await studio.market.sql("SELECT row_to_json(t)::text FROM show t"))
    answers = str(await studio.snapshot()) + str(await studio.call("PATCH", "/feed", {}, ok=200))
    refused = await source(studio, {"kind": "pull", "addresses": [CAMERA, CAMERA]}, ok=422)
    for text in (kept, answers, str(refused)):
        assert "hunter2" not in text
        assert "camera.example" not in text


async def test_looping_changes_without_the_addresses_being_typed_again(studio: Studio) -> None:
    await source(studio, {"kind": "playlist", "addresses": ["a.mp4", "b.mp4"]})
    assert (await source(studio, {"kind": "playlist", "loop": False}))["count"] == 2
    assert told(studio) == ("playlist", ["a.mp4", "b.mp4"], False)
    assert (await source(studio, {"kind": "file"}, ok=422))["code"] == "source_empty"
    assert told(studio) == ("playlist", ["a.mp4", "b.mp4"], False)


async def test_the_test_pattern_needs_nothing(studio: Studio) -> None:
    assert await source(studio, {"kind": "pattern", "addresses": ["x"]}) == {
        "kind": "pattern",
        "count": 0,
        "loop": True,
    }
    assert told(studio) == ("pattern", [], True)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"kind": "pull"}, "source_empty"),
        ({"kind": "playlist", "addresses": ["a.mp4", " "]}, "source_empty"),
        ({"kind": "file", "addresses": ["a.mp4", "b.mp4"]}, "source_too_many"),
        ({"kind": "playlist", "addresses": ["a.mp4"] * 201}, "source_too_many"),
        ({"kind": "file", "addresses": ["a\nb"]}, "source_unreadable"),
        ({"kind": "pull", "addresses": ["file:///etc/passwd"]}, "source_address"),
        ({"kind": "pull", "addresses": ["camera"]}, "source_address"),
        ({"kind": "guess"}, "bad_input"),
    ],
)
async def test_a_source_that_cannot_be_played_is_refused_in_words(
    studio: Studio, wish: Any, code: str
) -> None:
    assert (await source(studio, wish, ok=422))["code"] == code
    assert told(studio) is None


async def test_whip_has_an_address_beside_the_others(studio: Studio) -> None:
    [row] = await studio.market.hub.media.workers()
    feed = (await studio.snapshot())["show"]["feed"]
    assert feed["whip_url"] == f"{row.playback_url}/live/{studio.slug}/whip"
