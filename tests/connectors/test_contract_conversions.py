"""Asked of every account that is told of conversions: each event gets its answer, once, and nobody's secret.

What differs from platform to platform the fake provides: `/_ctl/state` has `events` (counted), `again` (known
already), `dropped`, `tests` and `bodies` (as they came); `/_ctl/fault` may know `reject` with an `event_id`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.base import AnyConnector, ConversionSink
from connectors.conversions import sha256
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import (
    Browser,
    Contact,
    Conversion,
    ConversionConsent,
    ConversionItem,
    ConversionLimits,
    ConversionOutcome,
    Money,
    Tokens,
)
from tests.connectors.conftest import Rig, make_fake, reaching
from tests.connectors.contract import fault, secrets_of

pytestmark = pytest.mark.needs("conversions")

YES = ConversionConsent(analytics=True, ads=True)
PRICE = Money(amount=4900, currency="EUR")
PERSONAL = {"email": " Jane.Doe@Example.com", "phone": "+4915112345678", "last_name": "Doe"}
ADDRESS = "203.0.113.9"
COOKIES = {"fbp": "fb.1.1.77", "fbc": "fb.1.2.AbC", "ttp": "2Fttp", "ttclid": "E.C.P.Abc", "gclid": "Gc1"}
ITEMS = (ConversionItem(id="BAG-RED", title="Bag", quantity=1, unit_price=PRICE),)


def sink_of(rig: Rig) -> ConversionSink:
    assert rig.connector.conversions is not None
    made: ConversionSink = rig.connector.conversions(rig.session)
    return made


def limits_of(connector: AnyConnector) -> ConversionLimits:
    assert connector.conversion_limits is not None
    return connector.conversion_limits


def happened(order: str, *, ago: timedelta = timedelta(minutes=1), **more: Any) -> Conversion:
    given = {
        "event": "purchase",
        "event_id": f"{order}:purchase",
        "at": datetime.now(UTC) - ago,
        "money": PRICE,
        "items": ITEMS,
        "order_id": order,
        "consent": YES,
        "contact": Contact(**{name: SecretStr(text) for name, text in PERSONAL.items()}),
        "browser": Browser(
            ga_client="111.222", ip=SecretStr(ADDRESS), user_agent=SecretStr("Mozilla/5.0"), **COOKIES
        ),
        "source_url": "https://live.example.com/watch/evening",
    }
    return Conversion(**{**given, **more})


async def told(rig: Rig, *events: Conversion) -> Sequence[ConversionOutcome]:
    outcomes = await sink_of(rig).send(events, now=datetime.now(UTC))
    assert [one.event_id for one in outcomes] == [one.event_id for one in events]
    return outcomes


def states(outcomes: Sequence[ConversionOutcome]) -> list[str]:
    return [one.state for one in outcomes]


async def counted(rig: Rig) -> int:
    return len((await rig.state())["events"])


async def test_each_event_is_answered_and_counted_once_however_often_it_is_sent(rig: Rig) -> None:
    batch = [happened("o1"), happened("o2", browser=happened("o2").browser.model_copy())]
    for _ in range(2):
        outcomes = await told(rig, *batch)
        assert set(states(outcomes)) <= {"accepted", "duplicate"}
    state = await rig.state()
    assert len(state["events"]) == len(state["again"]) == 2
    assert state["dropped"] == []
    assert set(outcomes[0].matched) <= {"email", "phone", "click", "browser"}
    assert outcomes[0].matched
    refund = happened("o1", event="refund", event_id="o1:refund:4900")
    assert states(await told(rig, refund)) == ["accepted"]
    assert await counted(rig) == 3


async def test_one_old_event_keeps_no_other_from_being_told(rig: Rig) -> None:
    oldest = limits_of(rig.connector).oldest
    batch = [happened("o1"), happened("o2", ago=oldest + timedelta(hours=1)), happened("o3")]
    assert states(await told(rig, *batch)) == ["accepted", "too_old", "accepted"]
    state = await rig.state()
    assert (len(state["events"]), state["dropped"]) == (2, [])
    # One that our clock thinks young enough, and the platform's does not.
    await rig.ctl("clock", now=(datetime.now(UTC) + timedelta(minutes=30)).isoformat())
    late = happened("o4", ago=oldest - timedelta(minutes=10))
    answers = states(await told(rig, late, happened("o5", ago=timedelta())))
    assert answers[1] == "accepted"
    says = limits_of(rig.connector).says_login
    assert answers[0] in (("too_old", "refused") if says else ("accepted",))


async def test_one_refused_event_keeps_no_other_from_being_told_and_says_why(rig: Rig) -> None:
    await fault(rig, kind="reject", event_id="o3:purchase")
    outcomes = await told(rig, *(happened(f"o{n}") for n in range(7)))
    assert states(outcomes) == ["accepted"] * 3 + ["refused"] + ["accepted"] * 3
    assert re.match(r"[A-Z].{10,}", outcomes[3].reason)
    state = await rig.state()
    assert (len(state["events"]), state["again"]) == (6, [])


async def test_without_consent_nothing_names_the_person_or_the_browser(rig: Rig) -> None:
    purpose = limits_of(rig.connector).purpose
    no_ads = ConversionConsent(analytics=True, ads=False)
    outcomes = await told(rig, happened("o1", consent=no_ads), happened("o2", consent=ConversionConsent()))
    assert states(outcomes) == ["accepted" if purpose == "analytics" else "unmatched", "unmatched"]
    assert re.match(r"[A-Z].{10,}", outcomes[1].reason)
    said = " ".join((await rig.state())["bodies"])
    for text in (*PERSONAL.values(), *COOKIES.values(), ADDRESS):
        for spelled in {text, text.strip().lower(), text.lstrip("+")}:
            assert spelled not in said
            assert sha256(spelled) not in said


async def test_what_names_a_person_is_never_sent_as_it_is(rig: Rig) -> None:
    await told(rig, happened("o1"))
    said = " ".join((await rig.state())["bodies"]).lower()
    assert said
    assert not any(text.strip().lower() in said for text in PERSONAL.values())
    assert "jane.doe" not in repr(happened("o1")).lower()
    assert ADDRESS not in repr(happened("o1"))


async def test_with_nothing_to_know_anyone_by_it_is_not_sent(rig: Rig) -> None:
    bare = happened("o1", contact=Contact(country=SecretStr("DE")), browser=Browser())
    [outcome] = await told(rig, bare)
    assert outcome.state == "unmatched"
    assert re.match(r"[A-Z].{10,}", outcome.reason)
    assert (await rig.state())["bodies"] == []


@pytest.mark.parametrize(("status", "after"), [(429, 7), (500, 0), (503, 0)])
async def test_a_platform_in_trouble_is_told_later(rig: Rig, status: int, after: int) -> None:
    trouble = {"kind": "status", "status": status, "count": 1} | ({"retry_after": after} if after else {})
    await fault(rig, **trouble)
    with pytest.raises(RetryLater) as raised:
        await told(rig, happened("o1"))
    assert raised.value.after == pytest.approx(after, abs=1) if after else raised.value.after > 0
    assert states(await told(rig, happened("o1"))) == ["accepted"]


async def test_a_lost_answer_is_told_again_and_counts_once(rig: Rig) -> None:
    await fault(rig, kind="lose")
    # Who asks nothing of the answer has nothing to miss in it.
    with suppress(RetryLater):
        await told(rig, happened("o1"))
    await told(rig, happened("o1"))
    assert await counted(rig) == 1


async def test_a_wrong_login_is_reconnect_and_is_never_said(
    connector: AnyConnector, caplog: pytest.LogCaptureFixture
) -> None:
    if not limits_of(connector).says_login:
        pytest.skip("the platform never says that a login is wrong")
    wrong = Tokens(access=SecretStr("wrong-access"))
    with caplog.at_level(logging.INFO):
        async with reaching(connector, make_fake(connector.name), tokens=lambda _: wrong) as rig:
            with pytest.raises(Reconnect) as raised:
                await told(rig, happened("o1"))
            secrets = [*secrets_of(rig), "wrong-access"]
    for text in [repr(raised.value), *(record.getMessage() for record in caplog.records)]:
        assert not any(secret in text for secret in secrets), text


async def test_no_secret_is_in_a_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await told(rig, happened("o1"))
        await sink_of(rig).check(happened("o2"), now=datetime.now(UTC))
    assert caplog.records
    for record in caplog.records:
        assert not any(secret in record.getMessage() for secret in secrets_of(rig))
    assert not any(secret in repr(rig.session.config) for secret in secrets_of(rig))


async def test_the_largest_batch_is_taken_whole(rig: Rig) -> None:
    most = limits_of(rig.connector).batch
    assert set(states(await told(rig, *(happened(f"o{n}") for n in range(most))))) == {"accepted"}
    state = await rig.state()
    assert (len(state["events"]), len(state["bodies"]), state["dropped"]) == (most, 1, [])


async def test_a_test_event_is_answered_in_words_and_not_counted(rig: Rig) -> None:
    outcome = await sink_of(rig).check(happened("o1"), now=datetime.now(UTC))
    assert outcome.state == "accepted"
    state = await rig.state()
    assert (len(state["events"]), len(state["tests"])) == (0, 1)
    bad = happened("o2", money=None, order_id=None)
    outcome = await sink_of(rig).check(bad, now=datetime.now(UTC))
    assert outcome.state == "refused"
    assert re.match(r"[A-Z].{10,}", outcome.reason)


async def test_an_account_without_a_test_code_says_so(connector: AnyConnector) -> None:
    if "test_event_code" not in connector.config.model_fields:
        pytest.skip("no code is needed")

    def without(config: dict[str, Any]) -> dict[str, Any]:
        return {**config, "test_event_code": ""}

    async with reaching(connector, make_fake(connector.name), config=without) as rig:
        with pytest.raises(Refused, match="test event code"):
            await sink_of(rig).check(happened("o1"), now=datetime.now(UTC))
        assert await counted(rig) == 0


def test_an_account_says_what_it_takes_and_what_pages_load(connector: AnyConnector) -> None:
    limits = limits_of(connector)
    assert 0 < limits.batch <= 1000
    assert timedelta(hours=1) < limits.oldest < timedelta(days=90)
    assert connector.pixel is not None
    config, _ = make_fake(connector.name).connection()
    assert connector.pixel(connector.config.model_validate(config)) in config.values()
    assert (connector.addresses.script_url or "").startswith("https://")
