"""Who saw personal data in the open: written down with every look, shown to the owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Member
from hub.auth.service import Staff
from hub.clock import Clock
from hub.privacy.models import LookLog

MOST_LISTED: Final = 200
SAME_LOOK: Final = timedelta(minutes=5)
"""A page that is loaded again while somebody works on it is one look."""


class Looks:
    """The log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def note(
        self, session: AsyncSession, staff: Staff, subject: str, subject_id: UUID, fields: Sequence[str]
    ) -> None:
        """Write down that this member saw these fields of an order, a customer or an export."""
        if not fields:
            return
        before = select(LookLog.id).where(
            col(LookLog.member_id) == staff.member_id,
            col(LookLog.subject_id) == subject_id,
            col(LookLog.fields) == list(fields),
            col(LookLog.at) > self._clock() - SAME_LOOK,
        )
        if (await session.exec(before.limit(1))).first() is None:
            session.add(
                LookLog(
                    brand_id=staff.brand_id,
                    member_id=staff.member_id,
                    subject=subject,
                    subject_id=subject_id,
                    fields=list(fields),
                    at=self._clock(),
                )
            )

    async def newest(self, session: AsyncSession, brand_id: UUID) -> Sequence[tuple[LookLog, str]]:
        """The newest first, with the member's name."""
        query = (
            select(LookLog, Member.name)
            .join(Member, col(Member.id) == col(LookLog.member_id))
            .where(col(LookLog.brand_id) == brand_id)
            .order_by(col(LookLog.at).desc())
            .limit(MOST_LISTED)
        )
        return (await session.exec(query)).all()
