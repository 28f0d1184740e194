"""Two versions of the same figures side by side."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution.service import Attribution
from hub.attribution.words import CreditRow, Query


class Change(BaseModel):
    """What one channel got in one currency before and after."""

    key: str
    title: str
    currency: str | None
    before_minor: int
    after_minor: int
    change_minor: int


class Comparison(BaseModel):
    """The rows that both versions have, the largest change first."""

    before: int
    after: int
    rows: list[Change]


async def compare(
    session: AsyncSession, attribution: Attribution, brand_id: UUID, versions: tuple[int, int], query: Query
) -> Comparison:
    """Ask two versions, (before, after), the same."""
    found: list[dict[tuple[str, str], CreditRow]] = []
    for version in versions:
        of = await attribution.runs.get(session, brand_id, version)
        answer = await attribution.of_run(session, of, query)
        found.append({(row.key, row.currency or ""): row for row in answer.rows})
    before, after = found
    rows = []
    for place in {**before, **after}:
        row = after.get(place) or before[place]
        was = before[place].credit_minor if place in before else 0
        now = after[place].credit_minor if place in after else 0
        rows.append(
            Change(
                key=row.key,
                title=row.title,
                currency=row.currency,
                before_minor=was,
                after_minor=now,
                change_minor=now - was,
            )
        )
    rows.sort(key=lambda row: (-abs(row.change_minor), row.key, row.currency or ""))
    return Comparison(before=versions[0], after=versions[1], rows=rows)
