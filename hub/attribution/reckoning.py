"""Credits by SQL over three relations, in DuckDB. Everything here blocks: call it in a thread.

    touch(touch_id, person, at, session_until, show_id, source, channel_group, campaign, target, link,
          direct, mine)
    orders(order_id, person, at, show_id, session_from, currency, bought, viewer)
    order_money(order_id, entry sale|refund|cancel, at, amount, id)

Times are UTC timestamps, amounts integer minor units (refunds and cancellations negative). `session_until` is
when the touch's visit was over; `session_from` since when a touch of the same show belongs to the order's
session (None: bought outside of a live show); `mine` marks the touches that the answer counts.
The models are in sql/weights, one SELECT each; sql/split.sql shares the money out by their weights.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hub.attribution import markov
from hub.attribution.words import KEYS, REACH, UNKNOWN, WATCHED, By, Model, Query, Window

if TYPE_CHECKING:
    import duckdb

SQL: Final = Path(__file__).parent / "sql"
THREADS: Final = 2
MEMORY: Final = "1GB"
WITHIN: Final[dict[Window, str]] = {
    "session": "touch.session_until >= orders.at"
    " OR (touch.show_id = orders.show_id AND touch.at >= orders.session_from)",
    "24h": "touch.at >= orders.at - INTERVAL 24 HOUR",
    "7d": "touch.at >= orders.at - INTERVAL 7 DAY",
    "30d": "touch.at >= orders.at - INTERVAL 30 DAY",
}
BILLION: Final = 1_000_000_000
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "touch": {
        "touch_id": "UUID",
        "person": "VARCHAR",
        "at": "TIMESTAMP",
        "session_until": "TIMESTAMP",
        "show_id": "UUID",
        **dict.fromkeys(KEYS, "VARCHAR"),
        "direct": "BOOLEAN",
        "mine": "BOOLEAN",
    },
    "orders": {
        "order_id": "UUID",
        "person": "VARCHAR",
        "at": "TIMESTAMP",
        "show_id": "UUID",
        "session_from": "TIMESTAMP",
        "currency": "VARCHAR",
        "bought": "VARCHAR",
        "viewer": "VARCHAR",
    },
    "order_money": {
        "order_id": "UUID",
        "entry": "VARCHAR",
        "at": "TIMESTAMP",
        "amount": "BIGINT",
        "id": "VARCHAR",
    },
}
"""The relations and their types."""


@cache
def sql(name: str) -> str:
    """The text of a file in sql/."""
    return (SQL / f"{name}.sql").read_text()


def connect(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that takes no more than its share of the machine; what is more goes to `spill`."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": min(THREADS, os.cpu_count() or 1),
        "memory_limit": MEMORY,
        "preserve_insertion_order": False,
    }
    if spill:
        config["temp_directory"] = str(spill)
    con = duckdb.connect(":memory:", config=config)
    con.execute("SET enable_progress_bar = false")  # it would be drawn on standard output
    return con


class Reckoning:
    """One set of touches and orders, and what follows from it. The three relations must be there already."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.effects: dict[tuple[Window, By], dict[str, int]] = {}
        """Removal effects in billionths, where they were learned or given."""
        self.notes: list[str] = []
        self._window: Window | None = None
        con.execute("CREATE TEMP TABLE IF NOT EXISTS watched (key VARCHAR, order_id UUID)")

    def watch(self, events: str) -> None:
        """Fill `watched` from viewer events (a relation with viewer_id, show_id, "at"): orders of people who
        watched their show on our page for three seconds at least."""
        self.con.execute(sql("watched").format(events=events, watched=WATCHED))

    def look_back(self, window: Window, keys: Iterable[By] = KEYS) -> None:
        """Find the touches of each order within the window."""
        if self._window is None:
            self.con.execute(sql("step"))
        self.con.execute(sql("path").format(within=WITHIN[window], keys=", ".join(keys)))
        self._window = window

    def split(self, model: Model, by: By) -> Model:
        """Fill `credit`; the model that was really used. `look_back` first."""
        used = model
        if model == "markov" and not self.learned(by):
            used = "linear"
        self.con.execute(sql("split").format(weights=sql(f"weights/{used}").format(key=by)))
        return used

    def answer(self, query: Query) -> tuple[Model, list[dict[str, Any]]]:
        """The model really used, and the rows of sql/summary.sql."""
        self.look_back(query.window, [query.by])
        used = self.split(query.model, query.by)
        self.con.execute(sql("ledger").format(key=query.by, unknown=UNKNOWN))
        return used, self.summary(query)

    def summary(self, query: Query) -> list[dict[str, Any]]:
        """Rows of the relation `ledger` by key and currency."""
        period = {"since": naive(query.since), "until": naive(query.until)}
        return dicts(self.con.execute(sql("summary"), period))

    def learned(self, by: By) -> bool:
        """Fill `effect`; False, and a note, where there is too little to learn from."""
        if self._window is None:
            raise RuntimeError("look_back comes first")
        known = self.effects.get((self._window, by))
        if known is None:
            known = self._learn(self._window, by)
            self.effects[self._window, by] = known
        if not known:
            return False
        self.con.execute("CREATE OR REPLACE TEMP TABLE effect (key VARCHAR, billionths BIGINT)")
        values = [list(known), list(known.values())]
        self.con.execute("INSERT INTO effect SELECT unnest($1), unnest($2)", values)
        # A channel nobody had been to when the effects were learned has the smallest there is.
        fresh = f"SELECT DISTINCT {by}, 1 FROM path ANTI JOIN effect ON effect.key = path.{by}"  # noqa: S608 - a word of ours
        self.con.execute(f"INSERT INTO effect {fresh}")
        return True

    def _learn(self, window: Window, by: By) -> dict[str, int]:
        """Removal effects from all ways; nothing where there are too few."""
        seconds = int(REACH[window].total_seconds())
        idle = sql("idle").format(reach=f"INTERVAL {seconds} SECOND", key=by)
        self.con.execute(idle)
        moves = self.con.execute(sql("moves").format(key=by)).fetchall()
        count = markov.ways(moves)
        if count < markov.FEWEST_WAYS:
            self._note(
                f"Markov needs {markov.FEWEST_WAYS:,} ways of people to learn from and has {count:,}"
                f" (window {window}): every touch counts alike instead."
            )
            return {}
        return {key: round(effect * BILLION) for key, effect in sorted(markov.effects(moves).items())}

    def _note(self, said: str) -> None:
        if said not in self.notes:
            self.notes.append(said)


def quoted(words: object) -> str:
    """As a text in SQL."""
    return "'" + str(words).replace("'", "''") + "'"


def naive(at: datetime) -> datetime:
    """UTC without saying so, as DuckDB's TIMESTAMP is."""
    return at.astimezone(UTC).replace(tzinfo=None)


def dicts(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Rows by column name."""
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
