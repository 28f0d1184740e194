"""What viewers hear of the stock, on a real socket, whichever process tells it."""

from __future__ import annotations

from contextlib import AsyncExitStack

from hub.app import services
from hub.catalog.models import Variant
from hub.services import Services
from tests.hub.gateway.screens import Gateways, Screen, screen
from tests.hub.shop import SetClock, open_shop


async def standing_at(page: Screen, available: int) -> str:
    """How so many left stand, as the page is told."""
    while (news := (await page.hears("stock.changed"))["data"])["available"] != available:
        pass
    return str(news["state"])


async def test_viewers_hear_what_runs_low_is_sold_out_and_is_back(hub: Services, clock: SetClock) -> None:
    shop, gateways = await open_shop(hub, units=7), Gateways(hub)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(gateways.stop_all)
        await gateways.start()
        # Another process, which has told nobody that anything is sold out.
        other = await stack.enter_async_context(services(hub.settings, {}, clock))
        page = await stack.enter_async_context(screen(gateways.address, hub.tokens.viewer(shop.viewer())))
        await page.hears("hello")
        await shop.hold()
        assert await standing_at(page, 6) == "in_stock"
        await shop.hold()
        assert await standing_at(page, 5) == "low"
        last = await shop.hold(quantity=5)
        assert await standing_at(page, 0) == "sold_out"
        async with other.db.session() as session:
            await other.stock.release_hold(session, last.hold_id)
        assert await standing_at(page, 5) == "low"
        async with other.db.session() as session:
            variant = await session.get_one(Variant, shop.variant_id)
            await other.stock.receive(session, variant, 1, author="test")
        assert await standing_at(page, 6) == "in_stock"
