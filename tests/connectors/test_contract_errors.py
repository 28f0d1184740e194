"""Asked of every connector: the three errors, and which trouble means which."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
from typing import Any, cast

import pytest
from pydantic import SecretStr

from connectors.base import AnyConnector
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Tokens
from tests.connectors.conftest import Rig, make_fake, reaching
from tests.connectors.contract import (
    IN_TIME,
    Silence,
    failures,
    fault,
    hurried,
    nobody_home,
    probes,
    secrets_of,
)

MOST_PATIENCE = 30.0
"""Seconds that anybody may wait for one answer: a job that waits longer keeps others from running."""


class UsedUp:
    """The budget of a day on which nothing is left."""

    async def spend(self, units: int, *, urgent: bool = False) -> None:
        """Never in order."""
        raise RetryLater("The day's allowance is used up.", 3600)

    async def left(self) -> int | None:
        """Nothing."""
        return 0


async def test_throttling_is_retry_later_with_the_platforms_delay(rig: Rig) -> None:
    for error in await failures(rig, RetryLater, kind="status", status=429, retry_after=7, count=3):
        assert cast("RetryLater", error).after == pytest.approx(7, abs=1)


@pytest.mark.parametrize("status", [500, 503])
async def test_an_outage_is_retry_later(rig: Rig, status: int) -> None:
    for error in await failures(rig, RetryLater, kind="status", status=status, count=3):
        assert cast("RetryLater", error).after > 0


async def test_any_other_no_is_refused_with_a_sentence(rig: Rig) -> None:
    for error in await failures(rig, Refused, kind="status", status=400, count=3):
        assert re.match(r"[A-Z].{10,}", error.reason)


async def test_an_unreachable_platform_is_retry_later(connector: AnyConnector) -> None:
    async with reaching(connector, make_fake(connector.name), through=nobody_home) as rig:
        await failures(rig, RetryLater)


async def test_an_answer_that_does_not_come_is_retry_later_in_good_time(connector: AnyConnector) -> None:
    silence = Silence()
    async with (
        reaching(connector, make_fake(connector.name), through=silence.instead) as rig,
        hurried(rig) as http,
    ):
        session = connector.session(http, rig.session.config, rig.addresses, rig.session.budget)
        calls = [asyncio.ensure_future(probe()) for probe in probes(connector, session, hasty=True)]
        if not calls:
            pytest.skip("no call that fails could be made")
        async with asyncio.timeout(IN_TIME):
            await silence.asked.wait()
            errors = await asyncio.gather(*calls, return_exceptions=True)
    for error in errors:
        assert isinstance(error, RetryLater), error
        assert error.after > 0
    waits = [*http.waits, rig.session.http.answer_seconds, gateways_patience(connector)]
    assert max(wait or 0.0 for wait in waits) <= MOST_PATIENCE


def gateways_patience(connector: AnyConnector) -> float:
    """Seconds; 0 where there is no gateway."""
    if connector.payments is None:
        return 0.0
    return float(inspect.signature(connector.payments).parameters["answer_seconds"].default)


async def test_bad_credentials_are_reconnect_and_no_secret_is_said(
    connector: AnyConnector, caplog: pytest.LogCaptureFixture
) -> None:
    def bad_tokens(given: Tokens | None) -> Tokens | None:
        return given and Tokens(access=SecretStr("wrong-access"), refresh=SecretStr("wrong-refresh"))

    def bad_config(entered: dict[str, Any]) -> dict[str, Any]:
        if make_fake(connector.name).connection()[1]:
            return entered
        secret = {
            name
            for name, field in connector.config.model_json_schema()["properties"].items()
            if '"password"' in json.dumps(field)
        }
        return {
            name: f"{value[:-4]}wxyz" if name in secret and isinstance(value, str) else value
            for name, value in entered.items()
        }

    spoiled = reaching(connector, make_fake(connector.name), tokens=bad_tokens, config=bad_config)
    with caplog.at_level(logging.INFO):
        async with spoiled as rig:
            errors = await failures(rig, Reconnect)
            secrets = [*secrets_of(rig), "wrong-access", "wrong-refresh"]
    texts = [repr(error) for error in errors] + [record.getMessage() for record in caplog.records]
    for text in [*texts, repr(rig.session.config)]:
        assert not any(secret in text for secret in secrets), text


@pytest.mark.needs("oauth")
async def test_a_login_that_expires_is_renewed_once(rig: Rig) -> None:
    login = make_fake(rig.connector.name).connection()[1]
    await fault(rig, kind="expire_token")
    [probe, *_] = probes(rig.connector, rig.session)
    if login and login.refresh == login.access:
        # What renews it is the login itself: it must be done before, and then a person links it again.
        with pytest.raises(Reconnect):
            await probe()
    else:
        await probe()
        await probe()
        assert len(rig.refreshes) == 1
        assert rig.refreshes[0].refresh is not None


async def test_a_revoked_login_is_reconnect(rig: Rig) -> None:
    if rig.session.http.login is None:
        pytest.skip("no login")
    await fault(rig, kind="revoke")
    await failures(rig, Reconnect)


@pytest.mark.needs("quota")
async def test_on_a_day_that_is_used_up_nothing_is_called(connector: AnyConnector) -> None:
    async with reaching(connector, make_fake(connector.name), budget=UsedUp()) as rig:
        before = await rig.state()
        for error in await failures(rig, RetryLater, figures=False):
            assert cast("RetryLater", error).after == 3600
        assert await rig.state() == before
