"""Buying as a whole: how soon viewers see a hold, a rush of purchases from the click to the money, and what
goes with it: holds that end (`buys_ends`), risk (`buys_risk`), stock in other shops (`buys_shops`).

Real processes (api, gateway, work), a real PostgreSQL, and the fakes of Stripe and of three shops, which run
with the buyers in this process.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import TextClause, text

from hub.db import run as query
from tests.bench.buys_ends import BAR_MS as END_BAR_MS
from tests.bench.buys_ends import TOGETHER, Ends, ended
from tests.bench.buys_risk import BAR_MS as RISK_BAR_MS
from tests.bench.buys_risk import BUYS as PAST_BUYS
from tests.bench.buys_risk import ORDERS as PAST_ORDERS
from tests.bench.buys_risk import decided
from tests.bench.buys_shops import BAR_SECONDS as PUSH_BAR_SECONDS
from tests.bench.buys_shops import SHOPS, pushed
from tests.bench.buys_till import PATIENCE, UNITS, Till, open_till
from tests.bench.rows import Row, percentile, row
from tests.hub.gateway.screens import Screen, screen
from tests.hub.platforms import standing_fakes
from tests.hub.shop import open_shop
from tests.hub.stock.crowd import chat_of, comment

BUYS: Final = 500
SECONDS: Final = 5.0
SCREENS: Final = 20
SEEN_BAR_MS: Final = 250
HOLD_BAR_MS: Final = 300
CLAIMS: Final = 3000
CLAIM_SECONDS: Final = 3
BATCH: Final = 100
"""Comments that a chat tells at once, as polling does."""
OPEN: Final = text("SELECT count(*) FROM claim WHERE state = 'waiting'")
JUDGED: Final = text("SELECT state FROM claim WHERE show_id = :show ORDER BY said_at")
UNPAID: Final = text("SELECT count(*) FROM orders WHERE state <> 'paid'")


@dataclass
class Rush:
    """What the buyers were told. Times in milliseconds."""

    hold_ms: list[float] = field(default_factory=list)
    holds: dict[str, str] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    refused: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass
class Claims:
    """What became of claims by comment. `unjust`: held though somebody who was earlier got nothing."""

    lost: int
    unjust: int
    seconds: float


@dataclass
class Evening:
    """What was measured, one after another. Milliseconds, but `pushed`: seconds."""

    seen: list[float]
    rush: Rush
    claims: Claims
    ends: Ends
    decisions: list[float]
    unreasoned: int
    pushed: list[float]


def rows(*, quick: bool) -> list[Row]:
    """News of holds, the rush, claims; how holds end, what risk costs, when the shops know."""
    found = asyncio.run(measure(quick=quick))
    rush, claims = found.rush, found.claims
    comments = f"{CLAIMS // CLAIM_SECONDS:,} claims by comment a second, {CLAIM_SECONDS} s"
    case = f"{BUYS} buys in {SECONDS:.0f} s, click to money"
    screens = (f"{SCREENS} viewers' screens", "hold -> viewer's socket, p95")
    return [
        within(*screens, found.seen, SEEN_BAR_MS),
        within(case, "p95 of the hold's answer", rush.hold_ms, HOLD_BAR_MS),
        none(case, "lost", "buys", rush.lost + rush.refused),
        none(case, "doubled", "buys", rush.doubled),
        none(comments, "lost", "claims", claims.lost),
        none(comments, "out of order", "claims", claims.unjust),
        row(comments, "decided after the last one", "s", claims.seconds, {}, bar="-", ok=True),
        *ended_rows(found.ends),
        *risk_rows(found),
        within("a sale", "its stock in every other shop's books, p95", found.pushed, PUSH_BAR_SECONDS, "s"),
    ]


def ended_rows(ends: Ends) -> list[Row]:
    """A reservation that is over comes back within a second, and not before."""
    early = sum(late < 0 for late in (*ends.seen_ms, *ends.offered_ms, *ends.rush_ms))
    together = f"{TOGETHER:,} holds that end together"
    return [
        within("a hold that ends", "end -> viewer's socket, p95", ends.seen_ms, END_BAR_MS),
        within("a hold that ends", "end -> offer to who waits, p95", ends.offered_ms, END_BAR_MS),
        within(together, "end -> viewer's socket, p95", ends.rush_ms, END_BAR_MS),
        none("holds that end", "back before their end", "holds", early),
    ]


def risk_rows(found: Evening) -> list[Row]:
    """What a decision costs an order, in a shop with a past."""
    case = f"an order, {PAST_ORDERS:,} before it, {PAST_BUYS} in half a minute"
    return [
        within(case, "risk decision with its reasons, p95", found.decisions, RISK_BAR_MS),
        none(case, "without a reason", "orders", found.unreasoned),
    ]


def within(case: str, metric: str, values: list[float], bar: float, unit: str = "ms") -> Row:
    """The 95th percentile of them is no more than the bar."""
    value = percentile(values, 95)
    return row(case, metric, unit, value, {}, bar=f"<= {bar:g}", ok=value <= bar)


def none(case: str, metric: str, unit: str, count: int) -> Row:
    """There must be none."""
    return row(case, metric, unit, count, {}, bar="0", ok=count == 0)


async def measure(*, quick: bool) -> Evening:
    """All of it, with the same processes."""
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder:
        async with (
            standing_fakes("stripe", *SHOPS) as fakes,
            open_till(Path(folder), fakes) as till,
        ):
            seen = await watched(till, 30 if quick else 100)
            rush, claims = await rushed(till), await claimed(till)
            ends = await ended(till, 30)
            decisions, unreasoned = await decided(till.shop.hub, till.gateway, 100 if quick else 300)
            return Evening(seen, rush, claims, ends, decisions, unreasoned, await pushed(till, 30))


async def watched(till: Till, holds: int) -> list[float]:
    """Milliseconds from a click to the news of it, for every hold and screen."""
    async with AsyncExitStack() as stack:
        screens = [
            await stack.enter_async_context(screen(till.sockets, till.token())) for _ in range(SCREENS)
        ]
        for one in screens:
            await one.hears("hello")
        took: list[float] = []
        left = UNITS
        for _ in range(holds):
            token, began = till.token(), time.perf_counter()
            hearing = [asyncio.create_task(sees(one, began, left)) for one in screens]
            answer = await till.hold(token, uuid4().hex)
            left = answer.body["available"]
            took += await asyncio.gather(*hearing)
        return took


async def sees(one: Screen, began: float, before: int) -> float:
    """When there is news that fewer than `before` are left."""
    while (await one.hears("stock.changed"))["data"]["available"] >= before:
        pass
    return (time.perf_counter() - began) * 1000


async def rushed(till: Till) -> Rush:
    """Everybody in five seconds, at an even pace, whether or not those before have been answered."""
    rush, began = Rush(), time.monotonic()
    buying = []
    for n in range(BUYS):
        await asyncio.sleep(max(0.0, began + n * SECONDS / BUYS - time.monotonic()))
        buying.append(asyncio.create_task(buy(till, rush)))
    await asyncio.gather(*buying)
    patient_until = time.monotonic() + PATIENCE
    while (waiting := await count(till, UNPAID)) and time.monotonic() < patient_until:
        await asyncio.sleep(0.5)
    intents = (await till.fakes["stripe"].state())["intents"]
    captured = sum(one["captured"] for one in intents)
    rush.lost = BUYS - rush.refused - len(rush.orders) + waiting
    # Money is the last word: 49 euros for each order, once.
    rush.doubled = max(len(rush.holds) - len({*rush.holds.values()}), captured // 4900 - len(rush.orders))
    return rush


async def buy(till: Till, rush: Rush) -> None:
    """One buyer: hold, order, card."""
    token, key, began = till.token(), uuid4().hex, time.perf_counter()
    held = await till.hold(token, key)
    rush.hold_ms.append((time.perf_counter() - began) * 1000)
    if held.status != 201:
        rush.refused += 1
        return
    rush.holds[key] = held.body["hold_id"]
    buyer = {"email": f"{key}@example.com", "name": "Ana", "payment": {"source": "pm_card_visa"}}
    body = buyer | {"hold_id": rush.holds[key], "key": uuid4().hex}
    while (ordered := await till.post("/api/v1/public/orders", body, token)).status == 503:
        # As our page does: with the same key.
        await asyncio.sleep(ordered.body["retry_after"])
    if ordered.status == 202:
        rush.orders.add(ordered.body["order_id"])


async def claimed(till: Till) -> Claims:
    """More claims than there is, as fast as a huge chat talks; the work process decides them."""
    hub, units = till.shop.hub, CLAIMS // 3
    shop = await open_shop(hub, units)
    chat, began = await chat_of(hub, shop), time.monotonic()
    for first in range(0, CLAIMS, BATCH):
        await asyncio.sleep(max(0.0, began + first * CLAIM_SECONDS / CLAIMS - time.monotonic()))
        now = datetime.now(UTC)
        said = [
            comment(first + n).model_copy(update={"sent_at": now - timedelta(milliseconds=BATCH - n)})
            for n in range(BATCH)
        ]
        async with hub.db.session() as session:
            await hub.chat.receive(session, chat, said)
    last = time.monotonic()
    while await count(till, OPEN) and time.monotonic() < last + PATIENCE:
        await asyncio.sleep(0.2)
    seconds = time.monotonic() - last
    async with hub.db.session() as session:
        states = [one.state for one in await query(session, JUDGED, {"show": shop.show_id})]
    known = states.count("held") + states.count("sold_out")
    return Claims(CLAIMS - known, states[units:].count("held"), seconds)


async def count(till: Till, what: TextClause) -> int:
    """One number from the tables."""
    async with till.shop.hub.db.session() as session:
        return int((await query(session, what)).scalar_one())
