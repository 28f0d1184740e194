"""Raw rows: whole tables of a brand, and a show's event files, as they lie on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

Row = dict[str, Any]

WHOLE: Final = (
    *("orders", "order_line", "variant", "refund", "refund_part", "hold", "waitlist", "offer", "offer_use"),
    *("touch", "show", "order_event", "visit", "tracked_link", "customer", "identity"),
)
COLUMNS: Final = ("id", "show_id", "viewer_id", "kind", "at", "source", "order_id")


@dataclass
class Facts:
    """Everything the audit adds up. `tables` by name; `events` of the show, each id once."""

    show_id: UUID
    now: datetime
    tables: dict[str, list[Row]] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)

    def by(self, table: str, column: str) -> dict[Any, list[Row]]:
        """Rows of a table under the value of a column."""
        found: dict[Any, list[Row]] = {}
        for row in self.tables[table]:
            found.setdefault(row[column], []).append(row)
        return found


async def gather(session: AsyncSession, brand_id: UUID, show_id: UUID, now: datetime) -> Facts:
    """The brand's rows. All of them: whether somebody bought again is written in other shows."""
    facts = Facts(show_id, now)
    for table in WHOLE:
        query = text(f"SELECT * FROM {table} WHERE brand_id = :brand_id")  # noqa: S608 - a name of ours
        rows = (await run(session, query, {"brand_id": brand_id})).mappings()
        facts.tables[table] = [dict(row) for row in rows]
    return facts


def read_events(folder: Path, brand_id: UUID, show_id: UUID) -> list[Row]:
    """A show's events, each once, from all its files. Blocks: in a thread."""
    import pyarrow.parquet as pq

    found: dict[Any, Row] = {}
    for file in sorted((folder / str(brand_id) / str(show_id)).glob("*.parquet")):
        for row in pq.read_table(file, columns=[*COLUMNS]).to_pylist():
            found.setdefault(row["id"], row)
    return [*found.values()]
