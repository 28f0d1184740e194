"""People as staff read them: the list, one person, what they did, and what is suggested."""

from __future__ import annotations

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.customers.listing import PersonList
from hub.customers.models import Customer
from hub.customers.portrait import PersonOut, portrait
from hub.customers.service import Customers
from hub.customers.timeline import Timeline, timeline
from hub.db import Database
from hub.errors import NotFound
from hub.secrets import Vault


class PeopleView:
    """Reads; changes nothing. `list` is the list and its files."""

    def __init__(self, db: Database, vault: Vault, customers: Customers) -> None:
        self._vault = vault
        self._customers = customers
        self.list = PersonList(db, vault)

    async def person(
        self, session: AsyncSession, brand_id: UUID, person_id: UUID, *, in_the_open: bool
    ) -> PersonOut:
        """One person, whichever of their ids is asked for. NotFound `person_unknown`."""
        return await portrait(session, self._vault, brand_id, person_id, in_the_open=in_the_open)

    async def timeline(
        self, session: AsyncSession, brand_id: UUID, person_id: UUID, cursor: str | None, limit: int
    ) -> Timeline:
        """A page of what they did. NotFound `person_unknown`."""
        found = await session.get(Customer, person_id)
        if found is None or found.brand_id != brand_id:
            raise NotFound("person_unknown", "There is no such person.")
        person = found.merged_into or found.id
        ids = [person, *(one for one in await self._customers.ids_of(session, person) if one != person)]
        visitors = await self._customers.visitors_of(session, person)
        return await timeline(session, self._vault, brand_id, ids, visitors, cursor=cursor, limit=limit)
