"""Looks through every column and every letter for what only one person has: the proof of an erasure.

Names and streets are not looked for: others have them, too. Invoices are not looked at: they stay, and the
proof says so.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, Table, Uuid, text
from sqlalchemy.sql.sqltypes import ARRAY, JSON, String
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from hub.db import Database, run
from hub.models import TABLES
from hub.privacy.who import Who

PASSED_OVER: Final = frozenset({"invoice", "rights_request", "erasure", "look_log"})
"""Invoices stay as issued; the others are the erasure's own: sealed, or keyed hashes of their own kind."""
SHORTEST: Final = 5
AT_A_TIME: Final = 500
FOLDERS: Final = ("mail", "exports")


@dataclass
class Looked:
    """What was looked at, and where something was found."""

    tables: int = 0
    columns: int = 0
    files: int = 0
    places: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """For the proof."""
        return {"tables": self.tables, "columns": self.columns, "files": self.files, "found": self.places}


def every_table() -> list[Table]:
    """Of all rooms, whoever asks: a command imports few of them, and must pass over none."""
    assert TABLES, "importing hub.models registers every table"  # noqa: S101
    return SQLModel.metadata.sorted_tables


class Search:
    """Reads table by table; nothing is locked."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def through(self, who: Who) -> Looked:
        """Where this person can still be found."""
        looked, words = Looked(), needles(who)
        for table in every_table():
            if table.name in PASSED_OVER or "brand_id" not in table.columns:
                continue
            open_columns = [column for column in table.columns if is_text(column)]
            sealed = [column for column in table.columns if column.name.endswith("_sealed")]
            looked.tables += 1
            looked.columns += len(open_columns) + len(sealed)
            looked.places += await self._in_words(table, open_columns, who, words)
            for column in sealed:
                if await self._in_seals(table, column, who, words):
                    looked.places.append(f"{table.name}.{column.name}")
        found, looked.files = await asyncio.to_thread(in_files, who.folder, words)
        looked.places += found
        return looked

    async def _in_words(
        self, table: Table, columns: Sequence[Column[Any]], who: Who, words: Sequence[str]
    ) -> list[str]:
        if not columns or not words:
            return []
        asked = ", ".join(f"bool_or({shown(column)} LIKE ANY(CAST(:words AS text[])))" for column in columns)
        query = text(f'SELECT {asked} FROM "{table.name}" WHERE brand_id = :brand')  # noqa: S608 - our names
        values = {"brand": who.brand_id, "words": [f"%{escaped(word)}%" for word in words]}
        async with self._db.session() as session:
            row = (await run(session, query, values)).one()
        return [f"{table.name}.{column.name}" for column, hit in zip(columns, row, strict=True) if hit]

    async def _in_seals(self, table: Table, column: Column[Any], who: Who, words: Sequence[str]) -> bool:
        query = text(
            f'SELECT "{column.name}" FROM "{table.name}" WHERE brand_id = :brand'  # noqa: S608
            f' AND length("{column.name}") > 0'
        )
        async with self._db.session() as session:
            connection = await session.connection()
            async with connection.stream(query, {"brand": who.brand_id}) as rows:
                async for some in rows.scalars().partitions(AT_A_TIME):
                    if await asyncio.to_thread(any_of, [bytes(one) for one in some], who, words):
                        return True
        return False


def needles(who: Who) -> list[str]:
    """Small letters, as plain text has them and as JSON writes them."""
    known = [*who.emails, *who.phones, *who.hashes, *who.visitor_ids]
    known += [author for platform, author in who.authors if platform != "own"]
    known += [str(one) for one in who.customer_ids]
    words = {word.lower() for word in known if len(word) >= SHORTEST}
    return sorted(words | {json.dumps(word)[1:-1] for word in words})


def is_text(column: Column[Any]) -> bool:
    """Whether words can stand in it."""
    if column.name.endswith("_sealed"):
        return False
    return isinstance(column.type, AutoString | String | JSON | ARRAY | LargeBinary | Uuid)


def shown(column: Column[Any]) -> str:
    """A column as small letters."""
    name = f'"{column.name}"'
    if isinstance(column.type, LargeBinary):
        return f"lower(encode({name}, 'escape'))"
    return f"lower(CAST({name} AS text))"


def escaped(word: str) -> str:
    """So that % and _ mean themselves."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def any_of(sealed: Sequence[bytes], who: Who, words: Sequence[str]) -> bool:
    """Whether one of these, opened, names them. What was sealed with another key can be read by nobody."""
    for one in sealed:
        try:
            opened = who.open(one).lower()
        except ValueError:
            continue
        if any(word in opened for word in words):
            return True
    return False


def in_files(data: Path, words: Sequence[str]) -> tuple[list[str], int]:
    """Letters, and what is waiting to be downloaded (sealed, so only by its name): (where, how many)."""
    found, count = [], 0
    for folder in FOLDERS:
        for path in sorted((data / folder).glob("*")) if (data / folder).is_dir() else ():
            count += 1
            if any(word in part.lower() for part in parts_of(path) for word in words):
                found.append(f"{folder}/{path.name}")
    return found, count


def parts_of(path: Path) -> Iterator[str]:
    """What a letter says, in whatever way it is packed."""
    content = path.read_bytes()
    yield content.decode(errors="replace")
    if path.suffix != ".eml":
        return
    message = message_from_bytes(content, policy=policy.default)
    yield " ".join(str(value) for value in message.values())
    for part in message.walk():
        if part.get_content_maintype() == "text":
            yield str(part.get_content())
