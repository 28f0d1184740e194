"""The brand's people as the studio lists them: newest first, searched, filtered, by pages; and as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Money
from hub.customers.handles import email_handle, phone_handle
from hub.db import Database, run
from hub.orders.export import harmless
from hub.privacy.masks import mask_name
from hub.secrets import Vault

AT_A_TIME: Final = 500
PAGE: Final = text(
    """
    WITH page AS (
        SELECT customer.* FROM customer
        WHERE customer.brand_id = :brand_id AND customer.merged_into IS NULL
          AND (EXISTS (SELECT FROM identity WHERE customer_id = customer.id AND met)
               OR EXISTS (SELECT FROM orders WHERE customer_id = customer.id))
          AND (CAST(:words AS text) IS NULL OR customer.name ILIKE CAST(:words AS text)
               OR EXISTS (SELECT FROM identity WHERE customer_id = customer.id
                          AND (hint ILIKE CAST(:words AS text) OR value_hash = ANY(:hashes))))
          AND (CAST(:channel AS text) IS NULL OR EXISTS (
               SELECT FROM orders WHERE customer_id = customer.id AND channel = :channel))
          AND (CAST(:bought AS boolean) IS NULL OR CAST(:bought AS boolean) = EXISTS (
               SELECT FROM orders WHERE customer_id = customer.id AND state IN ('paid', 'refunded')))
          AND (CAST(:member AS boolean) IS NULL
               OR CAST(:member AS boolean) = (customer.member_since IS NOT NULL))
          AND (CAST(:suggested AS boolean) IS NULL OR CAST(:suggested AS boolean) = EXISTS (
               SELECT FROM suggestion WHERE state = 'open' AND customer.id IN (a, b)))
          AND (CAST(:migrated AS boolean) IS NULL OR CAST(:migrated AS boolean) = coalesce((
               SELECT min(placed_at) FILTER (WHERE channel <> 'own') < greatest(
                   max(placed_at) FILTER (WHERE channel = 'own'),
                   (SELECT max(verified_at) FROM identity WHERE customer_id = customer.id))
               FROM orders WHERE customer_id = customer.id AND state IN ('paid', 'refunded')), false))
          AND (CAST(:after AS uuid) IS NULL OR customer.id < CAST(:after AS uuid))
        ORDER BY customer.id DESC LIMIT :limit
    )
    SELECT page.id, page.name, page.created_at, page.member_since,
        known.hints, known.platforms, known.verified, bought.orders, bought.channels, bought.last_at,
        coalesce(money.revenue, '[]') AS revenue,
        coalesce(bought.social_at < greatest(bought.own_at, known.verified_at), false) AS migrated,
        (SELECT count(*) FROM suggestion WHERE state = 'open' AND page.id IN (a, b)) AS suggestions
    FROM page
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(hint ORDER BY verified_at IS NULL, id)
                   FILTER (WHERE kind IN ('email', 'phone') AND hint <> ''), '{}') AS hints,
            coalesce(array_agg(DISTINCT source) FILTER (WHERE kind = 'platform_user'), '{}') AS platforms,
            coalesce(bool_or(verified_at IS NOT NULL), false) AS verified, max(verified_at) AS verified_at
        FROM identity WHERE customer_id = page.id) AS known
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE state IN ('paid', 'refunded')) AS orders,
            coalesce(array_agg(DISTINCT channel ORDER BY channel), '{}') AS channels,
            max(placed_at) AS last_at,
            min(placed_at) FILTER (WHERE channel <> 'own' AND state IN ('paid', 'refunded')) AS social_at,
            max(placed_at) FILTER (WHERE channel = 'own' AND state IN ('paid', 'refunded')) AS own_at
        FROM orders WHERE customer_id = page.id) AS bought
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('currency', currency, 'minor', minor)
            ORDER BY minor DESC) AS revenue
        FROM (SELECT currency, sum(captured_minor - refunded_minor) AS minor FROM orders
              WHERE customer_id = page.id AND state IN ('paid', 'refunded') GROUP BY currency) AS sums
        ) AS money
    ORDER BY page.id DESC
    """
)
COLUMNS: Final = (
    *("id", "name", "handles", "platforms", "channels", "orders", "revenue", "since", "last_order"),
    *("member_since", "migrated", "signed_in"),
)


@dataclass(frozen=True, kw_only=True)
class Search:
    """What to list. `words`: a part of a name or a masked hint, or a whole e-mail address or phone number.

    `country` (ISO 3166-1): where a phone number without a country code is looked for.
    """

    words: str | None = None
    country: str | None = None
    channel: str | None = None
    bought: bool | None = None
    member: bool | None = None
    migrated: bool | None = None
    suggested: bool | None = None


class Sum(BaseModel):
    """Money in minor units of a currency."""

    currency: str
    minor: int


class PersonRow(BaseModel):
    """One person of the list. `hints` are masked addresses; `revenue` is what was taken less what went back.

    `migrated`: bought on a platform first, and then signed in or bought on the brand's own site.
    `suggestions`: how many others may be the same person.
    """

    id: UUID
    name: str | None
    created_at: datetime
    member_since: datetime | None
    hints: list[str]
    platforms: list[str]
    verified: bool
    orders: int
    channels: list[str]
    last_at: datetime | None
    revenue: list[Sum]
    migrated: bool
    suggestions: int


class PersonPage(BaseModel):
    """Some people, and after whom the next ones begin; None when there are no more."""

    people: list[PersonRow]
    next: UUID | None


class PersonList:
    """Reads the list; it needs the vault to find an address by its hash."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def page(
        self,
        session: AsyncSession,
        brand_id: UUID,
        wanted: Search,
        *,
        open_names: bool,
        after: UUID | None = None,
        limit: int = 50,
    ) -> PersonPage:
        """A page. `open_names`: whether who asks may see what people are called; else they are masked."""
        limit = min(max(limit, 1), AT_A_TIME)
        words = (wanted.words or "").strip()
        values = {
            "brand_id": brand_id,
            "words": f"%{escaped(words)}%" if words else None,
            "hashes": self.hashes(words, wanted.country),
            "channel": wanted.channel,
            "bought": wanted.bought,
            "member": wanted.member,
            "migrated": wanted.migrated,
            "suggested": wanted.suggested,
            "after": after,
            "limit": limit + 1,
        }
        rows = [PersonRow.model_validate(dict(row)) for row in (await run(session, PAGE, values)).mappings()]
        shown = rows[:limit]
        if not open_names:
            shown = [row.model_copy(update={"name": mask_name(row.name)}) for row in shown]
        return PersonPage(people=shown, next=shown[-1].id if len(rows) > limit else None)

    def hashes(self, words: str, country: str | None) -> list[str]:
        """What an e-mail address or phone number is found by; only whole ones are."""
        found = [email_handle(words), phone_handle(words, country)]
        return [self._vault.fingerprint(handle.value) for handle in found if handle]

    async def csv(self, brand_id: UUID, wanted: Search, *, open_names: bool) -> AsyncIterator[str]:
        """The list as a file, in pieces. A byte order mark first: spreadsheets would guess the letters."""
        yield "\ufeff" + line_of(COLUMNS)
        async for row in self._every(brand_id, wanted, open_names):
            yield line_of(cells_of(row))

    async def json(self, brand_id: UUID, wanted: Search, *, open_names: bool) -> AsyncIterator[str]:
        """One JSON array, a person at a time; amounts in minor units."""
        before = "["
        async for row in self._every(brand_id, wanted, open_names):
            yield before + json.dumps(row.model_dump(mode="json"), ensure_ascii=False)
            before = ",\n"
        yield "]\n" if before != "[" else "[]\n"

    async def _every(self, brand_id: UUID, wanted: Search, open_names: bool) -> AsyncIterator[PersonRow]:
        after: UUID | None = None
        while True:
            async with self._db.session() as session:
                found = await self.page(
                    session, brand_id, replace(wanted), open_names=open_names, after=after, limit=AT_A_TIME
                )
            for row in found.people:
                yield row
            after = found.next
            if after is None:
                return


def cells_of(row: PersonRow) -> list[str]:
    """One person as a line of a spreadsheet."""
    money = [
        f"{Money(amount=one.minor, currency=one.currency).decimal()} {one.currency}" for one in row.revenue
    ]
    return [
        str(row.id),
        harmless(row.name or ""),
        harmless(", ".join(row.hints)),
        ", ".join(row.platforms),
        ", ".join(row.channels),
        str(row.orders),
        " + ".join(money),
        row.created_at.isoformat(),
        row.last_at.isoformat() if row.last_at else "",
        row.member_since.isoformat() if row.member_since else "",
        "yes" if row.migrated else "",
        "yes" if row.verified else "",
    ]


def line_of(cells: tuple[str, ...] | list[str]) -> str:
    """One line of CSV."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def escaped(words: str) -> str:
    """For ILIKE."""
    return words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
