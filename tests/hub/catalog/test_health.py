"""Products that a platform shows to nobody, by its own rules: found, told to staff, and over when it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hub.catalog.conftest import Desk
from tests.hub.market import Trade

BAG = {"sku": "BAG-RED", "title": "Red bag", "price_minor": 4900, "currency": "EUR", "quantity": 50}
KNIFE = BAG | {"sku": "KNIFE", "title": "Knife"}
REJECTED = {"review_status": "rejected", "review_rejection_reasons": ["WEAPONS"]}


@pytest.fixture
async def desk(trade: Trade) -> Desk:
    """A brand with a Meta catalogue, whose bag is told our stock."""
    market = await trade("meta_catalog", units=50)
    return Desk(market, await market.owner())


async def told(desk: Desk) -> tuple[int, str | None]:
    """What staff read of it: how many are hidden in the shop's report, and why this one is."""
    [shop] = await desk.call("GET", "/shops")
    [listing] = (await desk.call("GET", "/listings"))["listings"]
    return shop["hidden"], listing["hidden"]


async def test_a_product_that_meta_hides_after_the_sale_began_is_told_until_it_is_shown_again(
    desk: Desk,
) -> None:
    meta, market = desk.market.fakes["meta_catalog"], desk.market

    async def judged(**said: Any) -> tuple[int, str | None]:
        await meta.control("judge", {"sku": "BAG-RED", "said": said})
        # The clockwork's look at what the shops believe, a while after it was told anything.
        market.clock.tick(60)
        await market.hub.drifts.look(market.connections["meta_catalog"])
        return await told(desk)

    await meta.control("catalog", {"items": [BAG, KNIFE]})
    await meta.control("judge", {"sku": "KNIFE", "said": REJECTED})
    # What nobody sees there is not put on sale here by itself; a person may still match it.
    assert (await desk.sync("meta_catalog"))["counts"] == {"kept": 1, "unmatched": 1}
    [stray] = (await desk.call("GET", "/listings"))["unmatched"]
    assert (stray["their_sku"], stray["hidden"][:41]) == (
        "KNIFE",
        "Meta's review rejected it (weapons), so s",
    )
    await market.hub.pushes.find_behind()
    await market.work()
    assert await told(desk) == (0, None)
    count, why = await judged(**REJECTED)
    assert (count, why and "request another review" in why) == (1, True)
    # Its stock is told as before, and reading the catalogue says the same.
    await desk.sync("meta_catalog")
    assert (await told(desk), (await meta.state())["stock"]["BAG-RED"]) == ((count, why), 50)
    assert await judged(visibility="staging") == (
        1,
        "It is not published in Meta's catalogue. Make it visible in the Commerce Manager.",
    )
    assert await judged() == (0, None)
