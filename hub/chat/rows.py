"""Many messages into the table with one statement: at 1,000 a second, objects one by one are too slow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import ChatMessage
from hub.db import run
from hub.ids import new_id
from hub.payments.pan import without_cards
from hub.shows.models import Show, ShowTarget

LONGEST: Final = 2000
FURTHEST_MS: Final = 2**31 - 1
"""Of a show's time, either way: what the column keeps, 24 days."""
Row = dict[str, Any]
"""A message's columns by name."""

KINDS: Final[Mapping[str, str]] = {
    "id": "uuid",
    "brand_id": "uuid",
    "show_id": "uuid",
    "seq": "bigint",
    "target_id": "uuid",
    "platform": "varchar",
    "external_id": "varchar",
    "author_id": "varchar",
    "author_name": "varchar",
    "author_picture": "varchar",
    "badges": "json",
    "text": "varchar",
    "fragments": "json",
    "kind": "varchar",
    "amount_minor": "bigint",
    "currency": "varchar",
    "reply_to": "varchar",
    "sent_at": "timestamptz",
    "received_at": "timestamptz",
    "show_time_ms": "integer",
    "deleted": "boolean",
    "outgoing": "boolean",
    "hidden": "boolean",
    "staff_only": "boolean",
}
INSERT: Final = text(
    f"INSERT INTO message ({', '.join(KINDS)}) SELECT {', '.join(KINDS)}"  # noqa: S608
    " FROM json_to_recordset(CAST(:rows AS json)) AS"
    f" given({', '.join(f'{name} {kind}' for name, kind in KINDS.items())})"
)


async def insert(session: AsyncSession, rows: Sequence[Row]) -> None:
    """All of them, or none."""
    if rows:
        await run(session, INSERT, {"rows": json.dumps(rows, default=str)})


def row_of(show: Show, target: ShowTarget, message: ChatMessage, now: datetime, *, hidden: bool) -> Row:
    """A platform's message, without card numbers; it takes the show's next number."""
    show.seq += 1
    name = without_cards(storable(message.author_name or ""))
    return {
        "id": new_id(),
        "brand_id": show.brand_id,
        "show_id": show.id,
        "seq": show.seq,
        "target_id": target.id,
        "platform": target.connector,
        "external_id": message.id,
        "author_id": storable(message.author_id) if message.author_id else None,
        "author_name": name or None,
        "author_picture": web_address(message.author_picture),
        "badges": [badge.model_dump() for badge in message.badges],
        "text": without_cards(storable(message.text))[:LONGEST],
        "fragments": fragments_of(message),
        "kind": message.kind,
        "amount_minor": message.money.amount if message.money else None,
        "currency": message.money.currency if message.money else None,
        "reply_to": storable(message.reply_to) if message.reply_to else None,
        "sent_at": message.sent_at,
        "received_at": now,
        "show_time_ms": show_time(show, message.sent_at or now),
        "deleted": False,
        "outgoing": False,
        "hidden": hidden,
        "staff_only": False,
    }


def fragments_of(message: ChatMessage) -> list[dict[str, Any]]:
    """Its pieces, where it is more than mere text; addresses only of the web."""
    if len(message.text) > LONGEST or all(one.kind == "text" for one in message.fragments):
        return []
    whole = storable("".join(one.text for one in message.fragments))
    if without_cards(whole) != whole:
        return []  # a card number may run through several of them: the words alone, without it
    return [
        {
            "kind": one.kind,
            "text": storable(one.text),
            "url": web_address(one.url),
        }
        for one in message.fragments
    ]


def web_address(url: str | None) -> str | None:
    """An address of the web, which a page may load; any other (`javascript:`, a file) is none."""
    return storable(url) if url and url.startswith(("https://", "http://")) else None


def storable(words: str) -> str:
    """Without what PostgreSQL cannot keep (NUL, lone surrogates): one such name must not stop a chat."""
    return words.replace("\0", "").encode("utf-8", "replace").decode()


def show_time(show: Show, moment: datetime) -> int | None:
    """Milliseconds since the show went live; negative before, None when it has not.

    A platform may date a message anywhere; that must not stop its chat.
    """
    if show.live_at is None:
        return None
    passed = int((moment - show.live_at).total_seconds() * 1000)
    return max(-FURTHEST_MS, min(passed, FURTHEST_MS))
