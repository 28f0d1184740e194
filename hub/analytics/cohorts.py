"""Cohorts: who fits a definition, how they compare with everybody else, and definitions kept by name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.asking import PRESENT, ask
from hub.analytics.audience import shows_of
from hub.analytics.comparing import FEWEST_PEOPLE, Ratio, means, note_of, shares
from hub.analytics.compiling import Ask, Compiled, compiled, empty_values
from hub.analytics.conditions import Definition, read_definition
from hub.analytics.models import Cohort
from hub.analytics.money import SALE, Scope, per, share
from hub.clock import Clock
from hub.db import run
from hub.errors import Conflict, NotFound
from hub.events.log import EventLog
from hub.secrets import Vault

AUTHORS: Final = text(
    """
    SELECT DISTINCT platform, author_id FROM message WHERE brand_id = :brand_id AND show_id = ANY(:shows)
      AND platform <> 'own' AND author_id IS NOT NULL AND NOT outgoing
    """
)
KNOWN: Final = text(
    """
    SELECT value_hash, customer_id FROM identity
    WHERE brand_id = :brand_id AND kind = 'platform_user' AND state = 'ok' AND value_hash = ANY(:hashes)
    """
)
VIEWERS: Final = f"SELECT DISTINCT viewer_id FROM {{events}} AS event WHERE {PRESENT}"  # noqa: S608
WATCHED: Final = f"""
    SELECT viewer_id FROM (
        SELECT viewer_id, "at" - lag("at") OVER (PARTITION BY viewer_id, show_id ORDER BY "at") AS pause
        FROM {{events}} AS event WHERE {PRESENT})
    WHERE pause <= INTERVAL 90 SECOND
    GROUP BY 1 HAVING sum(epoch_ms(pause)) >= (SELECT max(minutes) FROM given) * 60000"""  # noqa: S608
"""Time with the page open: pauses of up to 90 seconds between two signs of life."""
LOOKED: Final = """
    SELECT DISTINCT viewer_id FROM {events} AS event JOIN given ON given.product = event.product_id
    WHERE kind IN ('product_view', 'product_click', 'cart_add') AND viewer_id IS NOT NULL"""
NO_EVENTS: Final = (
    "No viewer events are kept of these shows: nobody can be said to have watched or viewed anything."
)


class Side(BaseModel):
    """Those who fit, or everybody else. Money in minor units by currency."""

    people: int
    buyers: int
    conversion: float | None
    net_minor: dict[str, int]
    revenue_per_person_minor: dict[str, int | None]


class CohortResult(BaseModel):
    """Who fits, beside everybody else who was there. `revenue`: by currency; `note`: a warning in words."""

    cohort: Side
    others: Side
    conversion: Ratio
    revenue: dict[str, Ratio]
    small: bool
    note: str
    notes: list[str]


class Cohorts:
    """Answers definitions and keeps them. It needs the vault to find a chat's author among known handles."""

    def __init__(self, clock: Clock, vault: Vault, log: EventLog) -> None:
        self._clock = clock
        self._vault = vault
        self._log = log

    async def result(self, session: AsyncSession, scope: Scope, definition: Definition) -> CohortResult:
        """Counts, conversion and money of both sides, and how sure the difference is."""
        found, values, notes = await self._ready(session, scope, definition)
        query = text(
            f"""
            WITH {SALE}, {found.parts()},
            spent AS (
                SELECT coalesce(alias.person, sale.buyer) AS person, currency, sum(net)::bigint AS net
                FROM sale LEFT JOIN alias ON alias.raw = sale.buyer
                WHERE NOT off AND show_id = ANY(:shows) GROUP BY 1, 2)
            SELECT fits, NULL AS currency, count(*) AS people,
                count(*) FILTER (WHERE person IN (SELECT person FROM spent)) AS buyers,
                0::numeric AS net, 0::numeric AS squares
            FROM chosen GROUP BY 1
            UNION ALL
            SELECT fits, currency, 0, 0, sum(net), sum(net::numeric * net)
            FROM chosen JOIN spent USING (person) GROUP BY 1, 2
            """  # noqa: S608 - names of ours; every value is bound
        )
        rows = (await run(session, query, {**scope.values(), **values})).mappings().all()
        return result_of([dict(row) for row in rows], notes)

    async def people(
        self, session: AsyncSession, scope: Scope, definition: Definition, limit: int = 100_000
    ) -> list[dict[str, Any]]:
        """Who fits: a known person's customer id, or a viewer's own or a platform's name for them."""
        found, values, _ = await self._ready(session, scope, definition)
        query = text(
            f"""
            WITH {found.parts()}
            SELECT chosen.person, customer.id AS customer_id FROM chosen
            LEFT JOIN customer ON customer.brand_id = :brand_id AND customer.id::text = chosen.person
            WHERE fits ORDER BY 1 LIMIT :limit
            """  # noqa: S608 - names of ours; every value is bound
        )
        rows = (await run(session, query, {**values, "limit": limit})).mappings()
        return [
            {"person": row["person"], "customer_id": str(row["customer_id"]) if row["customer_id"] else None}
            for row in rows
        ]

    async def customers(self, session: AsyncSession, brand_id: UUID, cohort_id: UUID) -> set[UUID]:
        """The known people of a saved cohort, for whoever uses it as a segment: over all shows of the brand,
        or the one it was drawn up for."""
        row = await self.get(session, brand_id, cohort_id)
        scope = Scope(brand_id=brand_id, show_id=row.show_id)
        found = await self.people(session, scope, read_definition(row.definition))
        return {UUID(one["customer_id"]) for one in found if one["customer_id"]}

    async def saved(self, session: AsyncSession, brand_id: UUID) -> Sequence[Cohort]:
        """By name."""
        query = select(Cohort).where(col(Cohort.brand_id) == brand_id).order_by(col(Cohort.name))
        return (await session.exec(query)).all()

    async def get(self, session: AsyncSession, brand_id: UUID, cohort_id: UUID) -> Cohort:
        """One of the brand's."""
        query = select(Cohort).where(col(Cohort.id) == cohort_id, col(Cohort.brand_id) == brand_id)
        row = (await session.exec(query)).first()
        if row is None:
            raise NotFound("cohort_unknown", "There is no such cohort.")
        return row

    async def save(self, session: AsyncSession, row: Cohort) -> Cohort:
        """Keep a new or a changed one. Conflict where the name is taken."""
        row.updated_at, name = self._clock(), row.name
        session.add(row)
        try:
            await session.flush()
        except IntegrityError as error:
            raise Conflict(
                "name_taken", f"There is a cohort called {name!r} already. Choose another name."
            ) from error
        return row

    async def remove(self, session: AsyncSession, row: Cohort) -> None:
        """Forget a definition. Conflict `in_use` while a group of customers is made of it."""
        name = row.name
        await session.delete(row)
        try:
            await session.flush()
        except IntegrityError as error:
            raise Conflict(
                "in_use", f"A group of customers is made of {name!r}. Remove that group first."
            ) from error

    async def _ready(
        self, session: AsyncSession, scope: Scope, definition: Definition
    ) -> tuple[Compiled, dict[str, Any], list[str]]:
        """The SQL, all its values, and what could not be asked."""
        shows = await shows_of(session, scope)
        found = compiled(definition)
        values = {**empty_values(scope.brand_id, shows), **found.values}
        values["authors"], values["author_customers"] = await self._authors(session, scope.brand_id, shows)
        told = await asyncio.to_thread(from_events, self._log, scope.brand_id, shows, found.asks)
        notes = [NO_EVENTS] if found.asks and not told["present"] else []
        return found, {**values, **told}, notes

    async def _authors(
        self, session: AsyncSession, brand_id: UUID, shows: Sequence[UUID]
    ) -> tuple[list[str], list[UUID]]:
        """Authors of chats who are known people: only a keyed hash of their handle is kept."""
        rows = (await run(session, AUTHORS, {"brand_id": brand_id, "shows": [*shows]})).all()
        # In a thread: everybody who ever wrote in these shows' chats.
        handles = await asyncio.to_thread(self._by_hash, rows)
        known = await run(session, KNOWN, {"brand_id": brand_id, "hashes": [*handles]})
        pairs = [
            (f"{handles[row.value_hash].platform}:{handles[row.value_hash].author_id}", row.customer_id)
            for row in known
        ]
        return [raw for raw, _ in pairs], [customer for _, customer in pairs]

    def _by_hash(self, rows: Sequence[Any]) -> dict[str, Any]:
        return {self._vault.fingerprint(f"{row.platform}:{row.author_id}"): row for row in rows}


def from_events(
    log: EventLog, brand_id: UUID, shows: Sequence[UUID], asks: Sequence[Ask]
) -> dict[str, list[str]]:
    """Who was present, and the answer to every question to the log, by name. For a thread."""
    if not any(log.files(brand_id, show) for show in shows):
        return {"present": []}
    told = {"present": [row[0] for row in ask(log, brand_id, shows, VIEWERS)]}
    for one in asks:
        if one.what == "watched":
            rows = ask(log, brand_id, shows, WATCHED, ("minutes INT", [[one.minutes]]))
        else:
            rows = ask(log, brand_id, shows, LOOKED, ("product UUID", [[str(one.product_id)]]))
        told[one.name] = [row[0] for row in rows]
    return told


def result_of(rows: list[dict[str, Any]], notes: list[str]) -> CohortResult:
    """Rows of people (without a currency) and of money, of both sides."""
    mine, others = side_of(rows, fits=True), side_of(rows, fits=False)
    sums = {(row["fits"], row["currency"]): (int(row["net"]), int(row["squares"])) for row in rows}
    nothing = (0, 0)
    revenue = {
        currency: means(
            *sums.get((True, currency), nothing),
            mine.people,
            (*sums.get((False, currency), nothing), others.people),
        )
        for currency in sorted(mine.net_minor.keys() | others.net_minor.keys())
    }
    return CohortResult(
        cohort=mine,
        others=others,
        conversion=shares(mine.buyers, mine.people, others.buyers, others.people),
        revenue=revenue,
        small=min(mine.people, others.people) < FEWEST_PEOPLE,
        note=note_of(mine.people, others.people, mine.buyers),
        notes=notes,
    )


def side_of(rows: list[dict[str, Any]], *, fits: bool) -> Side:
    """One side of the comparison."""
    own = [row for row in rows if row["fits"] is fits]
    people = next((row["people"] for row in own if row["currency"] is None), 0)
    buyers = next((row["buyers"] for row in own if row["currency"] is None), 0)
    net = {row["currency"]: int(row["net"]) for row in own if row["currency"]}
    return Side(
        people=people,
        buyers=buyers,
        conversion=share(buyers, people),
        net_minor=net,
        revenue_per_person_minor={currency: per(minor, people) for currency, minor in net.items()},
    )
