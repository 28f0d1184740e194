"""Made-up people, touches and orders, and how they get into DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import duckdb
from hypothesis import strategies as st

from hub.attribution.reckoning import COLUMNS, Reckoning
from hub.attribution.words import KEYS
from tests.hub.attribution.oracle import Credit, Order, Story, Touch

BEGIN = datetime(2026, 11, 1)  # noqa: DTZ001 - DuckDB's TIMESTAMP has no zone; ours are UTC
SHOWS = (UUID(int=1), UUID(int=2))
CHANNELS = ("tiktok", "youtube", "mail", "(direct)")

MINUTES = st.integers(0, 40 * 24 * 60) | st.sampled_from([0, 60, 24 * 60, 7 * 24 * 60])
"""Whole minutes, so that ties in time and ages of exactly one window happen."""


@st.composite
def touches(draw: st.DrawFn, number: int) -> Touch:
    """One touch of one of three people."""
    at = BEGIN + timedelta(minutes=draw(MINUTES))
    return Touch(
        id=UUID(int=draw(st.integers(0, 2**20)) * 1000 + number),
        person=draw(st.sampled_from(["ana", "bo", "cy"])),
        at=at,
        key=draw(st.sampled_from(CHANNELS)),
        show=draw(st.sampled_from(SHOWS)),
        session_until=at + timedelta(minutes=draw(st.sampled_from([30, 45, 300]))),
    )


@st.composite
def orders(draw: st.DrawFn, number: int) -> Order:
    """One order, with up to three refunds, which may be more than it was worth."""
    at = BEGIN + timedelta(minutes=draw(MINUTES))
    total = draw(st.integers(0, 3) | st.integers(0, 10**9))
    steps = [("sale", at, total)]
    for n in range(draw(st.integers(0, 3))):
        back = draw(st.integers(1, max(1, total)) | st.just(max(1, total)))
        kind = draw(st.sampled_from(["refund", "cancel"]))
        steps.append((kind, at + timedelta(days=n + 1), -back))
    live = draw(st.booleans())
    return Order(
        id=UUID(int=number + 1),
        person=draw(st.sampled_from(["ana", "bo", "cy", "dee"])),
        at=at,
        show=draw(st.sampled_from(SHOWS)),
        session_from=at - timedelta(hours=2) if live else None,
        currency=draw(st.sampled_from(["EUR", "USD"])),
        steps=tuple(steps),
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A few of each."""
    return Story(
        touches=[draw(touches(n)) for n in range(draw(st.integers(0, 12)))],
        orders=[draw(orders(n)) for n in range(draw(st.integers(1, 4)))],
    )


def told(con: duckdb.DuckDBPyConnection, story: Story) -> Reckoning:
    """The story as relations."""
    rows: dict[str, Sequence[tuple[Any, ...]]] = {
        "touch": [
            (
                one.id,
                one.person,
                one.at,
                one.session_until,
                one.show,
                *[one.key] * len(KEYS),
                one.direct,
                True,
            )
            for one in story.touches
        ],
        "orders": [
            (one.id, one.person, one.at, one.show, one.session_from, one.currency, "own", one.person)
            for one in story.orders
        ],
        "order_money": [
            (one.id, entry, at, amount, str(n))
            for one in story.orders
            for n, (entry, at, amount) in enumerate(one.steps)
        ],
    }
    for name, columns in COLUMNS.items():
        typed = [
            f'unnest(${n}::{kind}[]) AS "{column}"' for n, (column, kind) in enumerate(columns.items(), 1)
        ]
        values = [list(column) for column in zip(*rows[name], strict=True)] or [[] for _ in columns]
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {', '.join(typed)}", values)
    con.execute("DROP TABLE IF EXISTS watched")
    return Reckoning(con)


def given(reckoning: Reckoning) -> Credit:
    """The table `credit` by order, entry, number and touch; without zeros."""
    rows = reckoning.con.execute(
        "SELECT orders.order_id, step.entry, step.n, touch.touch_id, credit.amount FROM credit"
        " JOIN step USING (order_no, counts, n) JOIN orders ON orders.rowid = order_no"
        " LEFT JOIN touch ON touch.rowid = touch_no WHERE credit.amount <> 0"
    ).fetchall()
    return {(order, entry, n, touch): amount for order, entry, n, touch, amount in rows}
