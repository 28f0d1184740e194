"""hypothesis plays a whole evening: holds, offers, orders, payments and refunds together, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.book import Opened
from hub.aftersale.book import opened as book_of
from hub.aftersale.money import RefundWish
from hub.aftersale.refunds import Why
from hub.aftersale.returns import Arrived, Asked, lines_of
from hub.errors import HubError
from hub.orders.checkout import Wanted
from hub.payments.out import PaymentChoice
from hub.stock.reserve import Taken, Wish
from tests.hub.orders.evening import (
    AUTHOR,
    BUY_REFUSALS,
    CANCEL_REFUSALS,
    CARDS,
    DAY,
    HOLD_REFUSALS,
    HOME,
    MONEY_REFUSALS,
    RETURN_REFUSALS,
    TROUBLES,
    Evening,
    House,
    fresh,
    housed,
    net_prices,
)
from tests.hub.orders.evening import opened as evening_of
from tests.hub.orders.evening_books import right, settled

T = TypeVar("T")
PATIENCE: Final = 14
"""Rounds of ten minutes in which everything must come to its end."""
PICK: Final = st.integers(0, 1000)
WHO: Final = st.integers(0, 5)


class Selling(RuleBasedStateMachine):
    """Buyers, staff, banks, the gateway's news and the clock, each whenever it likes."""

    house: House
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.evening: Evening = self.do(evening_of(self.house))
        self.hub = self.house.hub
        self.holds: list[tuple[str, Taken]] = []
        self.orders: dict[UUID, str] = {}

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def may(self, refusals: Collection[str], work: Coroutine[Any, Any, T]) -> T | None:
        """None when it was refused for one of these reasons; any other is a bug."""
        try:
            return self.do(work)
        except HubError as refusal:
            assert refusal.code in refusals, f"{refusal.code}: {refusal.detail}"  # noqa: PT017
            return None

    def act(self, refusals: Collection[str], verb: Callable[[AsyncSession], Awaitable[T]]) -> T | None:
        """One request: its own transaction."""
        return self.may(refusals, self.request(verb))

    async def request(self, verb: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self.hub.db.session() as session:
            return await verb(session)

    def order_of(self, pick: int) -> UUID:
        return [*self.orders][pick % len(self.orders)]

    async def book(self, session: AsyncSession, order_id: UUID) -> Opened:
        return await book_of(session, self.evening.brand, order_id)

    def wish(self, who: int, what: str, quantity: int) -> Wish:
        evening, shop = self.evening, self.evening.market.shop
        variant, offer = {
            "bag": (shop.variant_id, None),
            "scarf": (evening.scarf, None),
            "box": (evening.box, None),
            "pair": (shop.variant_id, evening.pair),
        }[what]
        viewer = f"viewer-{who}"
        return Wish(shop.brand_id, shop.show_id, viewer, variant, quantity, fresh(), offer_id=offer)

    @initialize(net=st.booleans(), cards=st.lists(st.sampled_from(CARDS), min_size=2, max_size=2))
    def begin(self, net: bool, cards: list[str]) -> None:
        if net:
            self.do(net_prices(self.evening))
        for who, (what, card) in enumerate(zip(("bag", "pair"), cards, strict=True)):
            self.hold(who, what, 2)
            self.buy(who, False, card, None, 0)
        self.jobs()

    @rule(who=WHO, what=st.sampled_from(["bag", "scarf", "box", "pair"]), quantity=st.integers(1, 3))
    def hold(self, who: int, what: str, quantity: int) -> None:
        wish = self.wish(who, what, quantity)
        taken = self.may(HOLD_REFUSALS, self.hub.reservations.take(wish))
        if taken:
            sums = sum(one.unit_minor * one.quantity for one in taken.holds)
            assert sums == taken.unit_minor * taken.quantity
            self.holds.append((wish.viewer_id, taken))

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        if self.holds:
            name, taken = self.holds.pop(pick % len(self.holds))
            viewer = self.evening.market.shop.viewer(name)
            self.act((), lambda session: self.hub.checkout.release(session, viewer, taken.hold_id))

    @rule(
        pick=PICK,
        whole=st.booleans(),
        card=st.sampled_from(CARDS),
        code=st.sampled_from([None, "SEVEN", "GIFT"]),
        way=st.integers(0, 1),
    )
    def buy(self, pick: int, whole: bool, card: str, code: str | None, way: int) -> None:
        """One reservation, or all of its buyer's."""
        if not self.holds:
            return
        name, taken = self.holds[pick % len(self.holds)]
        mine = [one.hold_id for who, one in self.holds if who == name and (whole or one is taken)]
        wanted = Wanted(
            hold_ids=mine,
            name="Ana Ek",
            email=f"{name}@example.com",
            payment=PaymentChoice(source=card),
            address=HOME,
            shipping_method_id=self.evening.ways[way],
            code=code,
            key=fresh(),
        )
        viewer = self.evening.market.shop.viewer(name)
        order = self.act(BUY_REFUSALS, lambda session: self.hub.checkout.place(session, viewer, wanted))
        if order:
            again = self.act((), lambda session: self.hub.checkout.place(session, viewer, wanted))
            assert again
            assert again.id == order.id
            self.orders[order.id] = name
            self.holds = [one for one in self.holds if one[1].hold_id not in mine]

    @rule(pick=PICK, card=st.sampled_from(CARDS))
    def pay_again(self, pick: int, card: str) -> None:
        if self.orders:
            order_id, choice = self.order_of(pick), PaymentChoice(source=card)
            viewer = self.evening.market.shop.viewer(self.orders[order_id])
            self.act(
                BUY_REFUSALS,
                lambda session: self.hub.checkout.pay_again(session, viewer, order_id, choice),
            )

    @rule(pick=PICK, ok=st.booleans(), page=st.booleans())
    def bank(self, pick: int, ok: bool, page: bool) -> None:
        """The buyer answers their bank; the page may be closed before it can tell us."""
        asked = [one for one in self.do(self.evening.market.intents()) if one["state"] == "requires_action"]
        if asked:
            intent = asked[pick % len(asked)]
            self.do(self.evening.act(intent["ref"], ok=ok))
            if page:
                order_id = UUID(intent["order_id"])
                self.act((), lambda session: self.hub.payments.confirm(session, order_id, {}))

    @rule()
    def jobs(self) -> None:
        self.do(self.evening.market.work())

    @rule()
    def jobs_again(self) -> None:
        """However long they wanted to wait."""
        self.do(self.evening.market.later())

    @rule(seconds=st.sampled_from([0, 1, 45, 91, 301, 700, DAY + 3600]))
    def wait(self, seconds: int) -> None:
        self.do(self.evening.pass_time(seconds))

    @rule(pick=PICK, seconds=st.sampled_from([0, 91, 700]))
    def all_at_once(self, pick: int, seconds: int) -> None:
        """The clock, the gateway's news, the jobs and a buyer who cancels meet: one of them is first."""
        cancel = self.cancelled(self.order_of(pick), None) if self.orders else self.evening.market.work()
        self.do(self.meet(self.evening.pass_time(seconds), self.evening.deliver_all(), cancel))

    async def meet(self, *works: Coroutine[Any, Any, Any]) -> None:
        met = await asyncio.gather(*works, self.evening.market.later(), return_exceptions=True)
        for one in met:
            if isinstance(one, BaseException) and getattr(one, "code", "") not in CANCEL_REFUSALS:
                raise one

    @rule(fault=st.sampled_from(TROUBLES))
    def trouble(self, fault: dict[str, Any]) -> None:
        self.do(self.evening.trouble(**fault))

    @rule(pick=PICK, copies=st.integers(1, 2), late=st.booleans())
    def news(self, pick: int, copies: int, late: bool) -> None:
        """Any word of the gateway, told before or not; or the next one."""
        told, written = self.evening.told, self.do(self.evening.news())
        waiting = [n for n in range(len(written)) if n not in told]
        which = [*range(len(written))] if late or not waiting else waiting[:1]
        if which:
            n = which[pick % len(which)]
            self.do(self.evening.deliver(written[n], copies))
            told.add(n)

    @rule()
    def all_news(self) -> None:
        self.do(self.evening.deliver_all())
        self.jobs()

    @rule(pick=PICK)
    def word_is_lost(self, pick: int) -> None:
        """Of a payment: what became of it is found out all the same. Of refunds only their own words tell."""
        written = self.do(self.evening.news())
        waiting = [
            n
            for n, one in enumerate(written)
            if n not in self.evening.told and one["type"].startswith(("payment_intent.", "charge."))
        ]
        if waiting:
            self.evening.told.add(waiting[pick % len(waiting)])

    @rule(
        pick=PICK,
        pieces=st.integers(0, 2),
        amount=st.integers(0, 2500),
        everything=st.booleans(),
        restock=st.booleans(),
    )
    def refund(self, pick: int, pieces: int, amount: int, everything: bool, restock: bool) -> None:
        """By staff; twice with one key is once."""
        if not self.orders:
            return
        order_id, why = self.order_of(pick), Why(fresh(), "Damaged", AUTHOR)

        async def give(session: AsyncSession) -> UUID:
            book = await self.book(session, order_id)
            line = book.lines[pick % len(book.lines)]
            wish = RefundWish({line.id: pieces} if pieces else {}, 0, amount, everything)
            refunds = self.hub.aftersale.refunds
            return (await refunds.give(session, book, wish, why, restock=restock)).id

        refund_id = self.act(MONEY_REFUSALS, give)
        if refund_id:
            assert self.act((), give) == refund_id

    @rule(pick=PICK, author=st.sampled_from([None, AUTHOR]))
    def cancel(self, pick: int, author: str | None) -> None:
        if self.orders:
            order_id = self.order_of(pick)
            state: str | None = self.may(CANCEL_REFUSALS, self.cancelled(order_id, author))
            assert state is None or self.do(self.cancelled(order_id, author)) == state == "cancelled"

    async def cancelled(self, order_id: UUID, author: str | None) -> str:
        async with self.hub.db.session() as session:
            book, why = await self.book(session, order_id), Why("cancel", "", author)
            return (await self.hub.aftersale.buyers.cancel(session, book, why)).state

    @rule(pick=PICK, pieces=st.integers(1, 2), kind=st.sampled_from(["return", "withdrawal"]))
    def ask_return(self, pick: int, pieces: int, kind: str) -> None:
        if not self.orders:
            return
        order_id, why = self.order_of(pick), Why(fresh(), "Too red", None)

        async def ask(session: AsyncSession) -> None:
            book = await self.book(session, order_id)
            lines, buyers = {book.lines[pick % len(book.lines)].id: pieces}, self.hub.aftersale.buyers
            if kind == "withdrawal":
                await buyers.withdraw(session, book, ("Ana Ek", "ana@example.com"), lines, why)
            else:
                await buyers.return_some(session, book, Asked("return", why, lines))

        self.act(RETURN_REFUSALS, ask)

    @rule(
        pick=PICK,
        step=st.sampled_from(["approve", "receive", "receive", "refund", "reject", "close"]),
        pieces=st.integers(0, 2),
        restock=st.booleans(),
    )
    def handle_return(self, pick: int, step: str, pieces: int, restock: bool) -> None:
        query = "SELECT id FROM return_request WHERE brand_id = :brand ORDER BY id"
        asked = self.do(self.evening.sql(query))
        if not asked:
            return
        return_id, why = asked[pick % len(asked)]["id"], Why(fresh(), "Looked at", AUTHOR)

        async def handle(session: AsyncSession) -> None:
            returns = self.hub.aftersale.returns
            request, book = await returns.open(session, self.evening.brand, return_id)
            if step == "receive":
                rows = await lines_of(session, request)
                came = {row.id: Arrived(min(pieces, row.quantity), restock) for row in rows}
                await returns.receive(session, request, book, came, why)
            elif step == "refund":
                await returns.refund(session, request, book, why)
            else:
                await returns.decide(session, request, book, step, why)

        self.act(RETURN_REFUSALS | MONEY_REFUSALS, handle)

    @rule(on_hand=st.integers(0, 20), bag=st.booleans())
    def count(self, on_hand: int, bag: bool) -> None:
        evening = self.evening
        variant = evening.market.shop.variant_id if bag else evening.scarf
        query = "SELECT version FROM stock WHERE variant_id = :id"
        [row] = self.do(evening.sql(query, id=variant))
        wanted, why = (on_hand, row["version"]), (AUTHOR, "counted")
        self.act(
            ("promised",),
            lambda session: self.hub.stock.adjust(session, evening.brand, variant, wanted, why),
        )

    @rule(pick=PICK, failed=st.booleans())
    def bank_decides(self, pick: int, failed: bool) -> None:
        """Of a refund, long after it was asked."""
        given = [one["ref"] for one in self.do(self.evening.market.intents()) if one["refunded"]]
        if given:
            self.do(self.evening.decide(given[pick % len(given)], failed=failed))

    @rule(pick=PICK)
    def promise_runs_out(self, pick: int) -> None:
        """Money that was held and not taken in time is the buyer's again."""
        held = [
            one["ref"] for one in self.do(self.evening.market.intents()) if one["state"] == "requires_capture"
        ]
        if held:
            body = {"ref": held[pick % len(held)], "what": "expire"}
            self.do(self.house.standing.control("settle", body))

    @invariant()
    def books_are_right(self) -> None:
        self.do(right(self.evening))

    def teardown(self) -> None:
        self.do(self.to_the_end())

    async def to_the_end(self) -> None:
        """Everything is told, done and decided; then every sum must be exact."""
        evening = self.evening
        await evening.trouble(kind="clear")
        for _ in range(PATIENCE):
            await evening.deliver_all()
            await evening.market.later()
            if await evening.quiet():
                break
            await evening.pass_time(601)
        for intent in await evening.market.intents():
            if intent["refunded"]:
                await evening.decide(intent["ref"], failed=False)
        await evening.deliver_all()
        await evening.market.later()
        await evening.pass_time(0)
        await settled(evening)
        await evening.close()


def evenings(url: str, nats_url: str, data: Path, examples: int, steps: int) -> None:
    """So many of them in one house, on an empty database."""
    with asyncio.Runner() as runner:
        opened = housed(url, nats_url, data)
        house = runner.run(opened.__aenter__())
        try:
            run_state_machine_as_test(
                type("Evenings", (Selling,), {"house": house, "runner": runner}),
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opened.__aexit__(None, None, None))


def test_any_evening_keeps_stock_offers_and_money_to_the_cent(
    database_url_sync: str, nats_url: str, tmp_path: Path
) -> None:
    """A hundred longer ones are played in tests/soak."""
    evenings(database_url_sync, nats_url, tmp_path, examples=3, steps=15)
