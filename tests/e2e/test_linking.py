"""Linking pressed in a browser: the platform's own page asks, and what came of it is on the studio's screen.

Only the hub and the fakes that ask; nothing is streamed. A test decides when jobs run and what time it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, expect

from connectors.errors import Reconnect
from connectors.types import Broadcast
from hub.app import services
from hub.demo.fakes import Standing, environment_for
from hub.work.jobs import job_app
from tests.e2e.conftest import free_port
from tests.e2e.site import browsing, site_of
from tests.hub.conftest import (  # noqa: F401 (fixtures)
    database_url,
    engines,
    nats_url,
    settings_for,
)
from tests.hub.market import Market, MovableClock
from tests.hub.platforms import standing_fakes
from tests.hub.shop import open_shop
from tests.hub.site import Client

pytestmark = pytest.mark.e2e

PLATFORMS: Final = ("youtube", "facebook", "twitch")
PATIENCE_MS: Final = 20_000
DATE: Final = """
    (iso) => {
        const format = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "short"});
        return format.format(new Date(iso));
    }
"""


@dataclass
class Desk:
    """A member of staff at the studio, and what is behind it."""

    market: Market
    staff: Client
    page: Page

    @property
    def site(self) -> str:
        return self.market.origin

    def fake(self, name: str) -> Standing:
        return self.market.fakes[name]

    async def rows(self) -> list[Any]:
        """The brand's accounts, as the API tells the studio."""
        found: list[Any] = await self.staff.call("GET", "/api/v1/connections")
        return found

    async def begin(self, name: str) -> None:
        """Press Link and enter the brand's app, as far as the platform's own page."""
        await self.page.goto(f"{self.site}/studio/connections")
        await self.page.get_by_role("button", name="Link an account").click()
        connectors = await self.staff.call("GET", "/api/v1/connectors")
        connector = next(one for one in connectors if one["name"] == name)
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_role("button", name=connector["title"]).first.click()
        app = connector["consent"]["app"]
        for field in app["required"]:
            label = dialog.get_by_label(app["properties"][field]["title"], exact=True)
            await label.fill(str(self.fake(name).config[field]))
        await dialog.get_by_role("button", name=f"Continue to {connector['title']}").click()

    async def answer(self, name: str, word: str) -> None:
        """Press Allow or Deny on the platform's page, which is not ours."""
        platform = urlsplit(self.fake(name).base_url).netloc
        await self.page.wait_for_url(lambda url: urlsplit(url).netloc == platform, timeout=PATIENCE_MS)
        await self.page.get_by_role("button", name=word, exact=True).click()
        await self.page.wait_for_url(f"{self.site}/studio/connections**", timeout=PATIENCE_MS)

    def card(self, name: str) -> Locator:
        """One account on the page of connections."""
        heading = self.page.get_by_role("heading", name=name, exact=True)
        return self.page.get_by_role("listitem").filter(has=heading)

    async def sealed(self, connection_id: str) -> tuple[bytes, bytes | None]:
        """Config and tokens of an account, as they lie in the database."""
        statement = "SELECT config_sealed, tokens_sealed FROM connection WHERE id = cast(:id AS uuid)"
        [row] = await self.market.sql(statement, id=connection_id)
        return bytes(row["config_sealed"]), row["tokens_sealed"]


@pytest.fixture
async def desk(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Desk]:  # noqa: F811
    """Signed in, and no account linked yet. Every platform shows its page to whoever is sent there."""
    clock = MovableClock()
    port = {"http_port": free_port()}
    settings = settings_for(tmp_path, database_url, nats_url).model_copy(update=port)
    async with standing_fakes(*PLATFORMS) as fakes:
        environ = environment_for(fakes)
        for fake in fakes.values():
            await fake.control("consent", {"answer": "ask", "accounts": 1})
        async with services(settings, environ, clock) as hub, site_of(hub, environ) as site:
            jobs = job_app(hub)
            async with jobs.open_async():
                market = Market(hub, await open_shop(hub), site, fakes, {}, jobs, clock)
                staff = await market.owner()
                async with browsing(site, staff) as browser:
                    yield Desk(market, staff, await browser.new_page())
                await staff.http.aclose()


async def test_deny_says_what_to_do_and_allow_links_with_the_date_the_login_ends(desk: Desk) -> None:
    for name in ("youtube", "twitch"):
        await desk.begin(name)
        await desk.answer(name, "Deny")
        told = desk.page.get_by_text("You did not allow it there, so nothing was linked.")
        await expect(told).to_contain_text("Start once more, and press Allow on the platform's page")
        assert all(row["connector"] != name for row in await desk.rows())

        await desk.begin(name)
        await desk.answer(name, "Allow")
        [row] = [one for one in await desk.rows() if one["connector"] == name]
        await expect(desk.page.get_by_text(f"{row['name']} is linked.")).to_be_visible()
        await shows_its_end(desk, row)


async def shows_its_end(desk: Desk, row: Any) -> None:
    """The card says until when the login is good, in the words of this browser's language."""
    card = desk.card(row["name"])
    await expect(card).to_contain_text("Linked", timeout=PATIENCE_MS)
    ends = await desk.page.evaluate(DATE, row["token_expires_at"])
    await expect(card).to_contain_text(str(ends))


async def test_of_two_pages_the_chosen_one_is_linked(desk: Desk) -> None:
    await desk.fake("facebook").control("consent", {"answer": "ask", "accounts": 2})
    await desk.begin("facebook")
    await desk.answer("facebook", "Allow")
    dialog = desk.page.get_by_role("dialog")
    choices = dialog.get_by_role("checkbox")
    await expect(choices).to_have_count(2, timeout=PATIENCE_MS)
    assert await desk.rows() == []
    await choices.nth(1).check()
    await dialog.get_by_role("button", name="Link 1 account").click()
    await expect(dialog).to_be_hidden(timeout=PATIENCE_MS)
    [row] = await desk.rows()
    chosen = row["account"]["id"]
    assert chosen != desk.fake("facebook").config["page_id"], "the second Page, not the person's first"
    assert row["settings"]["page_id"] == chosen
    await shows_its_end(desk, row)


async def needs_it(desk: Desk, connection_id: str) -> None:
    """What a show does first; only then can anybody know that the login is dead."""
    async with desk.market.hub.connections.use(UUID(connection_id)) as opened:
        assert opened.connector.destination
        broadcast = Broadcast(title="Evening", marker=f"show-{connection_id}")
        await opened.connector.destination(opened.session).open(broadcast)


@pytest.mark.parametrize("name", PLATFORMS)
async def test_a_dead_login_is_mended_by_one_press_and_unlinking_gives_it_back(desk: Desk, name: str) -> None:
    await desk.begin(name)
    await desk.answer(name, "Allow")
    [row] = await desk.rows()
    card = desk.card(row["name"])
    await expect(card).to_contain_text("Linked", timeout=PATIENCE_MS)

    await desk.fake(name).control("fault", {"kind": "revoke"})
    with pytest.raises(Reconnect):
        await needs_it(desk, row["id"])
    await desk.page.reload()
    await expect(card).to_contain_text("until you reconnect it", timeout=PATIENCE_MS)
    # One press: what was entered about the app is known. The rest is asked by the platform, not by us.
    await card.get_by_role("button", name="Reconnect").click()
    await desk.answer(name, "Allow")
    await expect(card).to_contain_text("Linked", timeout=PATIENCE_MS)
    await expect(card).not_to_contain_text("until you reconnect it")
    [again] = await desk.rows()
    assert (again["id"], again["state"]) == (row["id"], "ok")

    assert not (await desk.fake(name).state())["revoked"]
    await card.get_by_role("button", name="Unlink").click()
    await desk.page.get_by_role("dialog").get_by_role("button", name="Unlink", exact=True).click()
    await expect(card).to_have_count(0, timeout=PATIENCE_MS)
    assert await desk.sealed(row["id"]) == (b"", None), "what was sealed is gone at once"
    await desk.market.work()
    assert (await desk.fake(name).state())["revoked"]
    assert await desk.market.sql("SELECT id FROM revocation") == []
