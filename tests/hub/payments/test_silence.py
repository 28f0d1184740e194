"""What nobody answers or tells: refunds and voids whose answer is lost, and webhooks that stop."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from connectors.errors import RetryLater
from connectors.types import Money, RefundResult
from hub.payments.models import Payment
from tests.hub.market import Market, Trade, post
from tests.hub.payments.till import bought, paid, refund, row, stripe


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=6)


@pytest.mark.parametrize("trouble", [{"kind": "lose"}, {"kind": "status", "status": 500}])
async def test_two_equal_refunds_without_an_answer_are_not_taken_for_each_other(
    market: Market, trouble: dict[str, Any]
) -> None:
    """Whether the first one happened or not, its key is forgotten when it is asked about."""
    _, order = await paid(market)
    first, second = [(await refund(market, order, 1000)).id for _ in range(2)]
    send = market.hub.payments.refunds.send
    await stripe(market, "fault", **trouble)
    for one in (first, second, second):
        with pytest.raises(RetryLater):
            await send(one)
    await stripe(market, "fault", kind="forget_keys")
    market.clock.tick(21 * 3600)
    await send(first)
    assert [intent["refunded"] for intent in await market.intents()] == [1000]
    for one in (second, first, second):
        await send(one)
    assert [intent["refunded"] for intent in await market.intents()] == [2000]
    assert await market.states("refund") == {"done": 2}
    # What the gateway calls the one that was found by its sum is told late, and twice: it is no third one.
    for _ in range(2 if trouble["kind"] == "lose" else 0):
        async with market.hub.db.session() as session:
            payment = (await session.exec(select(Payment).with_for_update())).one()
            told = RefundResult(
                ref="re_late",
                payment_ref=payment.ref or "",
                state="done",
                amount=Money(amount=1000, currency="EUR"),
            )
            await market.hub.payments.refunds.heard(session, payment, told)
    assert await market.states("refund") == {"done": 2}
    assert (await row(market))["refunded_minor"] == 2000


@pytest.mark.parametrize("forgotten", [False, True], ids=["key known", "key forgotten"])
@pytest.mark.parametrize("told", ["at once", "last"])
async def test_one_of_the_same_amount_made_by_hand_is_told_from_ours(
    market: Market, forgotten: bool, told: str
) -> None:
    """While nobody knows what became of ours. It happens once at most, and both books end the same."""
    for amount, happened in ((1000, True), (1000, False), (4900, False)):
        _, order = await paid(market)
        await market.arrived("stripe")
        ours = (await refund(market, order, amount)).id
        await market.sql("DELETE FROM procrastinate_jobs WHERE task_name = 'payment.refund'")
        send = market.hub.payments.refunds.send
        await stripe(market, "fault", kind="lost_webhook", count=2)
        await stripe(market, "fault", **({"kind": "lose"} if happened else {"kind": "status", "status": 500}))
        with pytest.raises(RetryLater):
            await send(ours)
        await stripe(market, "fault", kind="clear")
        if told == "last":
            await stripe(market, "fault", kind="stale_webhook", count=2)
        await by_hand(market, amount)
        await market.arrived("stripe")
        if forgotten:
            await stripe(market, "fault", kind="forget_keys")
            market.clock.tick(21 * 3600)
        with contextlib.suppress(RetryLater):
            await send(ours)
        # Signatures are of the real time.
        market.clock.ahead = timedelta()
        await stripe(market, "release")
        await market.arrived("stripe")
        market.clock.tick(22 * 3600 if forgotten else 60)
        await send(ours)
        await market.later()
        market.clock.ahead = timedelta()
        gateway = (await market.intents())[-1]["refunded"]
        assert amount <= gateway <= 2 * amount
        assert (
            (await row(market))["refunded_minor"]
            == (await row(market, "orders"))["refunded_minor"]
            == gateway
        )
        known = await market.sql(
            "SELECT state, ref FROM refund WHERE payment_id = :id", id=(await row(market))["id"]
        )
        assert sum(one["state"] == "done" for one in known) == gateway // amount
        assert len({one["ref"] for one in known if one["state"] == "done"}) == gateway // amount


async def test_one_by_hand_that_was_taken_for_ours_counts_once_ours_is_named(market: Market) -> None:
    """Found by its sum, ours had no name: the first word of the same amount gave it one."""
    _, order = await paid(market)
    ours = (await refund(market, order, 1000, key="ours")).id
    await market.sql("DELETE FROM procrastinate_jobs WHERE task_name = 'payment.refund'")
    await stripe(market, "fault", kind="lost_webhook", count=2)
    await stripe(market, "fault", kind="lose")
    with pytest.raises(RetryLater):
        await market.hub.payments.refunds.send(ours)
    await stripe(market, "fault", kind="forget_keys")
    market.clock.tick(21 * 3600)
    await market.hub.payments.refunds.send(ours)
    for name, key in (("re_hand", ""), ("re_ours", "ours")) * 2:
        async with market.hub.db.session() as session:
            payment = (await session.exec(select(Payment).with_for_update())).one()
            amount = Money(amount=1000, currency="EUR")
            told = RefundResult(ref=name, payment_ref=payment.ref or "", state="done", amount=amount, key=key)
            await market.hub.payments.refunds.heard(session, payment, told)
    rows = await market.sql("SELECT ref, key = 'ours' AS ours, state FROM refund ORDER BY ref")
    assert [tuple(one.values()) for one in rows] == [("re_hand", False, "done"), ("re_ours", True, "done")]
    assert (await row(market))["refunded_minor"] == 2000


async def test_a_refund_an_older_version_sent_in_other_words_did_not_fail(market: Market) -> None:
    _, order = await paid(market)
    ours = (await refund(market, order, 1000, key="sent by an older one")).id
    await market.sql("DELETE FROM procrastinate_jobs WHERE task_name = 'payment.refund'")
    await stripe(market, "fault", kind="lost_webhook", count=2)
    await by_hand(market, 1000, {"Idempotency-Key": "sent by an older one"})
    await market.hub.payments.refunds.send(ours)
    assert await market.states("refund") == {"done": 1}
    assert (await row(market))["refunded_minor"] == (await market.intents())[-1]["refunded"] == 1000


async def by_hand(market: Market, amount: int, headers: dict[str, str] | None = None) -> None:
    """Somebody gives the newest buyer's money back on Stripe's own page."""
    form = f"payment_intent={(await market.intents())[-1]['ref']}&amount={amount}".encode()
    bearer = {"Authorization": f"Bearer {market.fakes['stripe'].config['secret_key']}"}
    answer = await post(f"{market.fakes['stripe'].base_url}v1/refunds", form, bearer | (headers or {}))
    assert answer.status_code == 200


async def test_a_void_that_is_killed_sends_nothing_that_was_never_sent(market: Market) -> None:
    buyer, order = await bought(market)
    payment, steps = (await row(market))["id"], market.hub.payments.steps
    await stripe(market, "fault", kind="status", status=429)
    with pytest.raises(RetryLater):
        await steps.authorise(payment)
    await market.sql("UPDATE payment SET due_at = :now", now=market.clock())
    await market.sweep()
    # What a void does first, and then it is killed.
    assert await steps._start(payment, ("voiding",), None)
    await market.later()
    assert await market.intents() == []
    assert (await buyer.status(order))["state"] == "expired"
    assert await market.shop.stock() == (6, 0, 0)


async def test_a_gateway_whose_webhooks_stopped_is_noticed_and_what_to_do_is_said(market: Market) -> None:
    async def alarms() -> list[str]:
        await market.hub.payments.sweep.look_after()
        async with market.hub.db.session() as session:
            found = await market.hub.alarms.of_brand(session, market.shop.brand_id)
        return [one.sentence for one in found]

    await paid(market)
    await market.arrived("stripe")
    market.clock.tick(3600)
    await stripe(market, "fault", kind="lost_webhook", count=99)
    for _ in range(2):
        await paid(market)
    # A webhook may be late; and of what was told before there is nothing to say.
    assert await alarms() == []
    market.clock.tick(301)
    [sentence] = await alarms()
    assert "no longer tells us of its payments" in sentence
    assert f"/webhooks/stripe/{market.connections['stripe']}, is switched on" in sentence
    await stripe(market, "fault", kind="clear")
    # Signatures are of the real time, and old ones are refused.
    market.clock.ahead = timedelta()
    await paid(market)
    await market.arrived("stripe")
    assert await alarms() == []
