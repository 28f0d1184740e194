"""Every platform is linked through the hub, from the button to the given-back login; no secret gets out."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
import pytest

import connectors
from hub.app import services
from hub.connections.sealed import secrets_in
from hub.demo.fakes import Standing, environment_for, ingest_address, revealed
from tests.hub.conftest import Engines, settings_for
from tests.hub.connections.test_secrets import QUIET, dump_of
from tests.hub.market import Market, MovableClock, trading
from tests.hub.platforms import NOWHERE, standing_fakes
from tests.hub.shop import open_shop
from tests.hub.site import Client, no_authorities

KNOWN = connectors.load()
BY_CONSENT = sorted(name for name, one in KNOWN.items() if one.consent)
PATIENCE = 90.0
"""Seconds for an answer: each platform's own page has several things to do, on a machine that has others."""
BY_KEYS = sorted(KNOWN.keys() - {*BY_CONSENT})


async def pressed(owner: Client, fake: Standing, app: dict[str, Any]) -> dict[str, str]:
    """Press the button, then Allow; what the studio is told."""
    wish = {"connector": fake.name, "app": app}
    url = (await owner.call("POST", "/api/v1/connections/consent", wish))["url"]
    async with httpx.AsyncClient(verify=no_authorities(), timeout=PATIENCE) as browser:
        answer = await browser.get(url)
    assert answer.status_code == 302, f"{fake.name}: {answer.status_code} {answer.text}"
    back = urlsplit(answer.headers["location"])
    landed = await owner.http.get(f"{back.path}?{back.query}")
    return dict(parse_qsl(urlsplit(landed.headers["location"]).query))


async def chosen(owner: Client, name: str, said: dict[str, str]) -> list[str]:
    """The new connections, all there are to choose from."""
    assert "problem" not in said, f"{name}: {said}"
    if "linked" in said:
        return [said["linked"]]
    path = f"/api/v1/connections/pending/{said['choose']}"
    offered = await owner.call("GET", path)
    wish = {"account_ids": [one["id"] for one in offered["accounts"]]}
    return [row["id"] for row in await owner.call("POST", path, wish, ok=201)]


async def linked(market: Market, owner: Client, fake: Standing) -> list[str]:
    """Link what the fake has, with its own app."""
    consent = market.hub.connections.connector(fake.name).consent
    assert consent
    app = {name: fake.config[name] for name in consent.app.model_fields if name in fake.config}
    return await chosen(owner, fake.name, await pressed(owner, fake, app))


async def entered(owner: Client, name: str) -> str:
    """Link what the fake of a platform without a consent page would have somebody enter."""
    # Two fakes with one seed would draw the same number, the one for a secret and the other for a name.
    seed, ingest = 100 + BY_KEYS.index(name), ingest_address(name, NOWHERE)
    fake = importlib.import_module(f"connectors.{name}.fake").Fake(seed=seed, ingest_url=ingest)
    fake.set_base_url("http://127.0.0.1:9/")
    config, tokens = fake.connection()
    wish = {"connector": name, "name": name.title(), "config": config, "tokens": revealed(tokens)}
    return str((await owner.call("POST", "/api/v1/connections", wish, ok=201))["id"])


async def secrets_of(market: Market) -> dict[str, str]:
    """Every secret the brand's accounts have, and whose it is."""
    links, found = market.hub.connections, {}
    async with market.hub.db.session() as session:
        for row in await links.list(session, market.shop.brand_id):
            values = secrets_in(links.config_of(row))
            tokens = links.logins.tokens(row)
            for value in values | (secrets_in(tokens) if tokens else set()):
                found[value] = row.connector
    return found


async def test_every_platform_is_linked_and_unlinked_and_no_secret_gets_out(
    engines: Engines,
    database_url: str,
    nats_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What each brings is looked for in every log, every answer of the API, and a dump of the database."""
    assert {"youtube", "facebook", "twitch"} <= set(BY_CONSENT)
    caplog.set_level(logging.INFO)
    for name in QUIET:
        caplog.set_level(logging.WARNING, name)
    answers: list[bytes] = []

    async def keep(response: httpx.Response) -> None:
        answers.append(await response.aread() + str(response.headers).encode())

    clock, settings = MovableClock(), settings_for(tmp_path, database_url, nats_url)
    async with (
        standing_fakes(*BY_CONSENT) as fakes,
        services(settings, environment_for(fakes), clock) as hub,
        trading(hub, await open_shop(hub), {}, clock) as market,
    ):
        owner = await market.owner()
        owner.http.timeout = httpx.Timeout(PATIENCE)
        owner.http.event_hooks["response"].append(keep)
        made = {name: await linked(market, owner, fake) for name, fake in fakes.items()}
        keyed = [await entered(owner, name) for name in BY_KEYS]
        await hub.connections.renew_due()
        await hub.alarms.sweep()
        for path in ("connectors", "alarms", "payments/gateways", "conversions", "jobs"):
            await owner.http.get(f"/api/v1/{path}")
        secrets = await secrets_of(market)
        assert {*secrets.values()} == {*KNOWN}
        dumped = await dump_of(engines.database_url("hub_tests"))
        rows = {row["id"]: row for row in await owner.call("GET", "/api/v1/connections")}
        for name, ids in made.items():
            assert {rows[one]["state"] for one in ids} == {"ok"}, name
            assert all(rows[one]["account"]["id"] and rows[one]["app_known"] for one in ids), name
            for one in ids:
                async with hub.connections.use(UUID(one)) as opened:
                    assert opened.config
                await owner.call("DELETE", f"/api/v1/connections/{one}", ok=204)
        for one in keyed:
            await owner.call("DELETE", f"/api/v1/connections/{one}", ok=204)
        await market.work()
        assert await market.sql("SELECT id FROM revocation") == [], "every login was given back"
        for name, fake in fakes.items():
            assert (await fake.state()).get("revoked"), f"{name} was not told"
        written = capfd.readouterr()
    logs = (caplog.text + written.out + written.err).encode()
    assert b"connection.linked" in logs
    places = {"logs": logs, "answers": b"".join(answers), "dump": dumped}
    for value, name in secrets.items():
        for where, text in places.items():
            for spelling in (value, value.encode().hex()):
                assert spelling.encode() not in text, f"a secret of {name} in {where}"
