"""Twitch as a destination, its login and its replies, against the fake."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic import SecretStr
from twitchio.authentication.payloads import ValidateTokenPayload
from twitchio.models.chat import SentMessage
from twitchio.models.streams import Stream

from connectors.base import Addresses
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http
from connectors.oauth import Login
from connectors.twitch import CONNECTOR
from connectors.twitch.api import EVENTSUB, TWITCH, Bucket, Helix, TwitchErrors
from connectors.twitch.chat import socket_address
from connectors.twitch.destination import LATE, TwitchAudience, TwitchDestination
from connectors.twitch.fake import Fake
from connectors.twitch.oauth import NEEDED, TwitchOAuth, identity_url
from connectors.types import Audience, Broadcast
from tests.connectors.conftest import Clock, Rig, reaching
from tests.connectors.twitch import connected, reading, sample

SHOW = Broadcast(title="Autumn show", marker="show-1")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OURS = "141981764"
"""The fake's channel."""


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


# --- addresses and answers ------------------------------------------------------------------------


def test_a_moved_api_takes_the_sockets_and_the_logins_along() -> None:
    assert socket_address(Addresses(base_url=TWITCH, ws_url=EVENTSUB)) == EVENTSUB
    assert socket_address(Addresses(base_url="http://127.0.0.1:7/", ws_url=EVENTSUB)) == "ws://127.0.0.1:7/ws"
    named = Addresses(base_url="http://127.0.0.1:7/", ws_url="ws://127.0.0.1:8/ws")
    assert socket_address(named) == "ws://127.0.0.1:8/ws"
    assert identity_url(TWITCH, "oauth2/token") == "https://id.twitch.tv/oauth2/token"
    assert identity_url("http://127.0.0.1:7/", "oauth2/token") == "http://127.0.0.1:7/oauth2/token"


def test_twitchs_own_examples_are_understood() -> None:
    helix = sample("helix")
    assert ValidateTokenPayload(helix["validated"]).scopes == sorted(NEEDED)
    assert [SentMessage(helix[name]["data"][0]).sent for name in ("sent", "dropped")] == [True, False]
    stream = Stream(helix["streams"]["data"][0], http=cast("Any", None))
    assert (stream.viewer_count, stream.started_at.tzinfo) == (321, UTC)


def test_answers_become_the_error_they_mean(clock: Clock) -> None:
    errors = TwitchErrors(clock.now)
    reset = {"ratelimit-reset": str(int(clock.now().timestamp()) + 12)}
    throttled = errors(429, reset, b"")
    assert isinstance(throttled, RetryLater)
    assert throttled.after == 12
    lacking = errors(403, {}, b'{"message": "subscription missing proper authorization"}')
    assert isinstance(lacking, Reconnect)
    assert "lacks a permission" in lacking.reason
    banned = errors(403, {}, b'{"message": "The sender is banned\\nfrom the channel."}')
    assert isinstance(banned, Refused)
    assert banned.reason == "Twitch refused the request: The sender is banned from the channel."
    assert isinstance(errors(401, {}, b"<html>"), Reconnect)
    assert errors(200, {}, b"{}") is errors(503, {}, b"") is None


def test_calls_stop_before_twitchs_allowance_is_used_up_and_a_tenth_is_kept(clock: Clock) -> None:
    bucket = Bucket(clock.monotonic)
    for _ in range(2000):
        # Nothing is known before the first answer.
        bucket.take(urgent=False)
    bucket.note({"ratelimit-limit": "800", "ratelimit-remaining": "82"})
    bucket.take(urgent=False)
    bucket.take(urgent=False)
    with pytest.raises(RetryLater, match="used up") as later:
        bucket.take(urgent=False)
    assert later.value.after == 1.0
    for _ in range(80):
        bucket.take(urgent=True)
    with pytest.raises(RetryLater):
        bucket.take(urgent=True)
    with pytest.raises(RetryLater) as longer:
        bucket.take(urgent=False)
    assert longer.value.after == pytest.approx(81 * 60 / 800)
    # The points come back evenly, as Twitch gives them.
    clock.seconds += longer.value.after
    bucket.take(urgent=False)
    bucket.note({"ratelimit-limit": "x", "ratelimit-remaining": "0"})
    bucket.take(urgent=True)


async def test_a_used_up_allowance_costs_no_call(rig: Rig) -> None:
    await rig.ctl("fault", kind="points", left=30)
    helix = Helix(rig.session)
    await helix.get_streams(user_ids=[OURS])
    calls = (await rig.state())["calls"]
    with pytest.raises(RetryLater):
        await helix.get_streams(user_ids=[OURS])
    assert (await rig.state())["calls"] == calls
    # What may still be used is for moderation; Twitch itself says when there is nothing left.
    await Helix(rig.session, urgent=True).get_streams(user_ids=[OURS])
    await rig.ctl("fault", kind="points", left=-30)
    with pytest.raises(RetryLater):
        await Helix(rig.session, urgent=True).get_streams(user_ids=[OURS])


async def test_what_one_call_learns_of_the_allowance_holds_for_all_shows_of_the_account(rig: Rig) -> None:
    await rig.ctl("fault", kind="points", left=30)
    await Helix(rig.session).get_streams(user_ids=[OURS])
    calls = (await rig.state())["calls"]
    for other in (TwitchDestination(rig.session), TwitchAudience(rig.session)):
        with pytest.raises(RetryLater, match="used up"):
            await (other.status(OURS) if isinstance(other, TwitchDestination) else other.now(OURS))
    assert (await rig.state())["calls"] == calls


# --- the destination ------------------------------------------------------------------------------


async def test_opening_gives_the_channels_key_and_sets_its_title(rig: Rig) -> None:
    elsewhere = replace(rig.addresses, ingest_url="rtmp://127.0.0.1:9/app")
    destination = TwitchDestination(replace(rig.session, addresses=elsewhere))
    opened = await destination.open(SHOW.model_copy(update={"title": f"Autumn {'x' * 200}"}))
    state = await rig.state()
    assert (opened.url, opened.ref, opened.chat_ref) == ("rtmp://127.0.0.1:9/app", *[state["chat_ref"]] * 2)
    assert opened.watch_url == "https://www.twitch.tv/simulated_shop"
    assert (state["title"][:8], len(state["title"])) == ("Autumn x", 140)
    await destination.open(SHOW.model_copy(update={"title": "  "}))
    assert (await rig.state())["title"] == state["title"]


async def test_a_channel_is_live_only_while_something_is_pushed_however_often_it_drops(rig: Rig) -> None:
    destination, audience = TwitchDestination(rig.session), TwitchAudience(rig.session)
    opened = await destination.open(SHOW)
    push = {"app": "app", "key": opened.key.get_secret_value()}
    waiting = await destination.started(opened.ref)
    assert (waiting.state, waiting.receiving, waiting.reason) == ("starting", None, LATE)
    await rig.ctl("ingest", event="publish", app="app", key=f"{push['key']}?bandwidthtest=true")
    assert (await destination.status(opened.ref)).state == "scheduled"
    await rig.ctl("ingest", event="publish", **push)
    live = await destination.started(opened.ref)
    assert (live.state, live.receiving, live.viewers) == ("live", True, 77)
    assert await audience.now(opened.ref) == Audience(viewers=77)
    calls = len((await rig.state())["calls"])
    await destination.close(opened.ref)
    # Nothing was said to Twitch: the end of the push is the end of the stream.
    assert len((await rig.state())["calls"]) == calls
    for _ in range(2):
        # An encoder that drops: the channel is never called ended or failed, and comes back by itself.
        await rig.ctl("ingest", event="done", **push)
        assert (await destination.status(opened.ref)).state == "scheduled"
        assert await audience.now(opened.ref) == Audience()
        await rig.ctl("ingest", event="publish", **push)
        assert (await destination.status(opened.ref)).state == "live"


async def test_a_show_that_is_not_public_never_reaches_twitch(rig: Rig) -> None:
    with pytest.raises(Refused, match="public"):
        await TwitchDestination(rig.session).open(SHOW.model_copy(update={"privacy": "private"}))
    assert (await rig.state())["calls"] == []


async def test_missing_permissions_are_named(rig: Rig) -> None:
    await rig.ctl("fault", kind="scopes", scopes=["user:read:chat", "channel:manage:broadcast"])
    with pytest.raises(Reconnect, match="channel:read:stream_key, user:write:chat"):
        await TwitchDestination(rig.session).open(SHOW)
    with pytest.raises(Reconnect, match="lacks a permission"):
        await Helix(rig.session).get_stream_key(OURS, token_for=OURS)


async def test_another_applications_client_id_is_refused(rig: Rig) -> None:
    login = Login(rig.fake.connection()[1] or pytest.fail("no login"))
    http = Http(rig.addresses.base_url, login=login, classify=TwitchErrors())
    with pytest.raises(Reconnect):
        await Helix(replace(rig.session, http=http)).get_streams(user_ids=["1"])
    await http.close()


async def test_no_secret_is_ever_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await rig.ctl("fault", kind="expire_token")
        before = rig.fake.connection()[1]
        opened = await TwitchDestination(rig.session).open(SHOW)
        async with reading(rig) as items:
            await connected(items)
    _, after = rig.fake.connection()
    secrets = [opened.key, rig.session.config.client_secret]
    secrets += [
        token for tokens in (before, after) if tokens for token in (tokens.access, tokens.refresh) if token
    ]
    log = "\n".join(record.getMessage() for record in caplog.records)
    assert "/helix/streams/key" in log
    assert [secret for secret in secrets if secret.get_secret_value() in log] == []
    assert opened.key.get_secret_value() not in repr(opened)


# --- the login ------------------------------------------------------------------------------------


async def test_many_calls_at_once_renew_a_dead_login_once(rig: Rig) -> None:
    destination = TwitchDestination(rig.session)
    for times in (1, 2):
        await rig.ctl("fault", kind="expire_token")
        await asyncio.gather(*(destination.status(OURS) for _ in range(10)), destination.open(SHOW))
        # A refresh token works once here: the second round proves that the new one is used.
        assert ((await rig.state())["refreshes"], len(rig.refreshes)) == (times, times)


async def test_a_refresh_token_that_was_used_is_reconnect(rig: Rig) -> None:
    stale = rig.fake.connection()[1]
    assert stale is not None
    plain = Http(rig.addresses.base_url)
    renewed = await TwitchOAuth(lambda: NOON).refresh(plain, rig.session.config, stale)
    assert renewed.expires_at == NOON + timedelta(seconds=14_400)
    with pytest.raises(Reconnect, match="Link the account"):
        await TwitchOAuth().refresh(plain, rig.session.config, stale)
    spoiled = rig.session.config.model_copy(update={"client_secret": SecretStr("wrong")})
    with pytest.raises(Reconnect):
        await TwitchOAuth().refresh(plain, spoiled, renewed)
    await plain.close()
