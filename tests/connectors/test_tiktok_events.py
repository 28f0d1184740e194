"""What is particular to TikTok's Events API; what it shares with others is asked in the contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.conversions import email_form, hashed
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.tiktok_events import CONNECTOR
from connectors.tiktok_events.api import classify
from connectors.tiktok_events.events import LIMITS, PATH, event, phone_form, user
from connectors.types import Browser, Contact, ConversionConsent
from tests.connectors.conftest import Rig, make_fake, reaching
from tests.connectors.test_contract_conversions import happened, states, told


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, make_fake("tiktok_events")) as made:
        yield made


def test_people_are_hashed_as_tiktok_does_it_and_browsers_are_not() -> None:
    assert hashed(SecretStr(" Jane.Doe@example.com"), email_form) == (
        "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"
    )
    phone = "54af34308301e43f00650baaeb6cf4925b942201d74191b26d48292cfec907fd"
    for spelled in ("+12025550143", "+1 (202) 555-0143", "0012025550143"):
        assert hashed(SecretStr(spelled), phone_form) == phone
    one = happened(
        "o1",
        contact=Contact(
            external_id=SecretStr(" user-000123 "), phone=SecretStr(""), city=SecretStr("Berlin")
        ),
        browser=Browser(ttclid="E.C.P.Abc", ttp="94e2Ab", ip=SecretStr("203.0.113.7")),
    )
    # What is not known has no key, and where somebody lives is not asked for.
    assert user(one) == {
        "external_id": "a5f813d60cf2b015e72fb2050209aa6e303577017371f774de30b0326eb18b01",
        "ttclid": "E.C.P.Abc",
        "ttp": "94e2Ab",
        "ip": "203.0.113.7",
    }


def test_an_event_says_seconds_numbers_and_nothing_empty() -> None:
    said = event(happened("o1", source_url=None))
    assert (len(str(said["event_time"])), said["event_id"]) == (10, "o1:purchase")
    assert (said["properties"]["value"], said["properties"]["currency"]) == (49.0, "EUR")
    assert said["properties"]["contents"][0]["price"] == 49.0
    assert "page" not in said
    assert "limited_data_use" not in said
    assert not [name for name, value in said["properties"].items() if value in (None, "", [])]
    out = event(happened("o1", consent=ConversionConsent(ads=True, opted_out=True)))
    assert out["limited_data_use"] is True


async def test_a_test_code_never_leaves_with_a_real_event(rig: Rig) -> None:
    assert rig.session.config.test_event_code
    assert states(await told(rig, happened("o1"))) == ["accepted"]
    state = await rig.state()
    assert (len(state["events"]), state["tests"]) == (1, [])
    assert "test_event_code" not in state["bodies"][0]


async def test_page_and_server_are_one_sale_whichever_is_first_and_days_apart(rig: Rig) -> None:
    async def page_tells(order: str) -> None:
        told_by_page = {"name": "Purchase", "id": f"{order}:purchase", "about": {"value": 49}}
        answer = await rig.control.post("/_page", content=json.dumps(told_by_page))
        assert answer.status_code < 300

    await page_tells("o1")
    await told(rig, happened("o1"))
    await told(rig, happened("o2", ago=LIMITS.oldest - timedelta(hours=1)))
    await page_tells("o2")
    state = await rig.state()
    assert [(one["id"], one["by"]) for one in state["events"]] == [
        ("o1:purchase", "page"),
        ("o2:purchase", "server"),
    ]
    assert len(state["again"]) == 2


async def test_a_batch_that_failed_in_part_is_told_piece_by_piece_and_counts_once(rig: Rig) -> None:
    await rig.ctl("fault", kind="code", code=20001, message="Partial success.")
    outcomes = await told(rig, *(happened(f"o{n}") for n in range(5)))
    assert states(outcomes) == ["accepted"] * 5
    state = await rig.state()
    assert (len(state["events"]), state["again"]) == (5, [])


async def test_the_platform_refuses_money_as_text_and_times_in_milliseconds(rig: Rig) -> None:
    good = event(happened("o1"))
    spoiled: tuple[dict[str, Any], ...] = (
        {"event_time": good["event_time"] * 1000},
        {"properties": good["properties"] | {"value": "49.00"}},
        {"properties": good["properties"] | {"contents": [{"content_id": "A", "price": "49.00"}]}},
        {"user": {"email": "jane.doe@example.com"}},
    )
    for change in spoiled:
        source = {"event_source": "web", "event_source_id": rig.session.config.pixel_code}
        with pytest.raises(Refused):
            await rig.session.http.request("POST", PATH, json=source | {"data": [good | change]})
    assert (await rig.state())["events"] == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40001, Reconnect),
        (40105, Reconnect),
        (40002, Refused),
        (40100, RetryLater),
        (50000, RetryLater),
        (51010, RetryLater),
    ],
)
def test_each_number_inside_a_success_has_its_error(code: int, kind: type[Exception]) -> None:
    assert isinstance(classify(200, {}, json.dumps({"code": code, "message": "no"}).encode()), kind)
