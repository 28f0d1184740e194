"""What somebody must know before the audience does: logins and keys that end, allowances that run low."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.connections.budgets import FORGET, KEPT, Spent, spent_of
from hub.connections.models import Connection
from hub.connections.news import tell_alarms
from hub.connections.service import Connections
from hub.db import Database, run

SHOW_LASTS: Final = timedelta(hours=6)
"""A login must live this long after a show begins."""
AHEAD: Final = timedelta(days=14)
KEY_AHEAD: Final = timedelta(hours=3)
"""A key that is good for hours is fetched shortly before the show; earlier there is nothing to say."""
LATE: Final = timedelta(days=1)
"""A planned show that has not begun for so long is not waited for any more."""

COMING: Final = text(
    """
    SELECT target.connection_id, show.id, show.title, show.starts_at, show.state
    FROM show JOIN show_target AS target ON target.show_id = show.id
    WHERE target.removed_at IS NULL AND target.wanted
      AND (CAST(:brand AS uuid) IS NULL OR show.brand_id = CAST(:brand AS uuid))
      AND (show.state = 'live' OR show.state = 'scheduled' AND show.starts_at BETWEEN :since AND :until)
    ORDER BY show.starts_at, show.id
    """
)

SILENT: Final = text(
    """
    SELECT connection_id, silent_since, problem FROM shop_watch
    WHERE connection_id = ANY(:connections) AND silent_since IS NOT NULL
    """
)

Kind = Literal["login_dead", "login_ends", "key_ends", "shop_silent", "quota_low"]


class Alarm(BaseModel):
    """One account that needs a person.

    `at`: when the login or key ends, the allowance is whole again, or a shop fell silent.

    The show is the next one it concerns, if there is one.
    """

    connection_id: UUID
    connector: str
    name: str
    kind: Kind
    sentence: str
    at: datetime | None
    show_id: UUID | None
    show_title: str | None
    starts_at: datetime | None

    @property
    def mark(self) -> str:
        """What it is about: another mark is another alarm."""
        return f"{self.kind}:{self.show_id or ''}"


@dataclass(frozen=True)
class Silence:
    """An account that no longer tells us of changes; `problem`: why we cannot ask it to, or what to do."""

    since: datetime
    problem: str | None


@dataclass(frozen=True)
class Account:
    """What an alarm is judged by."""

    row: Connection
    title: str
    legible: bool
    renews: bool
    key_life: timedelta | None
    spent: Spent | None
    silent: Silence | None = None
    takes_money: bool = False


@dataclass(frozen=True)
class Coming:
    """A show that is live or about to be."""

    id: UUID
    title: str
    starts_at: datetime | None
    live: bool


class Alarms:
    """Nothing is stored but what screens were told: alarms are made of how things stand."""

    def __init__(self, db: Database, clock: Clock, connections: Connections) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections

    async def of_brand(self, session: AsyncSession, brand_id: UUID) -> list[Alarm]:
        """Every alarm of a brand, the most pressing first."""
        rows = await self._connections.list(session, brand_id)
        raised = [alarm for _, alarm in await self._judge(session, rows, brand_id) if alarm]
        last = self._clock() + AHEAD
        return sorted(raised, key=lambda one: (one.kind != "login_dead", one.starts_at or last))

    async def sweep(self) -> None:
        """Tell screens of alarms that are new or gone, and forget allowances of days long past."""
        async with self._db.session() as session:
            query = select(Connection).where(col(Connection.state) != "off")
            rows = [*(await session.exec(query)).all()]
            for row, alarm in await self._judge(session, rows, None):
                mark = alarm.mark if alarm else None
                if row.alarm != mark:
                    one = col(Connection.id) == row.id
                    await session.exec(update(Connection).where(one).values(alarm=mark))
                    await tell_alarms(session, row.id)
            await run(session, FORGET, {"before": (self._clock() - KEPT).date()})

    async def _judge(
        self, session: AsyncSession, rows: list[Connection], brand_id: UUID | None
    ) -> list[tuple[Connection, Alarm | None]]:
        now = self._clock()
        coming: dict[UUID, list[Coming]] = {}
        values: dict[str, Any] = {"brand": brand_id, "since": now - LATE, "until": now + AHEAD}
        for show in await run(session, COMING, values):
            found = Coming(show.id, show.title, show.starts_at, show.state == "live")
            coming.setdefault(show.connection_id, []).append(found)
        accounts = await self._accounts(session, rows)
        return [(one.row, alarm_of(one, coming.get(one.row.id, []), now)) for one in accounts]

    async def _accounts(self, session: AsyncSession, rows: list[Connection]) -> list[Account]:
        known = [row for row in rows if row.connector in self._connections.connectors]
        legible = {row.id for row in known if self._connections.legible(row)}
        pots = {row.id: self._connections.pot_of(row) if row.id in legible else None for row in known}
        spent = await spent_of(session, [pot for pot in pots.values() if pot], self._clock())
        silent = {
            row.connection_id: Silence(row.silent_since, row.problem)
            for row in await run(session, SILENT, {"connections": [row.id for row in known]})
        }
        found = []
        for row in known:
            connector, pot = self._connections.connector(row.connector), pots[row.id]
            found.append(
                Account(
                    row=row,
                    title=connector.title,
                    legible=row.id in legible,
                    renews=row.id in legible and self._connections.logins.renews(row, connector),
                    key_life=connector.key_life,
                    spent=spent[pot.key] if pot else None,
                    silent=silent.get(row.id),
                    takes_money=connector.payments is not None,
                )
            )
        return found


def alarm_of(account: Account, shows: list[Coming], now: datetime) -> Alarm | None:
    """The gravest thing that is wrong with an account, or None. Pure."""
    row, called = account.row, f"{account.row.name} on {account.title}"
    first = shows[0] if shows else None
    ends = None if account.renews else row.token_expires_at
    if not account.legible or row.state == "reconnect" or (ends and ends <= now):
        reason = row.reason or "The login no longer works. Press Reconnect."
        return raised(row, "login_dead", f"{called}: {reason}", ends, first)
    for show in shows:
        begins = now if show.live else show.starts_at or now
        if ends and ends < begins + SHOW_LASTS:
            words = f"The login of {called} ends before “{show.title}” is over. Press Reconnect to renew it."
            return raised(row, "login_ends", words, ends, show)
        key_ends = key_ends_at(row, account.key_life)
        if key_ends and not show.live and begins - now <= KEY_AHEAD and key_ends <= begins:
            words = (
                f"The stream key of {called} will have run out when “{show.title}” begins. "
                f"Get a new one from {account.title} shortly before, and enter it."
            )
            return raised(row, "key_ends", words, key_ends, show)
    if account.silent:
        todo = account.silent.problem or f"We have asked {account.title} to send it again."
        words = f"{called} no longer tells us of its orders. They are still found, a minute late. {todo}"
        if account.takes_money:
            words = f"{called} no longer tells us of its payments. Refunds made there are missed. {todo}"
        return raised(row, "shop_silent", words, account.silent.since, first)
    if account.spent and account.spent.low:
        words = (
            f"{called}: {account.spent.used:,} of today's {account.spent.units:,} units are used. "
            "Its chat is read less often, and may pause until the allowance is whole again."
        )
        return raised(row, "quota_low", words, account.spent.resets_at, first)
    return None


def raised(row: Connection, kind: Kind, sentence: str, at: datetime | None, show: Coming | None) -> Alarm:
    """An alarm."""
    return Alarm(
        connection_id=row.id,
        connector=row.connector,
        name=row.name,
        kind=kind,
        sentence=sentence,
        at=at,
        show_id=show.id if show else None,
        show_title=show.title if show else None,
        starts_at=show.starts_at if show else None,
    )


def key_ends_at(row: Connection, life: timedelta | None) -> datetime | None:
    """When the stream key that a person entered is no longer good."""
    return row.key_entered_at + life if row.key_entered_at and life else None
