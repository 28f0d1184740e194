"""Linking a Twitch channel, and which server its stream goes to. The contract suite asks the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.base import Addresses
from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.twitch import CONNECTOR
from connectors.twitch.api import INGEST, App
from connectors.twitch.consent import SCOPES, TwitchConsent
from connectors.twitch.fake import Fake
from connectors.twitch.ingests import Server, nearest, server_for, server_of, servers_of
from connectors.twitch.oauth import NEEDED, TwitchOAuth, owner_by
from connectors.types import Tokens
from tests.connectors.conftest import Rig, reaching
from tests.connectors.contract import nobody_home
from tests.connectors.twitch import sample

BACK = "http://127.0.0.1:9/connect/callback"


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


def app_of(rig: Rig) -> App:
    return App.model_validate(rig.fake.connection()[0])


async def linked(rig: Rig, http: Http) -> Tokens:
    consent = TwitchConsent()
    url = consent.url(app_of(rig), rig.addresses, redirect_uri=BACK, state="s", challenge="c")
    async with httpx.AsyncClient(timeout=10) as browser:
        page = await browser.get(url)
    code = parse_qs(urlsplit(page.headers["location"]).query)["code"][0]
    return await consent.exchange(http, app_of(rig), code=code, redirect_uri=BACK, verifier="v")


@pytest.fixture
async def plain(rig: Rig) -> AsyncIterator[Http]:
    http = Http(rig.addresses.base_url, classify=CONNECTOR.classify)
    yield http
    await http.close()


def test_the_page_is_twitchs_own_and_is_not_told_what_it_does_not_know() -> None:
    app = App.model_validate({"client_id": "id-1", "client_secret": "hidden"})
    url = TwitchConsent().url(
        app, Addresses(base_url="https://api.twitch.tv/"), redirect_uri=BACK, state="s 1", challenge="c"
    )
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    assert (parts.netloc, parts.path, query["state"]) == ("id.twitch.tv", "/oauth2/authorize", ["s 1"])
    assert query["scope"] == [" ".join(SCOPES)]
    assert set(NEEDED) <= set(SCOPES)
    assert "challenge" not in url
    assert "hidden" not in url


async def test_a_linked_login_knows_its_channel_and_how_long_it_lasts(rig: Rig, plain: Http) -> None:
    tokens = await linked(rig, plain)
    assert tokens.expires_at is not None
    assert sorted(tokens.scopes) == sorted(SCOPES)
    (account,) = await TwitchConsent().accounts(plain, app_of(rig), tokens)
    assert (account.title, account.detail) == ("Simulated_Shop", "twitch.tv/simulated_shop")
    assert account.picture_url
    wrong = App.model_validate({"client_id": app_of(rig).client_id, "client_secret": "wrong"})
    with pytest.raises(Refused, match="client ID and secret"):
        await TwitchConsent().exchange(plain, wrong, code="c", redirect_uri=BACK, verifier="v")


async def test_a_login_whose_access_has_run_out_is_given_back_all_the_same(rig: Rig, plain: Http) -> None:
    tokens = await linked(rig, plain)
    await rig.ctl("fault", kind="expire_token")
    await TwitchConsent().revoke(plain, app_of(rig), tokens)
    assert (await rig.state())["revoked"]
    with pytest.raises(Reconnect):
        await TwitchOAuth().refresh(plain, app_of(rig), tokens)
    with pytest.raises(Reconnect):
        await owner_by(plain, tokens.access.get_secret_value())
    # The other login of this account, which nobody gave back, lives on.
    await owner_by(plain, (rig.fake.connection()[1] or pytest.fail("no login")).access.get_secret_value())


# --- the server -----------------------------------------------------------------------------------


def test_twitchs_list_is_read_in_its_order_without_what_is_out_of_use() -> None:
    raw = sorted(sample("ingests")["ingests"], key=lambda each: each["priority"])
    assert [server for server in map(server_of, raw) if server] == [
        Server("EU: Frankfurt", "rtmps://fra05.contribute.live-video.net:443/app"),
        Server("EU: Paris", "rtmp://cdg10.contribute.live-video.net/app"),
    ]


def test_the_quickest_server_is_chosen_and_among_equals_twitchs_first() -> None:
    servers = [Server(name, f"rtmp://{name}/app") for name in "abc"]
    assert nearest(servers, [0.050, 0.021, 0.020]) == "rtmp://b/app"
    assert nearest(servers, [0.029, 0.021, None]) == "rtmp://a/app"
    assert nearest(servers, [None, None, 0.9]) == "rtmp://c/app"
    assert nearest(servers, [None, None, None]) is nearest([], []) is None


async def test_a_server_nobody_answers_at_is_not_chosen_but_one_a_person_named_is(rig: Rig) -> None:
    listed = await servers_of(rig.session.http)
    assert [server.name for server in listed] == ["EU: Nowhere", "EU: Frankfurt"]
    assert await server_for(rig.session.http, "") == listed[1].url
    assert await server_for(rig.session.http, " eu: nowhere ") == listed[0].url
    # One that Twitch has closed since is chosen anew.
    assert await server_for(rig.session.http, "EU: Gone") == listed[1].url
    await rig.ctl("fault", kind="ingests", list=[])
    assert await server_for(rig.session.http, "") == INGEST


async def test_without_a_list_the_choice_is_twitchs() -> None:
    async with reaching(CONNECTOR, Fake(seed=3), through=nobody_home) as rig:
        assert await server_for(rig.session.http, "EU: Frankfurt") == INGEST
