"""TikTok as a place to stream to: a key that is handed out, and nothing that is claimed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from connectors.base import Addresses, Session
from connectors.errors import Refused, RetryLater
from connectors.tiktok import CONNECTOR
from connectors.tiktok.config import API, PUSH, SITE, App, Config, site_of
from connectors.tiktok.consent import TikTokConsent, account_of, tokens_of
from connectors.tiktok.destination import TikTokDestination, expiry_of
from connectors.tiktok.fake import NAME, Fake
from connectors.types import Broadcast, Tokens
from tests.connectors.conftest import Rig, reaching
from tests.connectors.tiktok import reading

SHOW = Broadcast(title="Autumn show", marker="show-1")
CONSENT = TikTokConsent()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


async def test_the_address_and_the_key_are_pushed_as_entered() -> None:
    async with reaching(CONNECTOR, Fake(ingest_url="rtmp://127.0.0.1:1936/stage")) as rig:
        opened = await TikTokDestination(rig.session).open(SHOW)
        assert (opened.ref, opened.url) == ("show-1", "rtmp://127.0.0.1:1936/stage")
        assert opened.chat_ref == NAME
        assert opened.watch_url == f"https://www.tiktok.com/@{NAME}/live"
        push = {"event": "publish", "app": "stage", "key": opened.key.get_secret_value()}
        await rig.ctl("ingest", **push)
        assert (await rig.state())["publishing"] is True
        # The LIVE is over, and its key with it.
        await rig.ctl("fault", kind="key_expired")
        assert (await rig.control.post("/_ctl/ingest", json=push)).status_code == 403


async def test_another_ingest_address_stands_in_for_the_entered_one(rig: Rig) -> None:
    elsewhere = Addresses(base_url="", ingest_url="rtmp://127.0.0.1:9/rehearsal")
    session = CONNECTOR.session(rig.session.http, rig.session.config, elsewhere)
    assert (await TikTokDestination(session).open(SHOW)).url == "rtmp://127.0.0.1:9/rehearsal"


OFF: dict[str, Any] = {"signer_url": "", "signer_key": SecretStr("")}


def with_config(rig: Rig, **config: Any) -> Session[Config]:
    return replace(rig.session, config=rig.session.config.model_copy(update=config))


async def test_nothing_is_claimed_about_a_live_that_nobody_can_be_asked_about(rig: Rig) -> None:
    destination = TikTokDestination(with_config(rig, **OFF))
    await rig.ctl("ingest", event="publish", app="stage", key=rig.session.config.key.get_secret_value())
    for status in (await destination.started("show-1"), await destination.status("show-1")):
        assert (status.state, status.receiving, status.viewers) == ("starting", None, None)
        assert status.reason is not None
        assert "doesn't tell" in status.reason
    assert (await rig.state())["publishing"] is True


async def test_a_stream_that_is_taken_while_the_room_is_closed_is_not_shown_as_live(rig: Rig) -> None:
    destination = TikTokDestination(rig.session)
    await rig.ctl("fault", kind="offline")
    await rig.ctl("ingest", event="publish", app="stage", key=rig.session.config.key.get_secret_value())
    waiting = await destination.started("show-1")
    assert (waiting.state, (await rig.state())["publishing"]) == ("starting", True)
    assert waiting.reason is not None
    assert "Press Go LIVE" in waiting.reason
    await rig.ctl("fault", kind="offline", on=False)
    live = await destination.started("show-1")
    assert (live.state, live.receiving, live.viewers) == ("live", True, 77)
    # The room is closed over our head: the push may go on and on.
    await rig.ctl("fault", kind="offline")
    assert (await destination.started("show-1")).state == "starting"
    assert (await destination.status("show-1")).state == "ended"


async def test_a_site_that_does_not_answer_leaves_the_last_word_and_a_wrong_name_fails_nothing(
    rig: Rig,
) -> None:
    await rig.ctl("fault", kind="page")
    with pytest.raises(RetryLater, match="does not answer programs"):
        await TikTokDestination(rig.session).started("show-1")
    wrong = await TikTokDestination(with_config(rig, handle="@nobody")).started("show-1")
    assert wrong.state == "starting"
    assert wrong.reason is not None
    assert wrong.reason.startswith("TikTok knows no LIVE of @nobody. Check the name.")


async def test_a_key_that_says_until_when_it_is_good_is_counted_down(rig: Rig) -> None:
    opened = await TikTokDestination(rig.session).open(SHOW)
    assert opened.expires_at is not None
    assert timedelta(hours=5) < opened.expires_at - datetime.now(UTC) <= timedelta(hours=6)
    assert expiry_of("stream-1?sign=ab&expire=1790003600") == datetime(2026, 9, 21, 15, 13, 20, tzinfo=UTC)
    assert [expiry_of(key) for key in ("stream-1", "k?expire=soon", "k?expire=17900036001")] == [None] * 3
    assert CONNECTOR.key_life == timedelta(hours=12)


async def test_without_a_key_the_show_says_where_it_is_found(rig: Rig) -> None:
    linked = with_config(rig, url="", key=SecretStr(""))
    with pytest.raises(Refused, match="LIVE Producer shows both"):
        await TikTokDestination(linked).open(SHOW)


def test_everything_that_is_missing_is_explained() -> None:
    assert set(CONNECTOR.gaps) == {
        name
        for name in (
            "planner",
            "metadata",
            "audience",
            "health",
            "chat_sink",
            "replier",
            "private_replier",
            "announcer",
            "moderation",
        )
        if getattr(CONNECTOR, name) is None
    }
    assert CONNECTOR.before_start
    assert CONNECTOR.after_end


# --- linking --------------------------------------------------------------------------------------


async def test_a_login_brings_name_handle_and_picture_and_never_an_expiry(rig: Rig) -> None:
    tokens = await pressed(rig)
    (account,) = await CONSENT.accounts(rig.plain, app_of(rig), tokens)
    assert (account.title, account.detail) == ("Simulated Shop", f"@{NAME}")
    assert account.picture_url == "https://p16-sign.tiktokcdn.com/avatar.jpeg"
    config = Config.model_validate(account.config)
    assert (config.unique_id, config.chat_is_on, tokens.expires_at) == (NAME, False, None)


async def test_a_login_that_has_run_out_is_renewed_to_be_given_back(rig: Rig) -> None:
    tokens = await pressed(rig)
    await rig.ctl("fault", kind="expire_token")
    assert (await rig.state())["revoked"] is False
    await CONSENT.revoke(rig.plain, app_of(rig), tokens)
    assert (await rig.state())["revoked"] is True


@pytest.mark.parametrize("answer", [{}, [], None, {"access_token": 1}, {"data": {"user": {}}}])
def test_an_answer_that_says_nothing_is_asked_for_again(answer: Any) -> None:
    for read in (tokens_of, account_of):
        with pytest.raises(RetryLater):
            read(answer)


def test_a_refusal_with_a_success_for_status_is_a_refusal() -> None:
    with pytest.raises(Refused) as raised:
        tokens_of({"error": "invalid_grant", "error_description": "…", "log_id": "1"})
    assert raised.value.code == "invalid_grant"
    with pytest.raises(Refused):
        account_of({"data": {}, "error": {"code": "scope_not_authorized", "message": "", "log_id": "1"}})
    without_handle = account_of({"data": {"user": {"open_id": "o1"}}, "error": {"code": "ok"}})
    assert (without_handle.title, without_handle.config) == ("o1", {})


async def pressed(rig: Rig) -> Tokens:
    """The login of somebody who pressed Allow."""
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    back = "https://hub.example/connect/callback"
    url = CONSENT.url(app_of(rig), rig.addresses, redirect_uri=back, state="s", challenge=challenge)
    async with httpx.AsyncClient(verify=False) as browser:  # noqa: S501 - loopback
        sent = httpx.URL((await browser.get(url)).headers["location"])
    return await CONSENT.exchange(
        rig.plain, app_of(rig), code=sent.params["code"], redirect_uri=back, verifier=verifier
    )


def app_of(rig: Rig) -> App:
    return App.model_validate(rig.session.config, from_attributes=True)


# --- what is entered ------------------------------------------------------------------------------


async def test_without_a_signer_or_a_bridge_there_is_no_chat(rig: Rig) -> None:
    assert (await TikTokDestination(with_config(rig, **OFF)).open(SHOW)).chat_ref is None
    async with reading(rig, **OFF) as items:
        with pytest.raises(Refused, match="chat is off"):
            await anext(items)
    assert (await rig.state())["signed"] == 0
    assert CONNECTOR.chat_sink is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://example.com/live"},
        {"key": ""},
        {"url": ""},
        {"handle": "a b"},
        {"handle": "", "signer_url": "https://sign.example"},
        {"handle": "", "bridge_url": "ws://127.0.0.1:9/"},
        {"signer_url": "ftp://sign.example"},
        {"signer_url": "https://user:word@sign.example"},
        {"signer_url": "https://sign.example/?key=1"},
        {"bridge_url": "https://bridge.example"},
    ],
)
def test_what_cannot_work_is_refused_when_it_is_entered(wrong: dict[str, str]) -> None:
    good = {"url": "rtmp://push.example/stage", "key": "k", "handle": "@shop"}
    assert Config.model_validate(good).unique_id == "shop"
    with pytest.raises(ValidationError):
        Config.model_validate({**good, **wrong})


def test_a_rehearsal_never_asks_the_real_site() -> None:
    assert site_of(Addresses(base_url=API, ws_url=PUSH)) == SITE
    assert site_of(Addresses(base_url=API, ws_url="ws://127.0.0.1:7/ws")) == "http://127.0.0.1:7/"
    assert site_of(Addresses(base_url="http://127.0.0.1:8", ws_url=PUSH)) == "http://127.0.0.1:8/"
