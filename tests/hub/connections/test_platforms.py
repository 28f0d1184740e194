"""Every platform with a consent page is linked through the hub, from the button to the given-back login."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx

import connectors
from hub.app import services
from hub.demo.fakes import Standing, environment_for
from tests.hub.conftest import settings_for
from tests.hub.market import Market, MovableClock, trading
from tests.hub.platforms import standing_fakes
from tests.hub.shop import open_shop
from tests.hub.site import Client, no_authorities

BY_CONSENT = sorted(name for name, one in connectors.load().items() if one.consent)


async def pressed(owner: Client, fake: Standing, app: dict[str, Any]) -> dict[str, str]:
    """Press the button, then Allow; what the studio is told."""
    wish = {"connector": fake.name, "app": app}
    url = (await owner.call("POST", "/api/v1/connections/consent", wish))["url"]
    async with httpx.AsyncClient(verify=no_authorities()) as browser:
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


async def test_every_platform_with_a_consent_page_is_linked_and_unlinked_by_it(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    assert {"youtube", "facebook", "twitch"} <= set(BY_CONSENT)
    clock, settings = MovableClock(), settings_for(tmp_path, database_url, nats_url)
    async with (
        standing_fakes(*BY_CONSENT) as fakes,
        services(settings, environment_for(fakes), clock) as hub,
        trading(hub, await open_shop(hub), {}, clock) as market,
    ):
        owner = await market.owner()
        made = {name: await linked(market, owner, fake) for name, fake in fakes.items()}
        rows = {row["id"]: row for row in await owner.call("GET", "/api/v1/connections")}
        for name, ids in made.items():
            assert {rows[one]["state"] for one in ids} == {"ok"}, name
            assert all(rows[one]["account"]["id"] and rows[one]["app_known"] for one in ids), name
            for one in ids:
                async with hub.connections.use(UUID(one)) as opened:
                    assert opened.config
                await owner.call("DELETE", f"/api/v1/connections/{one}", ok=204)
        await market.work()
        assert await market.sql("SELECT id FROM revocation") == [], "every login was given back"
        for name, fake in fakes.items():
            assert (await fake.state()).get("revoked"), f"{name} was not told"
