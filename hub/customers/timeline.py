"""All a person did, on every platform, newest first: one list from many tables, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.customers.models import Identity
from hub.db import run
from hub.errors import BadInput
from hub.secrets import Vault

PARTS: Final = {
    "visit": """
        SELECT touch.at, touch.id, touch.kind AS kind, touch.show_id, NULL::uuid AS order_id,
            json_build_object('source', utm_source, 'medium', utm_medium, 'campaign', utm_campaign,
                'group', channel_group) AS facts
        FROM touch WHERE touch.customer_id = :person AND touch.kind <> 'order'
    """,
    "message": """
        SELECT coalesce(sent_at, received_at), message.id, 'message', show_id, NULL::uuid,
            json_build_object('platform', platform, 'text', text, 'deleted', deleted OR hidden)
        FROM message WHERE message.brand_id = :brand AND NOT outgoing
            AND (platform, author_id) IN (
                SELECT * FROM unnest(CAST(:platforms AS text[]), CAST(:authors AS text[])))
    """,
    "hold": """
        SELECT hold.created_at, hold.id, 'hold', hold.show_id, hold.order_id,
            json_build_object('product', product.title, 'quantity', hold.quantity, 'state', hold.state,
                'channel', hold.channel)
        FROM hold JOIN variant ON variant.id = hold.variant_id JOIN product ON product.id = variant.product_id
        WHERE hold.brand_id = :brand AND (hold.viewer_id = ANY(:visitors)
            OR hold.order_id IN (SELECT id FROM orders WHERE customer_id = :person))
    """,
    "claim": """
        SELECT claim.said_at, claim.id, 'claim', claim.show_id, claim.order_id,
            json_build_object('platform', platform, 'text', words, 'state', claim.state)
        FROM claim WHERE claim.brand_id = :brand AND (claim.viewer_id = ANY(:visitors)
            OR (platform, author_id) IN (
                SELECT * FROM unnest(CAST(:platforms AS text[]), CAST(:authors AS text[]))))
    """,
    "order": """
        SELECT placed_at, orders.id, 'order', orders.show_id, orders.id,
            json_build_object('number', number, 'channel', channel, 'state', orders.state,
                'minor', total_minor, 'currency', currency)
        FROM orders WHERE orders.customer_id = :person
    """,
    "refund": """
        SELECT refund.created_at, refund.id, 'refund', orders.show_id, orders.id,
            json_build_object('number', orders.number, 'minor', refund.amount_minor,
                'currency', refund.currency, 'state', refund.state)
        FROM refund JOIN orders ON orders.id = refund.order_id WHERE orders.customer_id = :person
        UNION ALL
        SELECT refund.at, refund.id, 'refund', orders.show_id, orders.id,
            json_build_object('number', orders.number, 'minor', refund.amount_minor,
                'currency', refund.currency, 'state', 'done')
        FROM outside_refund AS refund JOIN orders ON orders.id = refund.order_id
        WHERE orders.customer_id = :person
    """,
    "consent": """
        SELECT at, id, 'consent', NULL::uuid, NULL::uuid,
            json_build_object('purpose', purpose, 'granted', granted, 'source', source)
        FROM consent_choice
        WHERE brand_id = :brand AND (customer_id = ANY(:ids) OR visitor_id = ANY(:visitors))
    """,
    "change": """
        SELECT at, id, 'change', NULL::uuid, NULL::uuid,
            json_build_object('what', kind, 'why', why)
        FROM person_change WHERE brand_id = :brand AND (customer_id = ANY(:ids) OR other_id = ANY(:ids))
    """,
    "sign_in": """
        SELECT created_at, id, 'sign_in', NULL::uuid, NULL::uuid, json_build_object('by', proved_by)
        FROM shopper_session WHERE customer_id = :person
    """,
}
"""Each part's newest rows are read and merged: none can be longer than the page."""
NEWEST: Final = (
    "(SELECT * FROM ({part}) AS part(at, id, kind, show_id, order_id, facts)"
    " WHERE CAST(:at AS timestamptz) IS NULL OR (at, id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))"
    " ORDER BY at DESC, id DESC LIMIT :limit)"
)
PAGE: Final = (
    "SELECT found.*, show.title AS show_title FROM ({parts}) AS found"
    " LEFT JOIN show ON show.id = found.show_id ORDER BY found.at DESC, found.id DESC LIMIT :limit"
)


def page() -> TextClause:
    """The statement: its parts are our own, and all that comes from outside is bound."""
    return text(PAGE.format(parts=" UNION ALL ".join(NEWEST.format(part=part) for part in PARTS.values())))


class Moment(BaseModel):
    """One thing a person did. `facts` by kind, see `PARTS`; times are UTC."""

    id: UUID
    at: datetime
    kind: str
    show_id: UUID | None
    show_title: str | None
    order_id: UUID | None
    facts: dict[str, Any]


class Timeline(BaseModel):
    """Some moments, and where older ones begin; None when there are no more."""

    moments: list[Moment]
    next: str | None


async def timeline(
    session: AsyncSession,
    vault: Vault,
    brand_id: UUID,
    ids: Sequence[UUID],
    visitors: Sequence[str],
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Timeline:
    """A page of it. `ids`: all that answer with this person, theirs first; `visitors`: their browsers."""
    at, last = read_cursor(cursor) if cursor else (None, None)
    limit = min(max(limit, 1), 200)
    accounts = await accounts_of(session, vault, ids[0])
    values = {
        "brand": brand_id,
        "person": ids[0],
        "ids": list(ids),
        "visitors": list(visitors),
        "platforms": [platform for platform, _ in accounts] + ["own"] * len(visitors),
        "authors": [author for _, author in accounts] + list(visitors),
        "at": at,
        "id": last,
        "limit": limit + 1,
    }
    rows = [Moment.model_validate(dict(row)) for row in (await run(session, page(), values)).mappings()]
    shown = rows[:limit]
    return Timeline(moments=shown, next=cursor_of(shown[-1]) if len(rows) > limit else None)


async def accounts_of(session: AsyncSession, vault: Vault, person: UUID) -> list[tuple[str, str]]:
    """The person's accounts as chats name them: platform and author."""
    query = select(Identity.value_sealed).where(
        col(Identity.customer_id) == person, col(Identity.kind) == "platform_user"
    )
    opened = [vault.open(sealed).partition(":") for sealed in await session.exec(query) if sealed]
    return [(platform, user) for platform, _, user in opened]


def cursor_of(moment: Moment) -> str:
    """Where the next page begins, as one word."""
    said = json.dumps([moment.at.astimezone(UTC).isoformat(), str(moment.id)])
    return base64.urlsafe_b64encode(said.encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """What `cursor_of` wrote; BadInput `cursor_unknown` for anything else."""
    try:
        at, last = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return datetime.fromisoformat(at), UUID(last)
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadInput("cursor_unknown", "This page can't be found. Load the list again.") from error
