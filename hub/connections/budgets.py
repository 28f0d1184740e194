"""A platform's daily allowance, shared by everybody who draws on the same pot, in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import Quota
from connectors.errors import RetryLater
from hub.clock import Clock
from hub.db import Database, run

SPEND: Final = text(
    """
    INSERT INTO quota_use (pot, day, units)
    SELECT :pot, :day, CAST(:units AS bigint) WHERE CAST(:units AS bigint) <= :most
    ON CONFLICT (pot, day) DO UPDATE SET units = quota_use.units + excluded.units
    WHERE quota_use.units + excluded.units <= :most
    RETURNING units
    """
)
"""Compared and added in one statement: two processes never spend the same unit."""
USED: Final = text("SELECT pot, day, units FROM quota_use WHERE pot = ANY(:pots)")
FORGET: Final = text("DELETE FROM quota_use WHERE day < :before")
KEPT: Final = timedelta(days=3)
NEARLY_USED_UP: Final = 0.8


@dataclass(frozen=True)
class Spent:
    """An allowance as it stands: of `units` a day, `used` are gone; it is whole again at `resets_at`."""

    used: int
    units: int
    reserve: int
    resets_at: datetime

    @property
    def low(self) -> bool:
        """Little is left for calls that are not urgent."""
        return self.used >= NEARLY_USED_UP * (self.units - self.reserve)


@dataclass(frozen=True)
class Pot:
    """A connector's quota with its key in the table; the quota's own name may be an app's id."""

    key: str
    quota: Quota

    @classmethod
    def of(cls, brand_id: UUID, connector: str, quota: Quota) -> Pot:
        """The same for all of a brand's connections that share it.

        Not for other brands' as well: an app's id is public, and naming it would drain somebody else's day.
        """
        return cls(hashlib.sha256(f"{brand_id}\0{connector}\0{quota.pot}".encode()).hexdigest(), quota)

    def day(self, now: datetime) -> date:
        """The platform's day."""
        return now.astimezone(ZoneInfo(self.quota.zone)).date()

    def resets_at(self, now: datetime) -> datetime:
        """Its next midnight, in UTC."""
        tomorrow = self.day(now) + timedelta(days=1)
        return datetime.combine(tomorrow, time(), ZoneInfo(self.quota.zone)).astimezone(UTC)


class SharedBudget:
    """The budget of one connection (`connectors.session.Budget`)."""

    def __init__(self, db: Database, clock: Clock, pot: Pot) -> None:
        self._db = db
        self._clock = clock
        self._pot = pot

    async def spend(self, units: int, *, urgent: bool = False) -> None:
        """Note the cost of a call that is about to be made. Raises RetryLater until the day is over."""
        quota, now = self._pot.quota, self._clock()
        most = quota.units if urgent else quota.units - quota.reserve
        values = {"pot": self._pot.key, "day": self._pot.day(now), "units": units, "most": most}
        async with self._db.session() as session:
            if (await run(session, SPEND, values)).first():
                return
        whole_again = self._pot.resets_at(now)
        raise RetryLater(
            "The platform's allowance for today is used up. "
            f"It begins anew at {whole_again:%H:%M} UTC, and everything goes on then by itself.",
            (whole_again - now).total_seconds(),
        )

    async def left(self) -> int | None:
        """Units a call that is not urgent may still use."""
        async with self._db.session() as session:
            spent = (await spent_of(session, [self._pot], self._clock()))[self._pot.key]
        return max(0, spent.units - spent.reserve - spent.used)


async def spent_of(session: AsyncSession, pots: Sequence[Pot], now: datetime) -> dict[str, Spent]:
    """How much of each pot is used today, by the pot's key."""
    if not pots:
        return {}
    rows = await run(session, USED, {"pots": [pot.key for pot in pots]})
    used = {(row.pot, row.day): int(row.units) for row in rows}
    return {
        pot.key: Spent(
            used=used.get((pot.key, pot.day(now)), 0),
            units=pot.quota.units,
            reserve=pot.quota.reserve,
            resets_at=pot.resets_at(now),
        )
        for pot in pots
    }
