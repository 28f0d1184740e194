"""What a page may say, what only we say, and that every version there ever was is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.events.facts import FACTS
from hub.events.schema import (
    KINDS,
    LARGEST_DATA,
    LARGEST_FRAME,
    MOST_EVENTS,
    UPGRADES,
    VERSION,
    Apart,
    Stamp,
    ViewerEvent,
    hear,
    read,
    upgrade,
)
from hub.ids import new_id

GOLDEN = Path(__file__).parent / "golden"
LIVE = datetime(2026, 11, 24, 20, tzinfo=UTC)
STAMP = Stamp(uuid4(), uuid4(), "a" * 32, LIVE + timedelta(minutes=1), LIVE)


def frame(*events: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"t": "events", "n": 7, "events": events, **more}).encode()


def said(**more: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "kind": "heartbeat", **more}


def test_who_where_and_when_is_stamped_and_not_asked() -> None:
    product = uuid4()
    heard = hear(
        frame(said(kind="product_view", product_id=str(product), ago_ms=1500, data={"s": 2.5})), STAMP
    )
    assert heard
    assert heard.n == 7
    [event] = heard.events
    assert isinstance(event, ViewerEvent)
    assert (event.brand_id, event.show_id, event.viewer_id) == (
        STAMP.brand_id,
        STAMP.show_id,
        STAMP.viewer_id,
    )
    assert (event.at, event.show_ms, event.source) == (STAMP.at - timedelta(seconds=1.5), 58_500, "page")
    assert (event.product_id, event.data) == (product, '{"s":2.5}')
    assert read(event.payload()) == event


@pytest.mark.parametrize(
    "odd",
    [
        {"viewer_id": "b" * 32},
        {"show_id": str(uuid4())},
        {"at": "2026-11-24T20:00:00Z"},
        {"kind": "pay"},
        {"kind": "join"},
        {"value_minor": 1},
        {"quantity": 0},
        {"ago_ms": -1},
        {"ago_ms": 3_600_001},
        {"data": {"x": {"deep": 1}}},
        {"data": {"x": "y" * LARGEST_DATA}},
        {"id": str(uuid5(FACTS, "hold:1"))},
        {"id": 5},
        {"v": float("inf")},
    ],
)
def test_a_page_cannot_speak_for_others_and_one_odd_event_costs_only_itself(odd: dict[str, Any]) -> None:
    heard = hear(frame(said(), said(**odd), said()), STAMP)
    assert heard
    assert (len(heard.events), heard.refused) == (2, 1)


def test_a_newer_pages_events_are_kept_apart_with_our_stamp() -> None:
    newer = said(v=VERSION + 1, kind="wink", how="twice")
    heard = hear(frame(newer, said()), STAMP)
    assert heard
    apart, plain = heard.events
    assert isinstance(plain, ViewerEvent)
    assert isinstance(apart, Apart)
    kept = read(apart.payload())
    assert isinstance(kept, Apart)
    assert kept.id == UUID(newer["id"])
    assert json.loads(apart.payload())["said"] == newer
    assert json.loads(apart.payload())["viewer_id"] == STAMP.viewer_id


@settings(max_examples=30, deadline=None)
@given(st.one_of(st.binary(), st.text()))
def test_nonsense_is_no_frame_and_never_an_error(nonsense: bytes | str) -> None:
    assert hear(nonsense, STAMP) is None


def test_a_full_frame_fits_and_a_fuller_one_is_refused() -> None:
    full = [
        said(kind="checkout_step", product_id=str(uuid4()), visit=str(uuid4()), data={"step": "x" * 400})
        for _ in range(MOST_EVENTS)
    ]
    assert len(frame(*full)) < LARGEST_FRAME
    heard = hear(frame(*full), STAMP)
    assert heard
    assert len(heard.events) == MOST_EVENTS
    assert hear(frame(*full, said()), STAMP) is None


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v*.json")), ids=lambda path: path.stem)
def test_every_version_there_was_is_read(path: Path) -> None:
    events = [read(json.dumps(one).encode()) for one in json.loads(path.read_text())]
    assert all(isinstance(event, ViewerEvent) and event.v == VERSION for event in events)
    first = events[0]
    assert isinstance(first, ViewerEvent)
    assert (first.kind, first.show_ms, first.at) == ("product_view", 31_250, LIVE + timedelta(seconds=31.25))
    if path.stem == f"v{VERSION}":
        assert [json.loads(event.payload()) for event in events] == json.loads(path.read_text())


def test_there_is_a_golden_file_and_a_step_for_each_version() -> None:
    assert {path.stem for path in GOLDEN.glob("v*.json")} == {f"v{n}" for n in range(1, VERSION + 1)}
    assert set(UPGRADES) == set(range(1, VERSION))


def test_an_old_event_is_brought_up_step_by_step() -> None:
    steps = {1: lambda one: one | {"a": 1}, 2: lambda one: one | {"b": one["a"] + 1}}
    assert upgrade({"v": 1}, steps, to=3) == {"v": 3, "a": 1, "b": 2}
    assert upgrade({"v": 3, "x": 1}, steps, to=3) == {"v": 3, "x": 1}


def test_the_contract_names_the_kinds() -> None:
    words = (
        "join heartbeat product_view product_click cart_add hold hold_end checkout_step order pay refund chat"
    )
    assert set(KINDS) == {*words.split(), "reaction", "poll", "stall", "leave", "sold_out"}


@pytest.mark.parametrize("odd", [b"", b"[]", b"{}", b'{"v":0}', b'{"v":"1"}', b'{"v":1}', b"\xff"])
def test_what_is_no_event_is_said_to_be_none(odd: bytes) -> None:
    with pytest.raises(ValueError):
        read(odd)
