"""A beacon is stored before it is acknowledged, whatever order it comes in, and nothing else is kept."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.app import services
from hub.db import Database
from hub.errors import NotFound, SlowDown, Unavailable
from hub.quality.beacon import LARGEST, device_of
from hub.quality.limits import IN_ALL, PER_SESSION, Limits
from hub.quality.store import Beacons, Report
from tests.hub.conftest import Engines, settings_for
from tests.hub.quality.conftest import Door
from tests.hub.quality.players import PHONE, report, said
from tests.hub.shop import SetClock, Shop, open_shop

SITTING = UUID(int=7)


async def kept(db: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in await db.pool.fetch("SELECT * FROM playback_session ORDER BY session")]


async def test_the_description_of_the_api_says_what_a_beacon_is(door: Door) -> None:
    document = (await door.http.get(f"{door.market.origin}/openapi.json")).json()
    body = document["paths"]["/api/v1/public/shows/{slug}/quality"]["post"]["requestBody"]
    for schema in (one["schema"] for one in body["content"].values()):
        assert set(schema["required"]) == said().keys() - {"kind"}
        assert "$ref" not in str(schema)
        assert schema["properties"]["errors"]["items"]["required"] == ["code"]


async def test_what_was_acknowledged_is_stored(door: Door) -> None:
    body = said(seq=3, errors=[{"code": "bufferStalled", "detail": "stood still"}], ended=True)
    answer = await door.send(body, user_agent=PHONE)
    assert (answer.status_code, answer.content) == (204, b"")
    [row] = await door.rows()
    same = ("seq", "at_ms", "startup_ms", "watched_ms", "height", "latency_ms", "frames", "ended", "kind")
    assert {name: row[name] for name in same} == {name: body[name] for name in same}
    assert str(row["session"]) == body["session"]
    assert row["show_id"] == door.market.shop.show_id
    assert row["brand_id"] == door.market.shop.brand_id
    assert (row["error_codes"], row["error_detail"]) == (["bufferStalled"], "stood still")


async def test_any_site_may_embed_the_player_and_no_cookie_is_set(door: Door) -> None:
    answers = [
        await door.send(said()),
        await door.send(said(), content_type="application/json"),
        await door.send(b"nonsense"),
        await door.send(said(), slug="no-such-show"),
    ]
    assert [one.status_code for one in answers] == [204, 204, 422, 404]
    assert {one.headers["access-control-allow-origin"] for one in answers} == {"*"}
    assert not any("set-cookie" in one.headers for one in answers)
    asked = await door.http.options(
        f"{door.market.origin}/api/v1/public/shows/{door.market.shop.slug}/quality",
        headers={"origin": "https://shop.example", "access-control-request-method": "POST"},
    )
    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert asked.headers["access-control-allow-headers"] == "content-type"


async def test_nothing_is_kept_of_a_viewer_but_the_kind_of_device(door: Door) -> None:
    detail = "fetching https://media.example/live/evening/index.m3u8?token=eyJhbGciOi.x.y failed, token=abc"
    body = said(errors=[{"code": "manifestLoadError", "detail": detail}])
    await door.send(body, user_agent=PHONE, x_forwarded_for="203.0.113.7", cookie="simulcast_visitor=abc")
    [row] = await door.rows()
    assert row["device"] == "phone"
    assert row["error_detail"] == "fetching … failed, …"
    for trace in ("203.0.113", "127.0.0.1", "iPhone", "Mozilla", "eyJ", "simulcast_visitor"):
        assert trace not in str(row)


async def test_an_unknown_show_is_not_found_and_costs_the_others_nothing(
    hub_beacons: Beacons, shop: Shop
) -> None:
    good, lost = report(shop.slug), report("no-such-show")
    answers = await asyncio.gather(hub_beacons.take(good), hub_beacons.take(lost), return_exceptions=True)
    assert answers[0] is None
    assert isinstance(answers[1], NotFound)
    assert len(await kept(shop.hub.db)) == 1


BAD: dict[str, Any] = {
    "no_json": b"\xff\xfe",
    "a_list": [],
    "nothing": {},
    "a_number_as_text": said(seq="1"),
    "a_fraction": said(watched_ms=10.5),
    "negative": said(stalls=-1),
    "too_large_a_number": said(frames=10**12),
    "not_a_uuid": said() | {"session": "me"},
    "an_unknown_field": said(email="ana@example.com"),
    "an_unknown_transport": said(transport="smoke"),
    "an_unknown_kind": said(kind="staff"),
    "another_schema": said(schema=2),
    "a_field_missing": {name: value for name, value in said().items() if name != "ended"},
    "too_many_errors": said(errors=[{"code": "x", "detail": ""}] * 51),
    "an_error_code_with_a_space": said(errors=[{"code": "a b", "detail": ""}]),
    "too_large": said(errors=[{"code": "x", "detail": "y" * 400}] * 20),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_body_is_refused_and_changes_nothing(door: Door, name: str) -> None:
    answer = await door.send(BAD[name])
    assert answer.status_code == 422
    assert answer.json()["code"] in ("bad_input", "beacon_too_large")
    assert await door.rows() == []


async def test_a_bad_beacon_leaves_what_is_known_of_the_session(door: Door) -> None:
    session = uuid4()
    await door.send(said(session))
    before = await door.rows()
    assert (await door.send(said(session, seq=2, stalls=-1))).status_code == 422
    assert await door.rows() == before


async def test_a_refusal_does_not_repeat_what_was_sent(door: Door) -> None:
    answer = await door.send(
        said(errors=[{"code": "secret token", "detail": "eyJ0b2tlbg"}], stalls="eyJ0b2tlbg")
    )
    assert answer.status_code == 422
    assert "eyJ" not in answer.text
    assert "secret token" not in answer.text


async def test_a_body_is_not_read_to_its_end_when_it_is_too_large(door: Door) -> None:
    answer = await door.send(b" " * (LARGEST + 1))
    assert (answer.status_code, answer.json()["code"]) == (422, "beacon_too_large")


async def test_a_page_that_is_closed_in_mid_sentence_is_no_accident(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = door.market.origin.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    path = f"/api/v1/public/shows/{door.market.shop.slug}/quality"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{".encode())
    await writer.drain()
    writer.transport.abort()
    assert (await door.send(said())).status_code == 204
    assert len(await door.rows()) == 1
    assert not [one for one in caplog.records if one.exc_info]


async def test_who_reports_too_often_is_told_when_to_come_again(door: Door) -> None:
    session = uuid4()
    answers = await asyncio.gather(*(door.send(said(session, seq=seq)) for seq in range(2 * PER_SESSION + 1)))
    refused = [one for one in answers if one.status_code == 429]
    assert refused  # however many fell into each of two windows
    assert 1 <= int(refused[0].headers["retry-after"]) <= 10
    assert refused[0].headers["access-control-allow-origin"] == "*"
    assert (await door.send(said())).status_code == 204
    [row] = [one for one in await door.rows() if one["session"] == session]
    assert row["seq"] == max(seq for seq, one in enumerate(answers) if one.status_code == 204)


def test_all_together_are_limited_too_and_the_next_ten_seconds_begin_anew() -> None:
    clock = SetClock()
    limits = Limits(clock)
    for _ in range(IN_ALL):
        limits.check(uuid4())
    with pytest.raises(SlowDown) as refused:
        limits.check(uuid4())
    clock.tick(float(str(refused.value.extra["retry_after"])))
    limits.check(uuid4())


async def test_while_the_database_is_away_nothing_is_acknowledged(door: Door, engines: Engines) -> None:
    session = uuid4()
    async with engines.closed_to_all("hub_tests"):
        answer = await door.send(said(session))
        assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
        assert int(answer.headers["retry-after"]) > 0
    assert (await door.send(said(session))).status_code == 204
    assert len(await door.rows()) == 1


async def test_those_still_waiting_at_the_end_are_told_that_nothing_was_stored(shop: Shop) -> None:
    beacons = Beacons(shop.hub.db, shop.hub.clock, tick=3600)
    waiting = asyncio.create_task(beacons.take(report(shop.slug)))
    await asyncio.sleep(0)
    await beacons.close()
    with pytest.raises(Unavailable):
        await waiting


class Counting(Beacons):
    """Counts its statements."""

    statements = 0

    async def keep(self, reports: Sequence[Report], now: datetime) -> set[str]:
        self.statements += 1
        return await super().keep(reports, now)


@pytest.fixture
def hub_beacons(shop: Shop) -> Beacons:
    """The store, with a short tick."""
    return Beacons(shop.hub.db, shop.hub.clock, tick=0.01)


async def test_a_crowd_that_reports_at_once_costs_one_statement(shop: Shop) -> None:
    beacons = Counting(shop.hub.db, shop.hub.clock)
    await asyncio.gather(*(beacons.take(report(shop.slug)) for _ in range(500)))
    assert beacons.statements == 1
    assert len(await kept(shop.hub.db)) == 500
    await beacons.close()


async def test_an_error_text_that_a_database_cannot_keep_harms_nobody(
    shop: Shop, hub_beacons: Beacons
) -> None:
    odd = report(shop.slug, errors=[{"code": "x", "detail": "a\0b\u202ec\x1b"}])
    await asyncio.gather(hub_beacons.take(odd), hub_beacons.take(report(shop.slug)))
    assert {row["error_detail"] for row in await kept(shop.hub.db)} == {"abc", None}


AT = st.integers(min_value=0, max_value=10**9)
BEACONS = st.lists(
    st.fixed_dictionaries(
        {
            "watched_ms": AT,
            "stalled_ms": AT,
            "stalls": st.integers(min_value=0, max_value=1000),
            "startup_ms": st.none() | st.integers(min_value=0, max_value=10_000),
            "height": st.none() | st.sampled_from([360, 720, 1080]),
            "latency_ms": st.none() | st.integers(min_value=0, max_value=10_000),
            "transport": st.sampled_from(["hls", "whep", "native"]),
            "ended": st.booleans(),
            "errors": st.lists(st.fixed_dictionaries({"code": st.sampled_from(["a", "b"])}), max_size=3),
        }
    ),
    min_size=1,
    max_size=6,
)


def test_any_order_repetition_and_grouping_of_beacons_gives_the_same_row(
    database_url_sync: str, nats_url: str, tmp_path: Path
) -> None:
    with asyncio.Runner() as runner:
        clock = SetClock()
        opened = services(settings_for(tmp_path, database_url_sync, nats_url), {}, clock)
        shop = runner.run(open_shop(hub := runner.run(opened.__aenter__())))

        async def stored(batches: list[list[Report]]) -> list[dict[str, Any]]:
            await hub.db.pool.execute("DELETE FROM playback_session")
            for batch in batches:
                await hub.beacons.keep(batch, clock())
            return await kept(hub.db)

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(BEACONS, st.randoms(use_true_random=False))
        def play(bodies: list[dict[str, Any]], rng: random.Random) -> None:
            told = [report(shop.slug, SITTING, seq=seq, **body) for seq, body in enumerate(bodies)]
            mixed = told + rng.choices(told, k=len(told))
            rng.shuffle(mixed)
            cut = rng.randrange(len(mixed))
            found = runner.run(stored([part for part in (mixed[:cut], mixed[cut:]) if part]))
            assert found == runner.run(stored([[one] for one in told])) == runner.run(stored([told[-1:]]))

        try:
            play()
        finally:
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (PHONE, "phone"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140 Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (Linux; Android 14; SM-X910) Chrome/140 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1", "tablet"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140 Safari/537.36", "computer"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140 Safari/537.36", "computer"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) Version/8.0 TV Safari/537.36", "tv"),
        ("Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7633) Chrome/120 Mobile Safari/537.36", "tv"),
        ("", "other"),
        ("curl/8.0", "other"),
    ],
)
def test_of_a_browsers_name_only_the_kind_of_device_is_kept(agent: str, device: str) -> None:
    assert device_of(agent) == device
