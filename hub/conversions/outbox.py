"""Sends what waits, account by account, and writes down what became of each.

waiting ─▶ sent · withheld (consent was taken back, nothing to know anyone by) · refused (a person must look)
       └─▶ too_old (the platform would not take it any more)

A row is claimed for some time before it is sent: whoever is killed in between sends it again later, and the
platform knows it by its event id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from connectors.errors import ConnectorError, Reconnect, RetryLater
from connectors.types import Conversion as Event
from connectors.types import ConversionLimits, ConversionOutcome
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections, Opened
from hub.conversions import permits
from hub.conversions.ad_ids import AdIdBook
from hub.conversions.models import Conversion, ConversionDesk
from hub.conversions.queue import purchases_of
from hub.conversions.told import Told, contact_of
from hub.customers.models import Customer
from hub.db import Database
from hub.errors import HubError
from hub.jobs import defer
from hub.orders.models import Order
from hub.secrets import Vault

log = structlog.get_logger()

MARGIN: Final = timedelta(minutes=10)
"""A platform's age limit less this: clocks differ, and a request takes its time."""
CLAIMED: Final = timedelta(minutes=2)
"""Longer than any request: so long nobody else sends it."""
FIRST_PAUSE: Final = 30.0
LONGEST_PAUSE: Final = 3600.0
ROUNDS: Final = 20
"""Batches of one job; what is left is for the next."""
SAMPLE_EVERY: Final = timedelta(hours=1)
UNREADABLE: Final = "What is stored of this sale can't be read any more."
NOT_TOLD: Final = "The purchase itself was not told, so there is nothing to take back."
FORGOTTEN: Final = "What was known of it has been erased."
OLD: Final = "It waited longer than this platform takes events for."
STATES: Final = {
    "accepted": "sent",
    "duplicate": "sent",
    "unmatched": "withheld",
    "refused": "refused",
    "too_old": "too_old",
    "later": "waiting",
}


@dataclass(frozen=True)
class Ready:
    """Rows that may be told now, as connectors know them, in the same order."""

    rows: Sequence[UUID]
    events: Sequence[Event]


class Outbox:
    """One job for each account that has something to send."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        connections: Connections,
        book: permits.Book,
        ad_ids: AdIdBook,
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._connections = connections
        self._book = book
        self._ad_ids = ad_ids

    async def find_due(self) -> None:
        """A job for each account with rows that are due and that may be asked now."""
        now = self._clock()
        query = (
            select(Conversion.connection_id)
            .join(Connection, col(Connection.id) == col(Conversion.connection_id))
            .join(ConversionDesk, col(ConversionDesk.connection_id) == col(Connection.id))
            .where(
                col(Conversion.state) == "waiting",
                col(Conversion.next_at) <= now,
                col(Connection.state) == "ok",
                ~col(ConversionDesk.paused),
                col(ConversionDesk.rest_until).is_(None) | (col(ConversionDesk.rest_until) <= now),
            )
            .distinct()
        )
        async with self._db.session() as session:
            for connection_id in (await session.exec(query)).all():
                key = f"conversion.send:{connection_id}"
                await defer(session, "conversion.send", key=key, lock=key, connection_id=str(connection_id))

    async def send(self, connection_id: UUID) -> None:
        """The job. What goes wrong with the platform is written down; the sweep comes again."""
        try:
            async with self._connections.use(connection_id) as opened:
                for _ in range(ROUNDS):
                    if not await self._round(opened):
                        break
        except RetryLater as error:
            await self._rest(connection_id, error)
        except (Reconnect, HubError) as error:
            log.warning("conversions.not_sent", connection=str(connection_id), why=type(error).__name__)
            await self._note(connection_id, problem=str(error))

    async def _round(self, opened: Opened) -> bool:
        """One batch; False when there was nothing left to do."""
        limits, sink_of = opened.connector.conversion_limits, opened.connector.conversions
        if limits is None or sink_of is None:
            return False
        async with self._db.session() as session:
            desk = await session.get(ConversionDesk, opened.row.id)
            if desk is None or desk.paused or (desk.rest_until and desk.rest_until > self._clock()):
                return False
            rows = await self._due(session, opened.row.id, limits.batch)
            ready = await self._prepared(session, rows, opened.connector, limits)
        if not rows:
            return False
        if not ready.events:
            return True
        sink = sink_of(opened.session)
        if not limits.says_login and (
            desk.checked_at is None or self._clock() - desk.checked_at > SAMPLE_EVERY
        ):
            await self._sample(opened, ready.events[0])
        outcomes = await sink.send(ready.events, now=self._clock())
        async with self._db.session() as session:
            await self._settle(session, opened.row.id, ready, outcomes)
        return not any(one.state == "later" for one in outcomes)

    async def _due(self, session: AsyncSession, connection_id: UUID, most: int) -> Sequence[Conversion]:
        query = (
            select(Conversion)
            .where(
                col(Conversion.connection_id) == connection_id,
                col(Conversion.state) == "waiting",
                col(Conversion.next_at) <= self._clock(),
            )
            .order_by(col(Conversion.event_at), col(Conversion.id))
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        return (await session.exec(query)).all()

    async def _prepared(
        self,
        session: AsyncSession,
        rows: Sequence[Conversion],
        connector: AnyConnector,
        limits: ConversionLimits,
    ) -> Ready:
        """Claim what may be told; everything else is settled here: too old, withheld, or not its turn."""
        now = self._clock()
        refunds = [row.order_id for row in rows if row.event_name == "refund" and row.order_id]
        bought = await purchases_of(session, rows[0].connection_id, refunds) if refunds else {}
        ids: list[UUID] = []
        events: list[Event] = []
        for row in rows:
            state = bought.get(row.order_id, "") if row.order_id else ""
            if row.event_at < oldest_taken(limits, now):
                close(row, "too_old", OLD)
            elif row.event_name == "refund" and state in ("withheld", "too_old"):
                close(row, "withheld", NOT_TOLD)
            elif row.event_name == "refund" and state in ("waiting", "refused"):
                row.next_at = now + CLAIMED
            elif event := await self._event(session, row, limits):
                row.attempts += 1
                row.next_at = now + max(CLAIMED, pause(row.attempts))
                ids.append(row.id)
                events.append(event)
            if row.event_name == "purchase" and row.order_id in bought:
                bought[row.order_id] = row.state
        return Ready(ids, events)

    async def _event(self, session: AsyncSession, row: Conversion, limits: ConversionLimits) -> Event | None:
        """The row with its buyer, or None: it was settled as withheld, because consent is asked once more."""
        order = await session.get(Order, row.order_id) if row.order_id else None
        if row.payload_sealed is None or order is None:
            close(row, "withheld", FORGOTTEN)
            return None
        allowed = await self._book.of(session, row.brand_id, order.viewer_id, order.customer_id)
        why = permits.withheld(allowed, limits.purpose)
        if why:
            close(row, "withheld", why)
            return None
        customer = await session.get(Customer, order.customer_id) if order.customer_id else None
        try:
            told = Told.model_validate_json(self._vault.open(row.payload_sealed))
            return told.conversion(
                row.event_name,
                row.event_id,
                row.event_at,
                consent=permits.consent_of(allowed),
                contact=contact_of(order, customer.email_sealed if customer else None, self._vault),
                browser=await self._ad_ids.of(session, row.brand_id, order.viewer_id),
            )
        except ValueError:
            # The secret key was changed, or what is stored is odd: it must not keep the rest from being sent.
            close(row, "refused", UNREADABLE)
            return None

    async def _settle(
        self, session: AsyncSession, connection_id: UUID, ready: Ready, outcomes: Sequence[ConversionOutcome]
    ) -> None:
        """Write down what became of each. A row that somebody else settled meanwhile stays as it is."""
        query = select(Conversion).where(col(Conversion.id).in_(ready.rows)).with_for_update()
        rows = {row.event_id: row for row in await session.exec(query)}
        now = self._clock()
        for outcome in outcomes:
            row = rows.get(outcome.event_id)
            if row is None or row.state != "waiting":
                continue
            row.diagnostics = outcome.diagnostics
            row.with_email, row.with_phone = "email" in outcome.matched, "phone" in outcome.matched
            row.with_click = "click" in outcome.matched
            state = STATES[outcome.state]
            if state == "waiting":
                row.next_at = now + pause(row.attempts)
            else:
                close(row, state, outcome.reason or (OLD if state == "too_old" else ""))
            row.sent_at = now if state == "sent" else None
        desk = await session.get(ConversionDesk, connection_id, with_for_update=True)
        if desk and any(one.state in ("accepted", "duplicate") for one in outcomes):
            desk.last_sent_at, desk.rest_until = now, None
            # A complaint of its checks is for its checks to take back.
            desk.problem = desk.problem if desk.checked_at else None

    async def _sample(self, opened: Opened, event: Event) -> None:
        """Ask a platform that takes everything in silence what it thinks of a real event."""
        if opened.connector.conversions is None:
            return
        try:
            outcome = await opened.connector.conversions(opened.session).check(event, now=self._clock())
        except ConnectorError as error:
            log.info("conversions.not_checked", connection=str(opened.row.id), why=error.reason)
            return
        wrong = outcome.reason if outcome.state == "refused" else None
        await self._note(opened.row.id, problem=wrong, checked_at=self._clock())

    async def _rest(self, connection_id: UUID, error: RetryLater) -> None:
        """Leave the platform alone for as long as it asks."""
        log.info("conversions.later", connection=str(connection_id), why=error.reason)
        until = self._clock() + timedelta(seconds=error.after)
        await self._note(connection_id, problem=error.reason, rest_until=until)

    async def _note(self, connection_id: UUID, **values: Any) -> None:
        async with self._db.session() as session:
            desk = await session.get(ConversionDesk, connection_id, with_for_update=True)
            if desk:
                for name, value in values.items():
                    setattr(desk, name, value)


def close(row: Conversion, state: str, reason: str) -> None:
    """Nothing more happens to it by itself. What it said is kept only where a person may send it again."""
    row.state, row.reason = state, reason
    if state != "refused":
        row.payload_sealed = None


def pause(attempts: int) -> timedelta:
    """Before the next try: half a minute, doubling, an hour at most."""
    return timedelta(seconds=min(FIRST_PAUSE * 2 ** max(0, attempts - 1), LONGEST_PAUSE))


def oldest_taken(limits: ConversionLimits, now: datetime) -> datetime:
    """What happened before this is not sent any more."""
    return now - limits.oldest + MARGIN
