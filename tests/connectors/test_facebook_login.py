"""Linking Facebook Pages: the dialog, codes, logins, what is missing, and webhooks' first question."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from connectors.base import Addresses
from connectors.errors import Refused
from connectors.facebook import CONNECTOR
from connectors.facebook.api import App
from connectors.facebook.consent import FacebookConsent, page_of
from connectors.facebook.destination import FacebookDestination
from connectors.facebook.fake import Fake
from connectors.facebook.webhooks import FacebookWebhooks
from connectors.types import ChatMessage, Tokens
from tests.connectors.conftest import Rig, reaching, serving
from tests.connectors.facebook import SHOW, Door, told

BACK = "http://127.0.0.1:9/connect/callback"
CONSENT = FacebookConsent()
SAMPLES = Path(__file__).parents[2] / "connectors" / "facebook" / "samples"


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


def app_of(rig: Rig, **more: Any) -> App:
    return App.model_validate({**rig.fake.connection()[0], **more})


async def allowed(rig: Rig) -> Tokens:
    """The person's login after a press on Allow."""
    app = app_of(rig)
    url = CONSENT.url(app, rig.addresses, redirect_uri=BACK, state="s1", challenge="c")
    async with httpx.AsyncClient(timeout=10) as browser:
        back = dict(parse_qsl(urlsplit((await browser.get(url)).headers["location"]).query))
    return await CONSENT.exchange(rig.plain, app, code=back["code"], redirect_uri=BACK, verifier="")


async def test_each_page_is_linked_with_its_own_login_and_streams_for_itself(rig: Rig) -> None:
    await rig.ctl("consent", answer="allow", accounts=3, page_size=2)
    person = await allowed(rig)
    accounts = await CONSENT.accounts(rig.plain, app_of(rig), person)
    assert [account.title for account in accounts] == ["The Page", "Page 2", "Page 3"]
    assert len({account.tokens.access for account in accounts if account.tokens}) == 3
    entered = app_of(rig).model_dump()
    for account in accounts[1:]:
        assert account.tokens is not None
        # A Page's login has no end, but loses sight of data after ninety days: that is the date to show.
        assert account.tokens.expires_at is not None
        assert account.tokens.expires_at - datetime.now(UTC) > timedelta(days=80)
        async with rig.linked(entered | account.config, account.tokens) as session:
            await FacebookDestination(session).open(SHOW)
    assert len((await rig.state())["broadcasts"]) == 2


async def test_an_app_for_business_asks_by_its_configuration(rig: Rig) -> None:
    url = CONSENT.url(
        app_of(rig, config_id="77"), Addresses(base_url=""), redirect_uri=BACK, state="s1", challenge="c"
    )
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://www.facebook.com/v26.0/dialog/oauth?")
    assert (query["config_id"], "scope" in query) == (["77"], False)


async def test_a_person_who_ticked_off_what_is_needed_is_told_what(rig: Rig) -> None:
    await rig.ctl("consent", scopes="pages_show_list,pages_read_engagement")
    # The login is handed out all the same, so that it can be given back.
    person = await allowed(rig)
    with pytest.raises(Refused, match="pages_manage_posts"):
        await CONSENT.accounts(rig.plain, app_of(rig), person)


async def test_a_person_who_may_not_publish_is_told_so(rig: Rig) -> None:
    await rig.ctl("consent", tasks=["ANALYZE"])
    with pytest.raises(Refused, match="may not publish"):
        await CONSENT.accounts(rig.plain, app_of(rig), await allowed(rig))


async def test_giving_a_page_back_takes_the_whole_app_from_the_person(rig: Rig) -> None:
    await rig.ctl("consent", answer="allow", accounts=2)
    one, other = await CONSENT.accounts(rig.plain, app_of(rig), await allowed(rig))
    assert one.tokens is not None
    await CONSENT.revoke(rig.plain, app_of(rig), one.tokens)
    assert (await rig.state())["revoked"] is True
    assert other.tokens is not None
    # Dead already: nothing is left to give back, and that is no error.
    await CONSENT.revoke(rig.plain, app_of(rig), other.tokens)


async def test_no_login_and_no_secret_is_in_an_error_a_log_or_an_address(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        person = await allowed(rig)
        [account] = await CONSENT.accounts(rig.plain, app_of(rig), person)
        assert account.tokens is not None
        async with rig.linked(app_of(rig).model_dump() | account.config, account.tokens) as session:
            await FacebookDestination(session).open(SHOW)
        with pytest.raises(Refused) as wrong:
            await CONSENT.exchange(rig.plain, app_of(rig), code="no", redirect_uri=BACK, verifier="")
    secrets = [
        person.access.get_secret_value(),
        account.tokens.access.get_secret_value(),
        app_of(rig).app_secret.get_secret_value(),
    ]
    logged = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    texts = [*logged, repr(wrong.value), repr(account), repr(person)]
    assert [text for text in texts if any(secret in text for secret in secrets)] == []


# --- webhooks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("token", "verified"), [(None, True), ("guess", False), ("", False)])
async def test_facebooks_question_is_answered_when_it_knows_the_word(
    rig: Rig, token: str | None, verified: bool
) -> None:
    assert CONNECTOR.handshake is not None
    shake, config = CONNECTOR.handshake, rig.session.config
    async with serving(Door(lambda query: shake(config, query)).app) as url:
        word = config.verify_token.get_secret_value() if token is None else token
        answer = await rig.ctl("webhook_url", url=f"{url}hook", verify_token=word)
    assert answer["verified"] is verified


def test_a_question_is_never_answered_without_a_word_of_ours() -> None:
    assert CONNECTOR.handshake is not None
    config = CONNECTOR.config(page_id="1", app_secret="s")
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""}
    with pytest.raises(Refused):
        CONNECTOR.handshake(config, query)


def test_webhooks_are_read_from_samples() -> None:
    webhooks = FacebookWebhooks(CONNECTOR.config(page_id="page", app_secret="s"))
    facts = webhooks.parse((SAMPLES / "webhook_comment.json").read_bytes())
    [news] = told([("", fact) for fact in facts])
    [item] = news.items
    assert isinstance(item, ChatMessage)
    assert (news.chat_ref, item.id, item.text, item.author_name) == ("page_1", "page_1_9", "SKU12 x2", "A B")
    assert (item.sent_at, item.reply_to, item.ours) == (
        datetime(2026, 11, 24, 10, 1, 1, tzinfo=UTC),
        None,
        False,
    )
    assert webhooks.parse((SAMPLES / "webhook_live.json").read_bytes()) == []


def test_a_page_whose_login_has_no_end_ends_with_its_sight_of_data() -> None:
    about = json.loads((SAMPLES / "debug_token.json").read_text())["data"]
    page = {"id": "1", "access_token": "page"}
    tokens = page_of(page, Tokens(access=SecretStr("person")), about).tokens
    assert tokens is not None
    assert tokens.expires_at == datetime.fromtimestamp(1803290400, UTC)
    assert tokens.refresh is not None
    assert tokens.refresh.get_secret_value() == "person"
