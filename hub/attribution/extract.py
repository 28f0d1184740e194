"""Fetches touches and orders from PostgreSQL by COPY, two statements in all, and hands them to DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution.reckoning import COLUMNS, quoted, sql

if TYPE_CHECKING:
    import duckdb

PATIENCE: Final = 600.0
"""Seconds a COPY may take."""
EARLIEST: Final = datetime(1970, 3, 1, tzinfo=UTC)
"""Before any touch, and far enough from the epoch for the longest window."""
LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
OF_ALL: Final = "$5::uuid IS NULL"
OF_SHOW: Final = """$5::uuid IS NULL AND touch.id IN (
    SELECT id FROM touch WHERE show_id = $2::uuid
    UNION SELECT touch.id FROM touch JOIN orders ON orders.customer_id = touch.customer_id
        WHERE orders.show_id = $2::uuid
    UNION SELECT touch.id FROM touch JOIN orders ON orders.viewer_id = touch.visitor_id
        WHERE orders.show_id = $2::uuid AND orders.customer_id IS NULL AND touch.customer_id IS NULL)"""
OF_ORDER: Final = """touch.id IN (
    SELECT touch.id FROM touch JOIN orders ON orders.customer_id = touch.customer_id
        WHERE orders.id = $5::uuid
    UNION SELECT touch.id FROM touch JOIN orders ON orders.viewer_id = touch.visitor_id
        WHERE orders.id = $5::uuid AND orders.customer_id IS NULL AND touch.customer_id IS NULL)"""
TIMES: Final = frozenset({"at", "session_until", "session_from", "entry_at"})
BOOKED: Final = COLUMNS["orders"] | {
    "entry": "VARCHAR",
    "entry_at": "TIMESTAMP",
    "amount": "BIGINT",
    "id": "VARCHAR",
}


@dataclass(frozen=True)
class Scope:
    """Which orders: one, those of a show, or all of the brand; those that changed between two times."""

    brand_id: UUID
    show_id: UUID | None = None
    since: datetime = EARLIEST
    until: datetime = LATEST
    order_id: UUID | None = None

    def values(self) -> tuple[UUID, UUID | None, datetime, datetime, UUID | None]:
        """As $1 to $5."""
        return self.brand_id, self.show_id, max(self.since, EARLIEST), self.until, self.order_id

    def shows(self) -> list[UUID] | None:
        """Whose viewer events matter; None: every show's."""
        return [self.show_id] if self.show_id else [] if self.order_id else None

    def touches(self) -> str:
        """SQL: the touches that are needed."""
        return OF_ORDER if self.order_id else OF_SHOW if self.show_id else OF_ALL


async def extract(session: AsyncSession, scope: Scope, folder: Path) -> None:
    """Write touches.csv and booked.csv."""
    connection = await session.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    touches = sql("touches.pg").format(scope=scope.touches())
    for name, query in (("booked", sql("booked.pg")), ("touches", touches)):
        target = str(folder / f"{name}.csv")
        await raw.copy_from_query(query, *scope.values(), output=target, format="csv", timeout=PATIENCE)


def load(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the relations of `reckoning.Reckoning` of what `extract` wrote. Blocks."""
    con.execute(f"CREATE TABLE touch AS {read(folder / 'touches.csv', COLUMNS['touch'])}")
    con.execute(f"CREATE TEMP TABLE booked AS {read(folder / 'booked.csv', BOOKED)}")
    sales = f"SELECT {listed(COLUMNS['orders'])} FROM booked WHERE entry = 'sale'"  # noqa: S608 - ours
    con.execute(f"CREATE TABLE orders AS {sales}")
    con.execute(
        'CREATE TABLE order_money AS SELECT order_id, entry, entry_at AS "at", amount, id FROM booked;'
        "DROP TABLE booked"
    )


def read(file: Path, columns: dict[str, str]) -> str:
    """SELECT of a CSV file. Times are microseconds since the epoch in it."""
    kinds = {name: "BIGINT" if name in TIMES else kind for name, kind in columns.items()}
    typed = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
    picked = ", ".join(f'make_timestamp("{name}") AS "{name}"' if name in TIMES else name for name in columns)
    how = f"header = false, auto_detect = false, columns = {{{typed}}}"
    return f"SELECT {picked} FROM read_csv({quoted(file)}, {how})"  # noqa: S608 - words of ours


def listed(columns: dict[str, str]) -> str:
    """Column names for a SELECT."""
    return ", ".join(f'"{name}"' for name in columns)
