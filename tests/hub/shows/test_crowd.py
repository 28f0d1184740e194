"""Whether the watch page says how many watch is the brand's to say."""

from __future__ import annotations

from tests.hub.gateway.screens import Gateways, screen
from tests.hub.market import Trade


async def test_a_brand_keeps_to_itself_how_many_watch_from_that_moment_on(trade: Trade) -> None:
    market = await trade()
    owner, viewer = await market.owner(), await market.viewer()
    assert viewer.page["show"]["viewers_shown"] is True
    show, off = f"/api/v1/shows/{market.shop.show_id}", {"viewers_shown": False}
    gateways = Gateways(market.hub)
    await gateways.start()
    async with screen(gateways.address, viewer.page["viewer_token"]) as page:
        await page.hears("hello")
        assert (await owner.call("PATCH", show, off))["viewers_shown"] is False
        while (await page.hears("show.changed"))["data"]["viewers_shown"]:
            pass
    await gateways.stop_all()
    # It is never absent: null changes nothing.
    await owner.call("PATCH", show, {"viewers_shown": None})
    assert (await market.viewer()).page["show"]["viewers_shown"] is False
    planned = await owner.call("POST", "/api/v1/shows", {"title": "Next"} | off, ok=201)
    assert (await owner.call("GET", f"/api/v1/shows/{planned['id']}"))["show"]["viewers_shown"] is False
