"""Letters to somebody, and their files: to hand out, and to forget.

Addresses are sealed, and no two seals are alike: each letter of the brand is opened and looked at, some at a
time. Letters are kept for a few months at most (retention), so they are not many.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.mail.letters import Letter
from hub.privacy.rows import plain
from hub.privacy.who import Counts, Rows, Who

AT_A_TIME: Final = 500
SOME: Final = text(
    """
    SELECT id, to_sealed, kind, ref, state, letter_sealed, created_at, sent_at FROM mail
    WHERE brand_id = :brand AND id > :after ORDER BY id LIMIT :most
    """
)
OTHERS: Final = text("SELECT id FROM orders WHERE id = ANY(:refs) AND id <> ALL(:orders)")
FORGET: Final = text("DELETE FROM mail WHERE id = ANY(:ids)")


async def export(session: AsyncSession, who: Who) -> Rows:
    """Letters with what they said, as far as it is still kept."""
    rows = [
        {
            "to": who.open(row.to_sealed),
            "kind": row.kind,
            "state": row.state,
            "created_at": plain(row.created_at),
            "sent_at": plain(row.sent_at),
            "letter": words_of(who, row),
        }
        async for row in theirs(session, who)
    ]
    return {"mail": rows}


def words_of(who: Who, row: Any) -> str | None:
    """What a letter said. One with a code opens a door, and is nobody's to hand on."""
    if row.kind == "sign_in" or not row.letter_sealed:
        return None
    return Letter.loaded(who.open(row.letter_sealed)).text


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Files before rows: a row that is still there leads to its file once more."""
    ids = [row.id async for row in theirs(session, who)]
    files = await asyncio.to_thread(remove_files, who.folder, ids)
    await run(session, FORGET, {"ids": ids})
    return {"mail": len(ids), "files": files}


async def theirs(session: AsyncSession, who: Who) -> AsyncIterator[Any]:
    """Letters to one of their addresses, or about one of their orders."""
    emails = {email.lower() for email in who.emails}
    orders = {str(one) for one in who.order_ids}
    after = UUID(int=0)
    while True:
        found = (await run(session, SOME, {"brand": who.brand_id, "after": after, "most": AT_A_TIME})).all()
        opened = await asyncio.to_thread(addressees, who, found)
        # A mailbox may be a family's: letters about another's order are the other's.
        refs = [UUID(row.ref) for row in found if len(row.ref) == 36]
        values = {"refs": refs, "orders": list(who.order_ids)}
        others = {str(one) for one in (await run(session, OTHERS, values)).scalars()}
        for row, to in zip(found, opened, strict=True):
            if row.ref in orders or (to in emails and row.ref not in others):
                yield row
        if len(found) < AT_A_TIME:
            return
        after = found[-1].id


def addressees(who: Who, rows: Sequence[Any]) -> list[str]:
    """Whom letters go to, in small letters."""
    return [who.open(row.to_sealed).strip().lower() for row in rows]


def remove_files(data: Path, ids: list[UUID]) -> int:
    """Letters that were written into files; how many there were."""
    folder, gone = data / "mail", 0
    for one in ids:
        for path in (folder / f"{one}.eml", folder / f".{one}.part"):
            if path.exists():
                path.unlink(missing_ok=True)
                gone += 1
    return gone
