"""A brand's gateways: which one a new payment goes to, and how one is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector, PaymentGateway
from connectors.errors import ConnectorError, Refused
from connectors.types import Money, PaymentForm
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import finish_early
from hub.errors import Conflict, HubError
from hub.payments.models import GatewayRank
from hub.payments.pacing import Pacer
from hub.payments.timing import Timing, Timings, unwell

log = structlog.get_logger()

FORM_SECONDS: Final = 4.0
"""Longer than this no buyer waits for card fields: the next gateway is asked."""
BUDGET_SECONDS: Final = 3.0
"""For a gateway that states no time of its own."""
NONE: Final = "This shop has no payment account linked yet."
TEST_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "stripe": (
        "pm_card_visa",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "pm_card_threeDSecure2Required",
    )
}
"""Ready-made tokens of test cards, where a gateway has such."""

T = TypeVar("T")


@dataclass(frozen=True)
class GatewayChoice:
    """The account that takes a brand's money."""

    connection_id: UUID
    connector: str
    test: bool
    title: str = ""


@dataclass(frozen=True)
class Ranked:
    """A gateway in the order of use. `unwell`: slow or failing of late, so new payments avoid it."""

    row: Connection
    connector: AnyConnector
    position: int
    budget_ms: int
    unwell: bool
    timings: Sequence[Timing]

    @property
    def usable(self) -> bool:
        """Whether it is linked and its login works."""
        return self.row.state == "ok"


class Gateways:
    """Every way a gateway is reached: in its order, paced and measured."""

    def __init__(self, connections: Connections, pacer: Pacer, timings: Timings) -> None:
        self._connections = connections
        self._pacer = pacer
        self._timings = timings

    async def ranked(self, session: AsyncSession, brand_id: UUID) -> list[Ranked]:
        """All of a brand's gateways as a person ordered them; those never ordered last, oldest first."""
        query = select(GatewayRank).where(col(GatewayRank.brand_id) == brand_id)
        ranks = {row.connection_id: row for row in await session.exec(query)}
        recent = await self._timings.recent(session, brand_id)
        found = []
        for place, row in enumerate(await self._connections.list(session, brand_id)):
            connector = self._connections.connector(row.connector)
            if connector.payments is None:
                continue
            rank = ranks.get(row.id)
            budget = rank.budget_ms if rank and rank.budget_ms else budget_of(connector)
            mine = [one for one in recent if one.connection_id == row.id]
            position = rank.position if rank else 1000 + place
            found.append(Ranked(row, connector, position, budget, unwell(mine, budget), mine))
        return sorted(found, key=lambda one: one.position)

    async def in_turn(self, session: AsyncSession, brand_id: UUID) -> list[Ranked]:
        """Those a new payment may go to, first the ones that are well. Conflict when there is none."""
        usable = [one for one in await self.ranked(session, brand_id) if one.usable]
        if not usable:
            raise Conflict("no_gateway", NONE)
        return sorted(usable, key=lambda one: one.unwell)

    async def choose(self, session: AsyncSession, brand_id: UUID, wanted: str | None = None) -> GatewayChoice:
        """The gateway a payment goes to: the one whose fields made its source, else the first in turn."""
        found = await self.in_turn(session, brand_id)
        if wanted:
            found = [one for one in found if wanted in (str(one.row.id), one.row.connector)]
        if not found:
            raise Conflict("gateway_gone", "This way to pay is no longer offered. Load the page again.")
        return self.choice(found[0].row)

    def choice(self, row: Connection) -> GatewayChoice:
        """What is known of an account without asking it."""
        test = bool(getattr(self._connections.config_of(row), "test_mode", False))
        return GatewayChoice(row.id, row.connector, test, self._connections.connector(row.connector).title)

    async def form(
        self,
        session: AsyncSession,
        brand_id: UUID,
        amount: Money,
        customers: Mapping[UUID, str],
        only: UUID | None = None,
    ) -> tuple[GatewayChoice, PaymentForm]:
        """The fields of the first gateway that takes this amount and currency, and answers in time.

        With `only`, those of this account or none. Conflict `no_gateway` | `no_form`.
        """
        refusals: list[str] = []
        spare: tuple[GatewayChoice, PaymentForm] | None = None
        if only:
            rows = [await session.get_one(Connection, only)]
        else:
            rows = [one.row for one in await self.in_turn(session, brand_id)]
        # Gives the connection back: asking a gateway takes seconds, and needs one itself to find the login.
        await finish_early(session)
        for row in rows:
            choice = self.choice(row)
            try:
                form = await self._form(row.id, amount, customers.get(row.id))
            except Refused as refused:
                refusals.append(refused.reason)
                continue
            except (ConnectorError, HubError, TimeoutError) as error:
                log.warning("payment.form_failed", gateway=row.connector, why=type(error).__name__)
                continue
            if form.script_url or form.public:
                return choice, form
            spare = spare or (choice, form)
        if spare:
            return spare
        why = refusals[0] if refusals else "The payment service is not answering. Please try again."
        raise Conflict("no_form", why)

    async def ask(
        self, connection_id: UUID, operation: str, order: str, call: Callable[[Any], Awaitable[T]]
    ) -> T:
        """Make a call when it is its turn, and measure it."""
        async with (
            self._opened(connection_id) as (gateway, connector),
            self._pacer.turn(connection_id, operation, connector.payment_pace, order),
            self._timings.timed(connection_id, operation),
        ):
            return await call(gateway)

    async def _form(self, connection_id: UUID, amount: Money, customer: str | None) -> PaymentForm:
        async with asyncio.timeout(FORM_SECONDS):
            return await self.ask(
                connection_id, "form", "", lambda gateway: gateway.form(amount, customer=customer)
            )

    def connector_of(self, name: str) -> AnyConnector:
        """A payment's connector, for what it says about itself."""
        return self._connections.connector(name)

    @asynccontextmanager
    async def _opened(self, connection_id: UUID) -> AsyncIterator[tuple[PaymentGateway, AnyConnector]]:
        async with self._connections.use(connection_id) as opened:
            if opened.connector.payments is None:
                raise Refused(f"{opened.connector.title} takes no payments.")
            yield opened.connector.payments(opened.session), opened.connector


def budget_of(connector: AnyConnector) -> int:
    """Milliseconds an authorisation may take, where nobody set another time."""
    return round((connector.payment_seconds or BUDGET_SECONDS) * 1000)
