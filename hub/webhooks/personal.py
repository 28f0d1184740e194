"""What platforms told us of somebody: to hand out, and to forget.

A body is whatever a platform sends, so it is searched for what only this person has: e-mail addresses,
phones, ids of their orders and accounts. A name or a street is not enough: others have it, too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.privacy.rows import plain
from hub.privacy.who import Counts, Rows, Who

AT_A_TIME: Final = 200
SHORTEST: Final = 5
"""A shorter id stands in too many other bodies."""
SOME: Final = text(
    """
    SELECT webhook_event.id, connector, body, order_ref, received_at
    FROM webhook_event JOIN connection ON connection.id = webhook_event.connection_id
    WHERE webhook_event.brand_id = :brand AND webhook_event.id > :after
    ORDER BY webhook_event.id LIMIT :most
    """
)
BLANK: Final = text(
    """
    UPDATE webhook_event SET body = '', headers = '{}', order_ref = NULL, error = NULL, state = 'done',
           delivery_id = 'erased:' || id
    WHERE id = ANY(:ids)
    """
)
ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


async def export(session: AsyncSession, who: Who) -> Rows:
    """Deliveries as they came."""
    rows = [
        {
            "platform": row.connector,
            "received_at": plain(row.received_at),
            "body": bytes(row.body).decode(errors="replace"),
        }
        async for row in theirs(session, who)
    ]
    return {"webhook_event": rows}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Empty their bodies. One that still waits to be worked on is about somebody who is not here any more."""
    ids = [row.id async for row in theirs(session, who)]
    await run(session, BLANK, {"ids": ids})
    return {"webhook_event": len(ids)}


async def theirs(session: AsyncSession, who: Who) -> AsyncIterator[Any]:
    """Deliveries that name them."""
    named, after = finder(who), UUID(int=0)
    while True:
        values = {"brand": who.brand_id, "after": after, "most": AT_A_TIME}
        found = (await run(session, SOME, values)).all()
        bodies = [bytes(row.body) for row in found]
        hits = await asyncio.to_thread(lambda some: [named(one) for one in some], bodies)
        for row, hit in zip(found, hits, strict=True):
            if hit or row.order_ref in who.order_refs:
                yield row
        if len(found) < AT_A_TIME:
            return
        after = found[-1].id


def finder(who: Who) -> Callable[[bytes], bool]:
    """Whether a body names this person, however it spells letters (JSON's escapes, forms' percents)."""
    words = [*who.emails, *who.phones]
    ids = [*who.order_refs, *(author for platform, author in who.authors if platform != "own")]
    wanted = [re.escape(word.lower()) for word in words if len(word) >= SHORTEST]
    # An id is a whole word: order 1001 is not order 10012.
    wanted += [rf"(?<![\w-]){re.escape(one.lower())}(?![\w-])" for one in ids if len(one) >= SHORTEST]
    if not wanted:
        return lambda body: False
    pattern = re.compile("|".join(wanted))

    def named(body: bytes) -> bool:
        said = body.decode(errors="replace")
        plainly = ESCAPED.sub(lambda found: chr(int(found[1], 16)), said)
        forms = {said, plainly, unquote_plus(said)}
        return any(pattern.search(one.lower()) for one in forms)

    return named
