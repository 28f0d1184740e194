"""Who bought: one customer per person, found again by e-mail or platform account on every channel.

An e-mail or a platform account is proof; a browser is not (families share it), so a visitor only lends
its touches to the customer who orders from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.customers.models import Customer, Identity
from hub.db import run
from hub.orders.models import Order
from hub.secrets import Vault
from hub.visits.models import Touch


@dataclass(frozen=True)
class Handle:
    """One way to recognise a person."""

    kind: str
    value: str


@dataclass(frozen=True)
class Person:
    """What an order says about its buyer."""

    name: str | None = None
    email: str | None = None
    platform: str | None = None
    platform_user: str | None = None

    def handles(self) -> list[Handle]:
        """The proofs among it, strongest first, normalised."""
        found = []
        if self.email and "@" in self.email:
            found.append(Handle("email", self.email.strip().lower()))
        if self.platform and self.platform_user:
            found.append(Handle("platform_user", f"{self.platform}:{self.platform_user}"))
        return found


class Customers:
    """The identity graph."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def recognise(self, session: AsyncSession, brand_id: UUID, person: Person) -> Customer:
        """The one customer this person is; made if new, merged if two turn out to be one."""
        hashes = {handle: self._vault.fingerprint(handle.value) for handle in person.handles()}
        for value in sorted(hashes.values()):
            # Two orders of one new person at the same instant must not become two customers.
            await run(session, text("SELECT pg_advisory_xact_lock(hashtextextended(:v, 0))"), {"v": value})
        known = await self._known(session, brand_id, [*hashes.values()])
        found = [*dict.fromkeys(identity.customer_id for identity in known)]
        customer = await self._one_of(session, brand_id, found, person)
        have = {(identity.kind, identity.value_hash) for identity in known}
        for handle, value in hashes.items():
            if (handle.kind, value) not in have:
                session.add(
                    Identity(
                        brand_id=brand_id,
                        customer_id=customer.id,
                        kind=handle.kind,
                        value_hash=value,
                        source=person.platform or "own",
                    )
                )
        await session.flush()
        return customer

    async def claim_visits(self, session: AsyncSession, customer: Customer, visitor_id: str) -> None:
        """The visits of the browser that ordered are this customer's, unless they were another's."""
        await session.exec(
            update(Touch)
            .where(
                col(Touch.brand_id) == customer.brand_id,
                col(Touch.visitor_id) == visitor_id,
                col(Touch.customer_id).is_(None),
            )
            .values(customer_id=customer.id)
        )

    async def _known(self, session: AsyncSession, brand_id: UUID, hashes: list[str]) -> Sequence[Identity]:
        query = (
            select(Identity)
            .where(col(Identity.brand_id) == brand_id, col(Identity.value_hash).in_(hashes))
            .order_by(col(Identity.created_at))
        )
        return (await session.exec(query)).all()

    async def _one_of(
        self, session: AsyncSession, brand_id: UUID, found: list[UUID], person: Person
    ) -> Customer:
        if not found:
            customer = Customer(brand_id=brand_id, name=person.name)
            session.add(customer)
            await session.flush()
        else:
            query = select(Customer).where(col(Customer.id) == min(found)).with_for_update()
            customer = (await session.exec(query)).one()
            for other in found:
                if other != customer.id:
                    await self._merge(session, customer, other)
        customer.name = customer.name or person.name
        if person.email and customer.email_sealed is None:
            customer.email_sealed = self._vault.seal(person.email.strip())
        return customer

    async def _merge(self, session: AsyncSession, kept: Customer, other: UUID) -> None:
        for table in (Identity, Touch, Order):
            await session.exec(
                update(table).where(col(table.customer_id) == other).values(customer_id=kept.id)
            )
        await session.exec(update(Customer).where(col(Customer.id) == other).values(merged_into=kept.id))
