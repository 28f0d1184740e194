"""A brand that links accounts on the example platform: the hub's real API in front, the fake behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors._template import CONNECTOR
from connectors._template.consent import ExampleConsent
from connectors._template.fake import Fake
from connectors._template.oauth import ExampleOAuth
from connectors.base import AnyConnector
from connectors.rtmp import CONNECTOR as RTMP
from hub.app import services
from hub.clock import Clock
from hub.services import Services
from hub.settings import Settings
from tests.connectors.conftest import local, serving
from tests.hub.conftest import settings_for
from tests.hub.market import Market, MovableClock, trading
from tests.hub.shop import open_shop
from tests.hub.site import Client, no_authorities

NAME = CONNECTOR.name
KEYED = replace(RTMP, name="keyed", title="Per-live keys", key_life=timedelta(hours=8))
"""A place whose stream keys a person enters for each show."""


def known(clock: Clock) -> dict[str, AnyConnector]:
    """What can be linked here. The example platform's logins end by the test's clock."""
    timed = replace(CONNECTOR, oauth=ExampleOAuth(now=clock), consent=ExampleConsent(now=clock))
    return {one.name: one for one in (timed, RTMP, KEYED)}


class Watched:
    """The platform, with its doorman's book: what was asked, and what it is told to answer, or when."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.asked: list[str] = []
        self.answers: dict[str, int] = {}
        self.bodies: list[bytes] = []
        self.held: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        self.asked.append(path)
        if release := self.held.get(path):
            await release.wait()
        if status := self.answers.get(path):
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
            return

        async def heard(message: Message) -> None:
            self.bodies.append(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, heard)

    def times(self, path: str) -> int:
        """How often it was asked for this."""
        return self.asked.count(path)


@dataclass
class Bench:
    """What a test needs. `seen` is every answer of the API, as bytes."""

    market: Market
    settings: Settings
    environ: dict[str, str]
    platform: Watched
    platform_url: str
    browser: httpx.AsyncClient
    seen: list[bytes] = field(default_factory=list)

    @property
    def hub(self) -> Services:
        return self.market.hub

    @property
    def clock(self) -> MovableClock:
        return self.market.clock

    @asynccontextmanager
    async def another_process(self) -> AsyncIterator[Services]:
        """All of the hub once more, on the same database."""
        async with services(self.settings, self.environ, self.clock, known(self.clock)) as other:
            yield other

    @property
    def app(self) -> dict[str, str]:
        """What a brand enters about its app on the platform."""
        entered, _ = Fake(seed=1).connection()
        return {name: entered[name] for name in ("client_id", "client_secret")}

    async def member(self, brand: str = "") -> Client:
        """Somebody signed in, whose every answer is kept."""
        client = await self.market.owner(brand)

        async def keep(response: httpx.Response) -> None:
            self.seen.append(await response.aread() + str(response.headers).encode())

        client.http.event_hooks["response"].append(keep)
        return client

    async def control(self, what: str, **body: Any) -> None:
        answer = await self.browser.post(f"{self.platform_url}_ctl/{what}", json=body)
        answer.raise_for_status()

    async def state(self) -> Any:
        return (await self.browser.get(f"{self.platform_url}_ctl/state")).json()

    async def begin(self, who: Client, **wish: Any) -> str:
        """Press the button in the studio; the platform's address."""
        said = await who.call("POST", "/api/v1/connections/consent", {"connector": NAME} | wish)
        return str(said["url"])

    async def allow(self, url: str) -> str:
        """Go to the platform, where Allow (or whatever the fake was told) is pressed; the way back."""
        answer = await self.browser.get(url)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        assert f"{back.scheme}://{back.netloc}" == self.settings.site_url()
        return f"{back.path}?{back.query}"

    async def come_back(self, who: Client, way: str) -> dict[str, str]:
        """What the studio is told. It is always the studio that the browser is sent to."""
        answer = await who.http.get(way)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("/studio/connections?")
        assert answer.headers["cache-control"] == "no-store"
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def link(self, who: Client, **wish: Any) -> dict[str, str]:
        """All of it."""
        return await self.come_back(who, await self.allow(await self.begin(who, **wish)))

    async def linked(self, who: Client) -> Any:
        """A fresh account of the brand's, as the API shows it."""
        said = await self.link(who, app=self.app)
        return await self.shown(who, said["linked"])

    async def shown(self, who: Client, connection_id: str) -> Any:
        rows = await who.call("GET", "/api/v1/connections")
        return next(row for row in rows if row["id"] == connection_id)

    async def show(self, who: Client, connection_id: str, starts_at: str | None) -> str:
        """A planned show that is pushed to the account."""
        plan = {"title": "Evening", "starts_at": starts_at, "target_connection_ids": [connection_id]}
        return str((await who.call("POST", "/api/v1/shows", plan, ok=201))["id"])


@pytest.fixture
async def bench(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """Platform, hub and brand, and no account linked yet."""
    clock, watched = MovableClock(), Watched(Fake(seed=1).app)
    settings = settings_for(tmp_path, database_url, nats_url)
    async with serving(watched) as url:
        real = CONNECTOR.addresses
        environ = {
            f"SIMULCAST_{NAME.upper()}_BASE_URL": local(real.base_url, url),
            f"SIMULCAST_{NAME.upper()}_CONSENT_URL": local(str(real.consent_url), url),
        }
        async with (
            services(settings, environ, clock, known(clock)) as hub,
            httpx.AsyncClient(verify=no_authorities()) as browser,
            trading(hub, await open_shop(hub), {}, clock) as market,
        ):
            yield Bench(market, settings, environ, watched, url, browser)
