"""The hashing rules by the platforms' own examples, and what is particular to one platform."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.conversions import email_form, hashed, number, sha256
from connectors.errors import RetryLater
from connectors.ga4 import CONNECTOR as GA4
from connectors.ga4.events import EUROPE, Ga4Events, parts
from connectors.http import Http
from connectors.meta_capi import CONNECTOR as META
from connectors.meta_capi.events import MetaEvents
from connectors.meta_capi.people import (
    name_form,
    phone_form,
    place_form,
    postcode_form,
    us_postcode_form,
    user_data,
)
from connectors.tiktok_events import events as tiktok
from connectors.types import Browser, Contact, ConversionConsent, Money
from tests.connectors.conftest import make_fake, reaching, serving
from tests.connectors.test_contract_conversions import COOKIES, ITEMS, happened, states, told

MARY = "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"
VALERY = "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"
JEONG = "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"
JOHN = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
JANE = "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"
PHONE = "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"
US = "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (email_form, " John_Smith@gmail.com ", JOHN),
        (email_form, "Jane.Doe@Example.com", JANE),
        (phone_form, "+1 (650) 555-1212", PHONE),
        (phone_form, "0016505551212", PHONE),
        (name_form, "Mary", MARY),
        (name_form, "Valéry", VALERY),
        (name_form, "정", JEONG),
        (place_form, "US", US),
        (place_form, "New York", sha256("newyork")),
        (place_form, "St. Gallen!", sha256("stgallen")),
        (us_postcode_form, "94035-1234", sha256("94035")),
        (postcode_form, "M1 1AE", sha256("m11ae")),
        (tiktok.phone_form, "+1 (650) 555-1212", sha256("+16505551212")),
    ],
)
def test_the_platforms_own_examples_give_their_hashes(form: object, text: str, expected: str) -> None:
    assert callable(form)
    assert hashed(SecretStr(text), form) == expected


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40))
def test_whatever_is_entered_is_hashed_or_left_out(text: str) -> None:
    for form in (email_form, phone_form, name_form, place_form, tiktok.phone_form):
        found = hashed(SecretStr(text), form)
        assert found is None or (len(found) == 64 and found != sha256(""))
        assert form(form(text)) == form(text)


def test_metas_person_is_hashed_and_the_browser_is_not() -> None:
    one = happened(
        "o1",
        contact=Contact(
            email=SecretStr("John_Smith@gmail.com"),
            phone=SecretStr("+16505551212"),
            first_name=SecretStr("Mary"),
            country=SecretStr("US"),
            postcode=SecretStr("94035-1234"),
        ),
    )
    data = user_data(one)
    assert (data["em"], data["ph"], data["fn"], data["country"]) == ([JOHN], [PHONE], [MARY], [US])
    assert data["zp"] == [sha256("94035")]
    assert (data["fbc"], data["fbp"], data["client_ip_address"]) == ("fb.1.2.AbC", "fb.1.1.77", "203.0.113.9")


def test_money_is_a_number_in_its_major_unit() -> None:
    given_and_said = [("EUR", 4900, 49.0), ("JPY", 4900, 4900), ("KWD", 4900, 4.9)]
    for currency, amount, expected in given_and_said:
        assert number(Money(amount=amount, currency=currency)) == expected


async def test_meta_is_told_where_use_is_limited_and_what_is_no_page() -> None:
    fake = make_fake("meta_capi")
    async with reaching(META, fake, config=lambda config: config | {"limited_data_use": True}) as rig:
        shop = happened("o2", browser=Browser())
        assert states(await told(rig, happened("o1"), shop)) == ["accepted", "accepted"]
        state = await rig.state()
        assert [event["limited"] for event in state["events"]] == [True, True]
        sent = json.loads(state["bodies"][0])["data"]
        assert [event["action_source"] for event in sent] == ["website", "other"]
    async with reaching(META, make_fake("meta_capi")) as rig:
        out = happened("o3", consent=ConversionConsent(ads=True, opted_out=True))
        await told(rig, happened("o1"), out)
        sent = json.loads((await rig.state())["bodies"][0])["data"]
        assert [event["data_processing_options"] for event in sent] == [[], ["LDU"]]
        assert [event.get("data_processing_options_country") for event in sent] == [None, 0]


async def test_metas_numbers_that_mean_later_are_later() -> None:
    async with reaching(META, make_fake("meta_capi")) as rig:
        for code in (4, 17, 80004, 1, 2):
            await rig.ctl("fault", kind="code", code=code)
            with pytest.raises(RetryLater):
                await told(rig, happened("o1"))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        # Neither messages nor a trace, without which Meta's own SDK falls over.
        ({"events_received": 1}, "accepted"),
        ({"events_received": 0}, "later"),
        ({"success": True}, "later"),
        ([], "later"),
    ],
)
async def test_a_thin_answer_of_metas_is_enough_if_it_counts_and_unknown_if_not(
    answer: object, state: str
) -> None:
    async def thin(_: Request) -> Response:
        return JSONResponse(answer)

    app = Starlette(routes=[Route("/{path:path}", thin, methods=["POST"])])
    async with reaching(META, make_fake("meta_capi")) as rig, serving(app) as address:
        http = Http(address, classify=META.classify)
        session = META.session(http, rig.session.config, replace(rig.addresses, base_url=address))
        if state == "accepted":
            assert states(await MetaEvents(session).send([happened("o1")], now=datetime.now(UTC))) == [state]
        else:
            with pytest.raises(RetryLater) as raised:
                await MetaEvents(session).send([happened("o1")], now=datetime.now(UTC))
            assert raised.value.unknown
        await http.close()


async def test_google_gets_one_request_for_each_browser_and_says_nothing() -> None:
    async with reaching(GA4, make_fake("ga4"), config=lambda config: config | {"region": "eu"}) as rig:
        measured = rig.session.config.measurement_id
        first = Browser(ga_client="1.1", ga_sessions={measured: "1790000123", "G-OTHER": "5"})
        batch = [happened("o1", browser=first), happened("o2"), happened("o3", browser=first)]
        assert states(await told(rig, *batch)) == ["accepted"] * 3
        state = await rig.state()
        assert len(state["bodies"]) == 2
        assert [event["session_id"] for event in state["events"]] == ["1790000123", "1790000123", None]
        # The third browser's request fails: what was told is not told again.
        await rig.ctl("fault", kind="status", status=503, count=1)
        other = Browser(ga_client="2.2")
        late = [happened("o4", browser=other), happened("o5", consent=ConversionConsent())]
        with pytest.raises(RetryLater):
            await told(rig, *late)
    assert EUROPE.startswith("https://region1.")


async def test_what_google_was_told_before_it_failed_is_not_told_again() -> None:
    async with reaching(GA4, make_fake("ga4")) as rig:
        await rig.ctl("fault", kind="status", status=503, count=1, after=2)
        many = [happened(f"o{n}", browser=Browser(ga_client=f"{n}.1")) for n in range(4)]
        assert states(await told(rig, *many)) == ["accepted", "accepted", "later", "later"]
        assert states(await told(rig, *many[2:])) == ["accepted", "accepted"]
        assert (await rig.state())["again"] == []


def test_a_request_to_google_stays_below_its_size() -> None:
    many = tuple(ITEMS[0].model_copy(update={"id": f"{n}" * 90, "title": "x" * 100}) for n in range(200))
    events = [happened(f"o{n}", items=many) for n in range(25)]
    made = list(parts(events, "G-TEST"))
    assert len(made) > 1
    assert [one for part in made for one in part] == events


async def test_googles_checks_say_what_is_wrong_but_not_that_the_secret_is() -> None:
    spoil = {"api_secret": "another-secret-of-somebody"}
    async with reaching(GA4, make_fake("ga4"), config=lambda config: config | spoil) as rig:
        sink = Ga4Events(rig.session)
        long = happened("o1", coupon="x" * 300, source_url="https://live.example.com/" + "y" * 2000)
        assert (await sink.check(long, now=datetime.now(UTC))).state == "accepted"
        [outcome] = await told(rig, long)
        assert outcome.state == "accepted"
        assert (await rig.state())["dropped"] == [
            {"name": "purchase", "id": "o1", "why": "another secret or stream"}
        ]


def test_the_click_id_keeps_its_case() -> None:
    assert COOKIES["fbc"] in json.dumps(user_data(happened("o1", ago=timedelta(days=1))))
