"""How rooms hand out and remove rows: small enough that a room's `personal.py` is its statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import String, bindparam, text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.privacy.who import Who

SEALED = "_sealed"


async def rows_of(session: AsyncSession, who: Who, statement: str, *names: str) -> list[dict[str, Any]]:
    """What a statement finds, as a person can read it. `names`: what it is given (`Who.values`), beside
    `:brand`. A column NAME_sealed is opened and called NAME."""
    found = await run(session, text(statement), who.values(*names))
    return [readable(row, who) for row in found.mappings()]


async def done(session: AsyncSession, who: Who, statement: str, *names: str) -> int:
    """Carry out a statement; how many rows it touched."""
    asked = text(statement)
    if "nobody" in names:
        # Said aloud, because in a CASE the database cannot tell what it is.
        asked = asked.bindparams(bindparam("nobody", type_=String))
    return int((await run(session, asked, who.values(*names))).rowcount)


def readable(row: Mapping[Any, Any], who: Who) -> dict[str, Any]:
    """One row in words that JSON has."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, bytes | memoryview):
            opened = who.open(bytes(value)) if name.endswith(SEALED) and value else ""
            out[name.removesuffix(SEALED)] = parsed(opened)
        else:
            out[name.removesuffix(SEALED)] = plain(value)
    return out


def parsed(opened: str) -> Any:
    """Sealed documents as documents, sealed words as words."""
    if not opened.startswith(("{", "[")):
        return opened
    try:
        return json.loads(opened)
    except ValueError:
        return opened


def plain(value: Any) -> Any:
    """Times, ids and numbers as JSON has them."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value
