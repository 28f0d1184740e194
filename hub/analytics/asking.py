"""Questions to the event log. They block: in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from hub.events.log import EventLog

TRIES: Final = 3
PRESENT: Final = (
    "kind NOT IN ('hold', 'hold_end', 'order', 'pay', 'refund', 'chat', 'sold_out') AND viewer_id IS NOT NULL"
)
"""SQL: events that only somebody with the page open causes; the others are copies of the hub's own facts."""

Table = tuple[str, Sequence[Sequence[object]]]
"""A temporary table beside the events: (its columns as SQL, its rows). It is called `given`."""


def ask(
    log: EventLog, brand_id: UUID, shows: Sequence[UUID], query: str, given: Table | None = None
) -> list[tuple[Any, ...]]:
    """Rows of `query`, whose `{events}` are all events of these shows.

    Tidying may put one file in the place of several while we read: then we read again.
    """
    import duckdb

    for left in reversed(range(TRIES)):
        with log.connect() as connection:
            if given:
                columns, rows = given
                connection.execute(f"CREATE TEMP TABLE given ({columns})")
                marks = ", ".join("?" for _ in columns.split(","))
                into = f"INSERT INTO given VALUES ({marks})"  # noqa: S608 - question marks
                connection.executemany(into, [list(row) for row in rows])
            try:
                return connection.execute(query.format(events=log.view(brand_id, shows))).fetchall()
            except duckdb.IOException:
                if not left:
                    raise
    raise AssertionError("unreachable")
