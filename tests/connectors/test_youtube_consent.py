"""Linking a YouTube channel: Google's page, codes with PKCE, channels, revocation."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import BaseModel

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http
from connectors.types import Tokens
from connectors.youtube.config import App, Config
from connectors.youtube.fake_login import challenge_of
from connectors.youtube.oauth import CONSENT_URL, SCOPE, GoogleConsent
from tests.connectors.conftest import Rig, local
from tests.connectors.youtube import Day, destination, fault, opened, standing

BACK = "https://hub.example/connect/callback"


@pytest.fixture
def clock() -> Day:
    return Day()


@pytest.fixture
async def rig(clock: Day) -> AsyncIterator[Rig]:
    async with standing(clock) as made:
        yield made


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[Http]:
    """What the hub gives a consent: no login."""
    made = Http(rig.addresses.base_url)
    yield made
    await made.close()


def app_of(rig: Rig) -> BaseModel:
    config, _ = rig.fake.connection()
    return App.model_validate(config)


class Visit:
    """One person's way through Google's page."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.app = app_of(rig)
        self.verifier = secrets.token_urlsafe(48)

    def url(self, **changes: str) -> str:
        addresses = replace(self.rig.addresses, consent_url=local(CONSENT_URL, self.rig.base_url))
        url = GoogleConsent().url(
            self.app, addresses, redirect_uri=BACK, state="s1", challenge=challenge_of(self.verifier)
        )
        for old, new in changes.items():
            assert old in url
            url = url.replace(old, new)
        return url

    async def press(self, url: str | None = None) -> dict[str, str]:
        """What Google brings back."""
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(url or self.url())
        assert answer.status_code == 302, answer.text
        location = urlsplit(answer.headers["location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == BACK
        return {name: values[0] for name, values in parse_qs(location.query).items()}

    async def exchange(self, http: Http, code: str, **changes: str) -> Tokens:
        how = {"redirect_uri": BACK, "verifier": self.verifier, **changes}
        return await GoogleConsent().exchange(http, self.app, code=code, **how)


async def test_a_person_links_a_channel_and_it_can_be_streamed_to(rig: Rig, http: Http) -> None:
    visit = Visit(rig)
    told = parse_qs(urlsplit(visit.url()).query)
    assert (told["access_type"], told["prompt"], told["code_challenge_method"]) == (
        ["offline"],
        ["consent"],
        ["S256"],
    )
    back = await visit.press()
    assert back["state"] == "s1"
    tokens = await visit.exchange(http, back["code"])
    assert tokens.refresh is not None
    assert tokens.expires_at is not None
    assert tokens.scopes == (SCOPE,)
    [channel] = await GoogleConsent().accounts(http, visit.app, tokens)
    assert (channel.id, channel.title, channel.detail) == ("UC_sim", "The channel", "@channel1")
    assert channel.picture_url is not None
    entered, _ = rig.fake.connection()
    linked = Config.model_validate({**entered, **channel.config})
    rig.session = replace(rig.session, config=linked)
    assert (await opened(rig)).ref


async def test_several_channels_are_all_listed_and_none_is_none(rig: Rig, http: Http) -> None:
    visit = Visit(rig)
    tokens = await visit.exchange(http, (await visit.press())["code"])
    for number in (3, 0):
        await rig.ctl("consent", answer="allow", accounts=number)
        found = await GoogleConsent().accounts(http, visit.app, tokens)
        assert len({one.id for one in found}) == number


async def test_no_is_no_and_the_page_asks_when_it_is_told_to(rig: Rig) -> None:
    visit = Visit(rig)
    await rig.ctl("consent", answer="deny")
    assert await visit.press() == {"error": "access_denied", "state": "s1"}
    await rig.ctl("consent", answer="ask")
    async with httpx.AsyncClient() as browser:
        page = await browser.get(visit.url())
    assert page.status_code == 200
    assert "Allow" in page.text
    assert "Deny" in page.text
    assert "code" in await visit.press(visit.url() + "&answer=allow")
    assert "error" in await visit.press(visit.url() + "&answer=deny")


async def test_a_code_works_once_for_ten_minutes_for_whoever_began(rig: Rig, http: Http, clock: Day) -> None:
    visit = Visit(rig)
    for changes in ({"verifier": "w" * 64}, {"redirect_uri": "https://else.example/"}):
        code = (await visit.press())["code"]
        with pytest.raises(Refused, match="Start it again"):
            await visit.exchange(http, code, **changes)
    code = (await visit.press())["code"]
    await visit.exchange(http, code)
    with pytest.raises(Refused, match="Start it again"):
        await visit.exchange(http, code)
    late = (await visit.press())["code"]
    clock.seconds += 601
    with pytest.raises(Refused, match="Start it again"):
        await visit.exchange(http, late)


async def test_another_apps_secret_is_refused_with_what_to_do(rig: Rig, http: Http) -> None:
    visit = Visit(rig)
    code = (await visit.press())["code"]
    visit.app = App.model_validate({**dict(visit.app), "client_secret": "wrong"})
    with pytest.raises(Refused, match="Copy both again"):
        await visit.exchange(http, code)


async def test_a_permission_that_was_not_ticked_is_asked_for_again(rig: Rig, http: Http) -> None:
    visit = Visit(rig)
    await rig.ctl("consent", answer="allow", scope="openid")
    with pytest.raises(Refused, match="was not ticked"):
        await visit.exchange(http, (await visit.press())["code"])


async def test_the_page_refuses_another_client(rig: Rig) -> None:
    visit = Visit(rig)
    async with httpx.AsyncClient() as browser:
        for wrong in ({"client-3": "client-4"}, {"response_type=code": "response_type=token"}):
            assert (await browser.get(visit.url(**wrong))).status_code == 400


async def test_a_login_is_given_back_once_and_for_all(rig: Rig, http: Http) -> None:
    made = await opened(rig)
    app, (_, tokens) = app_of(rig), rig.fake.connection()
    assert tokens is not None
    await fault(rig, "status", status=503, path="/token")
    with pytest.raises(RetryLater):
        await GoogleConsent().revoke(http, app, tokens)
    for _ in range(2):
        await GoogleConsent().revoke(http, app, tokens)
    assert (await rig.state())["revoked"] is True
    with pytest.raises(Reconnect):
        await destination(rig).status(made.ref)
    with pytest.raises(Reconnect):
        await GoogleConsent().accounts(http, app, tokens)
