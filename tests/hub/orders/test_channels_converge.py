"""Any shuffle and repetition of what a shop tells of an order ends in the same order and the same stock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from sqlmodel import col, select

from connectors import types as platform
from connectors.types import Money, OrderRefund, RefundLine
from hub.orders.models import Order, OrderLine
from tests.hub.market import SKU, Market, Trade

BEGAN = datetime(2036, 11, 24, 19, 0, tzinfo=UTC)
"""After the account was linked."""
PRICE = 4900


@dataclass
class History:
    """An order as a shop changes it, and a copy of it for each change; `orders` repeats and shuffles them."""

    lines: dict[str, int]
    restocked: dict[str, int] = field(default_factory=dict)
    refunds: list[OrderRefund] = field(default_factory=list)
    state: str = "pending"
    second: int = 0
    told: list[platform.Order] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Everything that was ever bought and not edited out."""
        return sum(PRICE * quantity for quantity in self.lines.values()) + 590

    @property
    def refunded(self) -> int:
        return sum(one.amount.amount for one in self.refunds)

    def returned(self, line: str) -> int:
        return sum(one.quantity for refund in self.refunds for one in refund.lines if one.line_id == line)

    def kept(self) -> dict[str, int]:
        """What the stock must have given: worked out here, apart from the code under test."""
        if self.state == "cancelled":
            away = [one for refund in self.refunds for one in refund.lines if one.restocked is False]
            return {line: sum(one.quantity for one in away if one.line_id == line) for line in self.lines}
        return {line: n - self.restocked.get(line, 0) for line, n in self.lines.items()}

    def tell(self, order_id: str) -> None:
        """One more version of it."""
        eur = "EUR"
        lines = tuple(
            platform.OrderLine(
                id=line,
                sku=SKU,
                title="Bag",
                quantity=quantity,
                restocked=self.restocked.get(line, 0),
                unit_price=Money(amount=PRICE, currency=eur),
            )
            for line, quantity in self.lines.items()
            if quantity
        )
        self.told.append(
            platform.Order(
                id=order_id,
                number=order_id,
                state=self.state,
                placed_at=BEGAN,
                updated_at=BEGAN + timedelta(seconds=self.second),
                total=Money(amount=self.total, currency=eur),
                shipping=Money(amount=590, currency=eur),
                refunded=Money(amount=self.refunded, currency=eur),
                refunds=tuple(self.refunds),
                lines=lines,
            )
        )


@st.composite
def histories(draw: DrawFn) -> tuple[History, list[int]]:
    """Payments, edits up and down, refunds with and without goods, and an end; several in one second."""
    order_id = f"x{draw(st.integers(0, 2**40))}"
    made = History({"a": draw(st.integers(1, 4))})
    made.tell(order_id)
    for step in range(draw(st.integers(1, 7))):
        made.second += draw(st.integers(0, 1))
        line = draw(st.sampled_from([*made.lines]))
        left = made.lines[line] - made.returned(line)
        match draw(st.sampled_from(["pay", "more", "fewer", "add", "refund", "money", "end"])):
            case "pay":
                made.state = "paid"
            case "more":
                made.lines[line] += draw(st.integers(1, 3))
            case "fewer" if left > 0:
                made.lines[line] -= draw(st.integers(1, left))
            case "add":
                made.lines[f"n{step}"] = draw(st.integers(1, 3))
            case "refund" if left > 0 and made.state == "paid":
                pieces, back = draw(st.integers(1, left)), draw(st.sampled_from([True, False, None]))
                part = RefundLine(line_id=line, quantity=pieces, restocked=back)
                money = Money(amount=PRICE * pieces, currency="EUR")
                at = BEGAN + timedelta(seconds=made.second)
                made.refunds.append(OrderRefund(id=f"r{step}", at=at, amount=money, lines=(part,)))
                made.restocked[line] = made.restocked.get(line, 0) + (pieces if back else 0)
            case "money" if made.state == "paid" and made.refunded + 100 <= made.total:
                money = Money(amount=100, currency="EUR")
                made.refunds.append(OrderRefund(id=f"m{step}", at=BEGAN, amount=money))
            case "end":
                made.state = "cancelled"
        made.tell(order_id)
        if made.state == "cancelled":
            break
    places = st.integers(0, len(made.told) - 1)
    deliveries = draw(st.permutations(range(len(made.told)))) + draw(st.lists(places, max_size=5))
    return made, deliveries


async def deliver(market: Market, row: Any, history: History, deliveries: list[int]) -> None:
    """As webhooks bring it; where it cannot be told which of two is newer, the shop is asked."""
    truth = history.told[-1]
    for place in [*deliveries, None]:
        found = truth if place is None else history.told[place]
        async with market.hub.db.session() as session:
            verdict = await market.hub.orders.apply(session, row, found, read=place is None)
        if verdict == "unsure":
            async with market.hub.db.session() as session:
                assert await market.hub.orders.apply(session, row, truth, read=True) != "unsure"


async def check(market: Market, row: Any, history: History, deliveries: list[int]) -> None:
    before = await market.shop.stock()
    await deliver(market, row, history, deliveries)
    truth = history.told[-1]
    async with market.hub.db.session() as session:
        query = select(Order).where(col(Order.external_id) == truth.id).order_by(col(Order.id).desc())
        order = (await session.exec(query)).first()
        assert order is not None
        lines = (await session.exec(select(OrderLine).where(col(OrderLine.order_id) == order.id))).all()
    states = {"pending": "reserved", "paid": "paid", "cancelled": "cancelled"}
    assert order.state == states[history.state]
    # To the cent, whatever came first.
    assert (order.total_minor, order.refunded_minor) == (history.total, history.refunded)
    assert order.subtotal_minor + order.shipping_minor == order.total_minor
    kept = {line: n for line, n in history.kept().items() if n}
    assert {line.external_line_id: line.taken for line in lines if line.taken} == kept
    after = await market.shop.stock()
    assert after[2] - before[2] == sum(kept.values())
    # The next one is another order, and begins with the stock as it is.
    await market.sql("UPDATE orders SET external_id = external_id || id WHERE id = :id", id=order.id)


async def test_any_shuffle_of_an_orders_news_ends_in_the_same_order_and_stock(trade: Trade) -> None:
    market = await trade("shopify", units=100_000)
    row = await market.connection("shopify")
    loop = asyncio.get_running_loop()

    @settings(max_examples=40, deadline=None)
    @given(histories())
    def converges(drawn: tuple[History, list[int]]) -> None:
        history, deliveries = drawn
        asyncio.run_coroutine_threadsafe(check(market, row, history, deliveries), loop).result(60)

    await asyncio.to_thread(converges)
    await market.shop.check_ledger()
