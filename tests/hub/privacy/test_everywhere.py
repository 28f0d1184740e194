"""A whole customer, and the commands that forget them: killed on the way, and again after a backup."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from connectors.errors import RetryLater
from hub.auth.tokens import Viewer
from hub.consent.texts import NEWS, NEWS_VERSION
from hub.conversions.ad_ids import Seen
from hub.privacy.rooms import ROOMS
from hub.privacy.standing import nap
from tests.hub.conftest import Engines
from tests.hub.events.stage import Page, gateway, some_events, token_of
from tests.hub.market import Market, Trade
from tests.hub.platforms import until
from tests.hub.privacy.people import Somebody, somebody
from tests.hub.privacy.stores import AD_CLICK, ADDRESS, AGENT, Stores

REMAINS = {"invoice.data", "rights_request.customer_id"}
"""Tax law; and whose erasure it was, which leads to no row any more."""
NAMES = [area.name for area in ROOMS]
FILES_ARE_REWRITTEN = f"NEW.step > OLD.step AND NEW.step = {NAMES.index('events') + 1}"
"""Where the command dies: everything of this step is done, and not committed."""
LOCK = 77_001
WAIT_FOR_IT = f"""
    CREATE FUNCTION wait_for_it() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NEW; END $$
"""
WAITS = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND NOT granted"
HELD = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND granted"
ASIDE = (
    "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 day' WHERE task_name = 'rights.erase'"
)


async def lived(market: Market, engines: Engines) -> Somebody:
    """Beside all of `somebody`: clicks, visits, consent, events through the gateway, credits, a copy."""
    ana = await somebody(market, "ana", 5550199)
    hub, shop, page = market.hub, market.shop, ana.buyer.http
    owner = await market.owner()
    link = await owner.call(
        "POST", "/api/v1/links", {"title": "Bio", "show_id": str(shop.show_id), "placement": "bio"}, ok=201
    )
    page.http.headers["User-Agent"] = AGENT
    landing = f"/watch/{shop.slug}?utm_source=bio&utm_medium=link&ttclid={AD_CLICK}"
    clicked = await page.http.get(f"/l/{link['code']}?ttclid={AD_CLICK}")
    assert clicked.status_code == 302
    public = {"show": shop.slug}
    agreed = {"version": 0, "language": "en", "clicked": "allow", "analytics": True, "ads": True}
    await page.call("POST", "/api/v1/public/consent", public | agreed)
    await page.call("POST", "/api/v1/public/touches", public | {"landing": landing}, ok=204)
    await page.call("POST", "/api/v1/public/visits", public | {"seconds": 30}, ok=204)
    async with hub.db.session() as session:
        allowed = await hub.consent_book.of(session, shop.brand_id, ana.viewer_id)
        seen = Seen(ttclid=AD_CLICK, fbp="fb.1.1790000000000.77")
        await hub.conversions.ad_ids.note(
            *(session, shop.brand_id, ana.viewer_id, seen, allowed), ip=ADDRESS, user_agent=AGENT
        )
    viewer = Viewer(ana.viewer_id, shop.show_id, shop.brand_id, shop.slug)
    async with gateway(hub.settings) as address:
        told = Page(address, token_of(hub.settings, viewer))
        await told.tell([some_events(5, kind) for kind in ("product_view", "heartbeat")])
    await hub.events.copier.copy()
    await hub.events.sealer.seal()
    market.clock.tick(30)
    await hub.conversions.queue.sweep()
    await hub.conversions.sweep()
    async with hub.db.session() as session:
        await hub.attribution.runs.begin(session, shop.brand_id, "staff")
    await owner.call("POST", f"/api/v1/privacy/people/{ana.customer_id}/export", ok=202)
    await market.work()
    return ana


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", "meta_capi", units=20)


@asynccontextmanager
async def hub_works(market: Market) -> AsyncIterator[None]:
    """The rest of the hub does its jobs meanwhile; the erasure itself is left to the command."""

    await market.sql(ASIDE)

    async def works() -> None:
        while True:
            await market.work()
            await asyncio.sleep(0.5)

    task = asyncio.create_task(works())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def killed(stores: Stores, *arguments: object) -> None:
    """The command, ended by SIGKILL at its step, in the middle of its transaction."""
    async with stopped(stores):
        process = await stores.simulcast(*arguments)

        async def there() -> bool:
            assert process.returncode is None, await process.communicate()
            return bool(await stores.market.sql(WAITS, lock=LOCK))

        try:
            await until(there, seconds=240)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        out, err = await process.communicate()
    assert process.returncode == -9
    stores.said += [out.decode(), err.decode()]


@asynccontextmanager
async def stopped(stores: Stores) -> AsyncIterator[None]:
    """Whoever comes to this step waits in the database. Afterwards it finds that nobody is there any more."""
    market = stores.market
    held = await asyncpg.connect(stores._url)
    await held.execute(f"SELECT pg_advisory_lock({LOCK})")
    await market.sql(WAIT_FOR_IT)
    await market.sql(
        "CREATE TRIGGER wait_for_it BEFORE UPDATE ON rights_request FOR EACH ROW"
        f" WHEN ({FILES_ARE_REWRITTEN}) EXECUTE FUNCTION wait_for_it()"
    )
    try:
        yield
    finally:
        await held.close()

        async def over() -> bool:
            return not await market.sql(HELD, lock=LOCK) and not await market.sql(WAITS, lock=LOCK)

        await until(over)
        await market.sql("DROP FUNCTION wait_for_it CASCADE")


@pytest.mark.parametrize(("after", "seconds"), [(0.0, 0.5), (2.0, 2.0), (20.0, 5.0)])
def test_the_command_tries_again_when_it_was_told_to_and_keeps_nobody_waiting_long(
    after: float, seconds: float
) -> None:
    assert nap(RetryLater("Something came in.", after=after)) == seconds


async def test_no_store_has_them_though_the_command_was_killed_and_a_backup_came_back(
    market: Market,
    engines: Engines,
    tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
) -> None:
    aside: Path = tmp_path_factory.mktemp("backup")
    stores = Stores(market, engines)
    ana = await lived(market, engines)
    [news] = await market.sql(
        "SELECT granted, source, version, proof FROM consent_choice WHERE purpose = 'email'"
    )
    assert (news["granted"], news["source"], news["version"]) == (True, "checkout", NEWS_VERSION)
    assert (news["proof"]["asked"], news["proof"]["order"]) == (NEWS, str(ana.order_id))
    before = await stores.places(ana)
    assert before >= {
        *("events", "stream", "nats", "attribution", "exports", "mail"),
        *("touch.click_ids", "visit.visitor_id", "consent_choice.visitor_id", "ad_ids.ip_sealed"),
        *("ad_ids.user_agent_sealed", "ad_ids.ttclid", "link_click.click_ids", "orders.address_sealed"),
        *("message.text", "hold.viewer_id", "claim.author_id", "mail.to_sealed", "consent_choice.proof"),
    }
    await stores.dump(aside / "all.sql")
    shutil.copytree(stores.data, aside / "data")

    erase = ("erase", ana.customer_id, "--yes", "--json")
    async with hub_works(market):
        await killed(stores, *erase)
        code, said = await stores.ran(*erase)
    assert code == 0, said
    assert "They are forgotten." in said
    await market.later()  # the job that goes on with it, had nobody called again
    stores.said += [*capfd.readouterr()]
    assert await stores.places(ana) == REMAINS

    shutil.copytree(stores.data / "erasures", aside / "erasures")
    shutil.rmtree(stores.data)
    shutil.copytree(aside / "data", stores.data)
    await stores.restore(aside / "all.sql")
    assert await stores.places(ana, engines=False) >= before - {"stream", "nats"}
    code, said = await stores.ran("replay-erasures", "--from", aside / "erasures", "--json")
    [told] = [line for line in said.splitlines() if line.startswith("{")]
    assert (code, json.loads(told)) == (0, {"tombstones": 1, "people": 1})
    waiting = "SELECT 1 FROM rights_request WHERE state IN ('queued', 'working')"
    for _ in range(20):
        if await market.sql(waiting):
            await market.later()
    stores.said += [*capfd.readouterr()]
    assert await stores.places(ana) == REMAINS
