"""Money is conserved to the cent whatever happens to it, in whatever order, told however often."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID, uuid4

from hub.errors import Conflict
from tests.hub.market import Market, Trade

CARDS = ("pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail", "pm_card_createDispute")
FAULTS = ("lose", "duplicate_webhook", "lost_webhook", "reorder_webhooks", "stale_webhook")


async def conserved(market: Market) -> None:
    """Our books against the gateway's, as far as they must agree at any moment."""
    rows = await market.sql(
        """
        SELECT payment.*, orders.captured_minor AS order_captured, orders.refunded_minor AS order_refunded,
               (SELECT coalesce(sum(amount_minor), 0) FROM refund
                WHERE payment_id = payment.id AND state <> 'failed') AS asked,
               (SELECT coalesce(sum(amount_minor), 0) FROM refund
                WHERE payment_id = payment.id AND state = 'done') AS done
        FROM payment JOIN orders ON orders.id = order_id
        """
    )
    theirs = {one["ref"]: one for one in await market.intents()}
    for row in rows:
        assert 0 <= row["refunded_minor"] <= row["captured_minor"] <= row["amount_minor"]
        assert row["asked"] == row["refunded_minor"]
        assert row["done"] == row["order_refunded"]
        assert row["order_captured"] == row["captured_minor"]
        real = theirs.get(row["ref"])
        if real:
            assert real["captures"] <= 1
            assert real["refunded"] <= real["captured"]


SEED = 7


async def test_a_walk_of_refunds_failures_and_odd_news_conserves_money(trade: Trade) -> None:
    luck = random.Random(SEED)
    market = await trade("stripe", units=6)
    stripe = market.fakes["stripe"]
    orders: list[UUID] = []
    for _ in range(3):
        buyer = await market.viewer()
        order = await buyer.order(await buyer.hold(), luck.choice(CARDS))
        orders.append(UUID(order["order_id"]))
    await market.work()

    async def give_back() -> None:
        async with market.hub.db.session() as session:
            amount, order = luck.randrange(1, 3000), luck.choice(orders)
            await market.hub.payments.refund(session, order, amount, "Damaged", None, uuid4().hex)

    async def settle() -> None:
        ref = luck.choice([one["ref"] for one in await market.intents()])
        what = luck.choice(["refund", "refund_failed"])
        await stripe.http.call("POST", "_ctl/settle", {"ref": ref, "what": what}, ok=(200, 400))

    async def trouble() -> None:
        await stripe.control("fault", {"kind": luck.choice(FAULTS), "count": luck.randrange(1, 3)})

    async def news() -> None:
        await stripe.control("release", {})
        await market.arrived("stripe")

    for _ in range(14):
        do: Any = luck.choice([give_back, give_back, settle, trouble, news, market.work])
        attempts = [do(), *([give_back()] if luck.random() < 0.3 else [])]
        done = await asyncio.gather(*attempts, return_exceptions=True)
        assert [one for one in done if isinstance(one, BaseException) and not isinstance(one, Conflict)] == []
        await conserved(market)
    await stripe.control("fault", {"kind": "clear"})
    await news()
    for _ in range(4):
        await market.later()
    await conserved(market)
    taken = sum(one["captured"] for one in await market.intents())
    assert taken == sum(
        row["captured_minor"] for row in await market.sql("SELECT captured_minor FROM payment")
    )
    # Nothing waits for ever but what the bank has not decided.
    assert set(await market.states("refund")) <= {"done", "failed", "sent"}
    undecided = await market.sql("SELECT 1 FROM refund WHERE state = 'sent' AND ref IS NULL")
    assert undecided == []
