"""The nastiest of TikTok Shop: stock that sells while it is written, lists that move while they are read.

The others of the reference's ten are in `test_tiktok_shop.py` and, about webhooks, in `tests/hub/orders`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import Refused, RetryLater
from connectors.tiktok_shop import CONNECTOR
from connectors.tiktok_shop.api import Api, classify
from connectors.tiktok_shop.catalog import TikTokShopCatalog
from connectors.tiktok_shop.fake import Fake
from connectors.tiktok_shop.order_source import TikTokShopCancellations, TikTokShopOrders, asked
from connectors.tiktok_shop.stock import TikTokShopStock
from connectors.types import Listing, Stock
from tests.connectors.conftest import Clock, Rig, reaching

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 100


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=4)) as made:
        yield made


async def shelf(rig: Rig, **items: int | dict[str, int]) -> None:
    """SKU = how many, or all that is to be said of its stock."""
    given = [
        {"sku": sku, "title": sku, "price_minor": 900, "currency": "EUR"}
        | (held if isinstance(held, dict) else {"quantity": held})
        for sku, held in items.items()
    ]
    await rig.ctl("catalog", items=given)


async def buy(rig: Rig, sku: str, **more: Any) -> str:
    body = {"sku": sku, "quantity": 1, "email": "ann@example.com", "name": "Ann", **more}
    return str((await rig.ctl("order", **body))["order_id"])


async def listing(rig: Rig, sku: str) -> Listing:
    found = {one.listing.sku: one.listing async for one in TikTokShopCatalog(rig.session).products()}
    return found[sku]


async def held(rig: Rig, where: Listing) -> int | None:
    [level] = await TikTokShopStock(rig.session).levels([where])
    return level.quantity


async def write(rig: Rig, where: Listing, quantity: int) -> None:
    wanted = Stock(listing=where, quantity=quantity, version=1)
    await TikTokShopStock(rig.session).set_stock(wanted, key="k")


def test_4_a_cancellation_is_withdrawn_in_either_spelling_and_a_new_word_is_none() -> None:
    for status, stands in (
        ("CANCELLATION_REQUEST_PENDING", True),
        ("CANCELLATION_REQUEST_COMPLETE", True),
        ("CANCELLATION_REQUEST_CANCEL", False),
        ("CANCELLATION_REQUEST_CANCELLED", False),
        ("SOMETHING_NEW", True),
    ):
        # Numbers as well as texts.
        said = {"order_id": 577000000000001000, "role": "SELLER", "cancel_status": status}
        assert asked(said, "577000000000001000") is stands


def test_6_a_limit_that_names_no_time_is_given_one() -> None:
    body = b'{"code":36009002,"message":"Too many requests","request_id":"1","data":null}'
    for status in (429, 200):
        error = classify(status, {}, body)
        assert isinstance(error, RetryLater)
        assert error.after == 30


async def test_9_a_sale_that_a_write_undid_is_seen_in_the_number_and_in_the_order(rig: Rig) -> None:
    await shelf(rig, BAG=2)
    bag, began = await listing(rig, "BAG"), datetime.now(UTC) - timedelta(seconds=1)
    sold = await buy(rig, "BAG")
    # We did not know: TikTok compares nothing, and offers again what is sold.
    await write(rig, bag, 2)
    assert await held(rig, bag) == 2
    # The order tells, whatever the number says; our next number is less it.
    assert [one.id async for one in TikTokShopOrders(rig.session).orders(began)] == [sold]
    await write(rig, bag, 1)
    assert await held(rig, bag) == 1


async def test_9_what_a_campaign_keeps_for_itself_is_no_drift_and_every_warehouse_is_named(rig: Rig) -> None:
    await shelf(rig, BAG={"quantity": 9, "campaign": 4})
    bag = await listing(rig, "BAG")
    await write(rig, bag, 8)
    assert await held(rig, bag) == 8
    await shelf(rig, BAG={"quantity": 8, "elsewhere": 5})
    await write(rig, bag, 3)
    levels = {"7100000000000000001": 3, "7100000000000000002": 5}
    assert (await rig.state())["levels"]["BAG"] == levels


async def test_10_no_order_is_passed_over_when_others_change_while_the_list_is_read(
    rig: Rig, clock: Clock
) -> None:
    await shelf(rig, BAG=500)
    bought = [await buy(rig, "BAG", at=1_790_000_000 + n // 3) for n in range(2 * PAGE + 30)]
    source = TikTokShopOrders(rig.session, Api(rig.session, sleep=clock.sleep))
    await rig.ctl("fault", kind="moves", count=2)
    # The tokens are of no use either: they ran out while a page was worked on.
    await rig.ctl("fault", kind="page_token", count=9)
    found = [one.id async for one in source.orders(LONG_AGO)]
    assert set(found) == set(bought)
    # Those that changed are told again, as they are now; the others once.
    assert len(found) == len(bought) + 2


async def test_10_more_orders_of_one_second_than_a_page_holds_are_all_read_or_read_again(
    rig: Rig, clock: Clock
) -> None:
    await shelf(rig, BAG=500)
    bought = [await buy(rig, "BAG", at=1_790_000_000) for _ in range(2 * PAGE + 10)]
    source = TikTokShopOrders(rig.session, Api(rig.session, sleep=clock.sleep))
    assert [one.id async for one in source.orders(LONG_AGO)] == bought
    await rig.ctl("fault", kind="page_token")
    with pytest.raises(RetryLater, match="read again"):
        [one.id async for one in source.orders(LONG_AGO)]
    assert [one.id async for one in source.orders(LONG_AGO)] == bought


async def test_10_a_masked_buyer_is_nobody_until_tiktok_shows_them(rig: Rig) -> None:
    await shelf(rig, BAG=5)
    order_id = await buy(rig, "BAG", status="UNPAID", name="J** D**", relay=True)
    source = TikTokShopOrders(rig.session)
    seen = []
    for status in ("UNPAID", "AWAITING_SHIPMENT"):
        await rig.ctl("move", order_id=order_id, status=status)
        order = await source.order(order_id)
        assert order is not None
        seen.append((order.buyer.name, order.buyer.phone, order.buyer.proxy_email))
    assert seen == [(None, None, True), (None, None, True)]
    shown = await source.order(await buy(rig, "BAG", name="Ann Example"))
    assert shown is not None
    assert shown.buyer.name == "Ann Example"


async def test_10_an_order_whose_label_is_bought_is_not_cancelled_any_more(rig: Rig) -> None:
    await shelf(rig, BAG=5)
    order_id = await buy(rig, "BAG")
    await rig.ctl("move", order_id=order_id, status="AWAITING_COLLECTION")
    with pytest.raises(Refused):
        await TikTokShopCancellations(rig.session).cancel(order_id, key="c")
