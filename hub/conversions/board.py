"""What staff see of it: each account's figures, what is wrong, what buyers are recognised by, and a test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import BaseModel, SecretStr
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from connectors.errors import Refused
from connectors.types import Browser, Contact, Conversion, ConversionConsent, Money
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections, in_our_words
from hub.conversions.models import Conversion as Row
from hub.conversions.models import ConversionDesk
from hub.conversions.outbox import oldest_taken
from hub.db import run
from hub.errors import Conflict, NotFound

LOOK_BACK: Final = timedelta(days=30)
FIGURES: Final = text(
    """
    SELECT connection_id, state, reason, count(*) AS many, count(*) FILTER (WHERE with_email) AS email,
        count(*) FILTER (WHERE with_phone) AS phone, count(*) FILTER (WHERE with_click) AS click
    FROM conversion WHERE brand_id = :brand_id AND seen_at IS NULL
        AND (state IN ('waiting', 'refused') OR event_at > :since)
    GROUP BY connection_id, state, reason ORDER BY count(*) DESC
    """
)
ROWS: Final = text(
    """
    SELECT conversion.id, conversion.event_name, conversion.state, conversion.reason, conversion.attempts,
        conversion.event_at, conversion.sent_at, conversion.value_minor, conversion.currency,
        conversion.order_id, orders.number, conversion.payload_sealed IS NOT NULL AS known
    FROM conversion LEFT JOIN orders ON orders.id = conversion.order_id
    WHERE conversion.brand_id = :brand_id AND conversion.connection_id = :connection_id
        AND conversion.state = :state AND conversion.seen_at IS NULL
    ORDER BY conversion.event_at DESC, conversion.id DESC LIMIT :most
    """
)
UNSAID: Final = (
    "Google found nothing wrong with it. Google never says whether the API secret is right: look into "
    "Realtime in Google Analytics after the next purchase."
)


class Why(BaseModel):
    """A reason, and how many were withheld for it."""

    reason: str
    count: int


class Quality(BaseModel):
    """Of what was sent in 30 days: how many came with something to recognise the buyer by."""

    sent: int = 0
    email: int = 0
    phone: int = 0
    click: int = 0


class Figures(BaseModel):
    """How many are where. `sent`, `withheld` and `too_old`: of the last 30 days."""

    waiting: int = 0
    sent: int = 0
    withheld: int = 0
    refused: int = 0
    too_old: int = 0
    withheld_why: list[Why] = []
    quality: Quality = Quality()


class Account(BaseModel):
    """One account that is told of conversions. `problem`: what it, or its login, said last."""

    connection_id: UUID
    connector: str
    title: str
    name: str
    linked: bool
    purpose: str
    keeps_days: float
    problem: str | None
    rest_until: datetime | None
    last_sent_at: datetime | None
    shops: bool
    paused: bool
    figures: Figures


class EventOut(BaseModel):
    """One conversion. `again`: it may be sent again, for the platform would still take it."""

    id: UUID
    event_name: str
    state: str
    reason: str
    attempts: int
    event_at: datetime
    sent_at: datetime | None
    value_minor: int | None
    currency: str | None
    order_id: UUID | None
    number: str | None
    again: bool


class Tested(BaseModel):
    """The platform's answer to a test event, in words."""

    ok: bool
    words: str


class Board:
    """Reads for the studio, and what staff decide there."""

    def __init__(self, clock: Clock, connections: Connections) -> None:
        self._clock = clock
        self._connections = connections

    async def accounts(self, session: AsyncSession, brand_id: UUID) -> list[Account]:
        """Every account of a brand that takes conversions, oldest first."""
        rows = [
            row
            for row in await self._connections.list(session, brand_id)
            if self._connections.connector(row.connector).conversions
        ]
        query = select(ConversionDesk).where(col(ConversionDesk.brand_id) == brand_id)
        desks = {desk.connection_id: desk for desk in await session.exec(query)}
        figures = await self._figures(session, brand_id)
        return [self._account(row, desks.get(row.id), figures.get(row.id, Figures())) for row in rows]

    async def events(
        self, session: AsyncSession, brand_id: UUID, connection_id: UUID, state: str
    ) -> list[EventOut]:
        """The newest of one account in one state."""
        row, connector = await self._taker(session, brand_id, connection_id)
        limits = connector.conversion_limits
        values = {"brand_id": brand_id, "connection_id": row.id, "state": state, "most": 100}
        found = (await run(session, ROWS, values)).mappings()
        oldest = oldest_taken(limits, self._clock()) if limits else self._clock()
        return [
            EventOut(**one, again=one["state"] == "refused" and one["known"] and one["event_at"] >= oldest)
            for one in found
        ]

    async def change(
        self, session: AsyncSession, brand_id: UUID, connection_id: UUID, changes: Mapping[str, bool]
    ) -> None:
        """Which orders it is told of, and whether it is told at all."""
        row, _ = await self._taker(session, brand_id, connection_id)
        desk = await session.get(ConversionDesk, row.id, with_for_update=True)
        if desk is None:
            raise Conflict("just_linked", "This account was linked just now. Try again in a few seconds.")
        for name, value in changes.items():
            setattr(desk, name, value)

    async def again(self, session: AsyncSession, brand_id: UUID, conversion_id: UUID) -> None:
        """Send a refused one once more."""
        row = await self._row(session, brand_id, conversion_id)
        connection = await session.get_one(Connection, row.connection_id)
        limits = self._connections.connector(connection.connector).conversion_limits
        if row.state != "refused" or row.payload_sealed is None:
            raise Conflict("not_refused", "Only an event that was refused can be sent again.")
        if limits is None or row.event_at < oldest_taken(limits, self._clock()):
            raise Conflict("too_old", "It is too old by now: the platform would not take it.")
        row.state, row.reason, row.attempts, row.next_at = "waiting", "", 0, self._clock()

    async def dismiss(self, session: AsyncSession, brand_id: UUID, conversion_id: UUID) -> None:
        """A person has seen a refused one and leaves it at that."""
        row = await self._row(session, brand_id, conversion_id)
        row.seen_at, row.payload_sealed = self._clock(), None

    async def test(self, connection_id: UUID) -> Tested:
        """Send a made-up purchase as a test, and say what the platform answered."""
        event = made_up(self._clock())
        with in_our_words():
            async with self._connections.use(connection_id) as opened:
                if opened.connector.conversions is None:
                    raise NotFound("no_conversions", "This account takes no conversions.")
                try:
                    sink = opened.connector.conversions(opened.session)
                    outcome = await sink.check(event, now=self._clock())
                except Refused as error:
                    return Tested(ok=False, words=error.reason)
                limits = opened.connector.conversion_limits
        if outcome.state != "accepted":
            return Tested(ok=False, words=outcome.reason or "The platform did not take it.")
        if limits and not limits.says_login:
            return Tested(ok=True, words=UNSAID)
        return Tested(ok=True, words="It arrived. It shows in the platform's test view and is not counted.")

    async def taker(self, session: AsyncSession, brand_id: UUID, connection_id: UUID) -> Connection:
        """An account of the brand that takes conversions."""
        return (await self._taker(session, brand_id, connection_id))[0]

    async def _taker(
        self, session: AsyncSession, brand_id: UUID, connection_id: UUID
    ) -> tuple[Connection, AnyConnector]:
        row = await self._connections.get(session, brand_id, connection_id)
        connector = self._connections.connector(row.connector)
        if connector.conversions is None:
            raise NotFound("no_conversions", "This account takes no conversions.")
        return row, connector

    async def _row(self, session: AsyncSession, brand_id: UUID, conversion_id: UUID) -> Row:
        row = await session.get(Row, conversion_id, with_for_update=True)
        if row is None or row.brand_id != brand_id:
            raise NotFound("conversion_unknown", "There is no such event.")
        return row

    async def _figures(self, session: AsyncSession, brand_id: UUID) -> dict[UUID, Figures]:
        values = {"brand_id": brand_id, "since": self._clock() - LOOK_BACK}
        found: dict[UUID, Figures] = {}
        for row in (await run(session, FIGURES, values)).all():
            of = found.setdefault(row.connection_id, Figures(withheld_why=[], quality=Quality()))
            setattr(of, row.state, getattr(of, row.state) + row.many)
            if row.state == "withheld":
                of.withheld_why.append(Why(reason=row.reason, count=row.many))
            elif row.state == "sent":
                before = of.quality
                of.quality = Quality(
                    sent=before.sent + row.many,
                    email=before.email + row.email,
                    phone=before.phone + row.phone,
                    click=before.click + row.click,
                )
        return found

    def _account(self, row: Connection, desk: ConversionDesk | None, figures: Figures) -> Account:
        connector = self._connections.connector(row.connector)
        limits = connector.conversion_limits
        kept: dict[str, Any] = {"shops": False, "paused": False, "rest_until": None, "last_sent_at": None}
        if desk:
            kept = desk.model_dump(include=set(kept))
        return Account(
            connection_id=row.id,
            connector=row.connector,
            title=connector.title,
            name=row.name,
            linked=row.state == "ok",
            purpose=limits.purpose if limits else "ads",
            keeps_days=limits.oldest / timedelta(days=1) if limits else 0,
            problem=row.reason if row.state == "reconnect" else desk.problem if desk else None,
            figures=figures,
            **kept,
        )


def made_up(now: datetime) -> Conversion:
    """A purchase that nobody made, of somebody who does not exist."""
    mark = uuid4().hex
    return Conversion(
        event="purchase",
        event_id=f"test:{mark}:purchase",
        at=now,
        money=Money(amount=100, currency="EUR"),
        order_id=f"test-{mark}",
        consent=ConversionConsent(analytics=True, ads=True),
        contact=Contact(email=SecretStr("test@example.com")),
        browser=Browser(ga_client="1000000001.1000000001", user_agent=SecretStr("Simulcast Hub test")),
        source_url="https://example.com/",
    )
