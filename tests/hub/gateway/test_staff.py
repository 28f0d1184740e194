"""A ticket is good for a minute, and who it was given to may go sooner: it is asked when a screen comes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from hub.auth.models import Brand, Member, StaffSession
from hub.auth.service import Auth
from hub.db import Database
from hub.gateway.staff import StaffScreens
from tests.hub.shop import SetClock

NEVER = 3600.0


class Page:
    """A screen."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def close(self) -> None:
        self.closed.set()


async def session_of(db: Database, clock: SetClock, *, removed: bool) -> UUID:
    """Somebody who signed in as a producer, and may have been removed since."""
    async with db.session() as session:
        brand = Brand(name="Linnea", slug=uuid4().hex)
        session.add(brand)
        await session.flush()
        email, gone = f"{uuid4().hex}@example.com", clock() if removed else None
        member = Member(
            brand_id=brand.id, email=email, name="Ana", password_hash="", role="producer", removed_at=gone
        )
        session.add(member)
        await session.flush()
        lasts = clock() + timedelta(hours=1)
        row = StaffSession(brand_id=brand.id, member_id=member.id, token_hash=uuid4().hex, expires_at=lasts)
        session.add(row)
        return row.id


@pytest.mark.parametrize("how", ["removed", "demoted", "signed out"])
async def test_a_ticket_that_outlived_its_owner_is_found_out_when_it_is_used(
    db: Database, clock: SetClock, how: str
) -> None:
    staying = await session_of(db, clock, removed=False)
    other = await session_of(db, clock, removed=how == "removed")
    screens, still, late = StaffScreens(db, Auth(clock), every=NEVER), Page(), Page()
    looking = asyncio.create_task(screens.keep_checking())
    try:
        screens.came(still, (staying, "producer"))
        given = {"demoted": (other, "owner"), "signed out": (uuid4(), "producer")}
        screens.came(late, given.get(how, (other, "producer")))
        async with asyncio.timeout(30):
            await late.closed.wait()
        # Looked at in the same breath, and let be.
        assert not still.closed.is_set()
        screens.left(late)
        # The next one who comes is looked at as well.
        again = Page()
        screens.came(again, (uuid4(), "owner"))
        async with asyncio.timeout(30):
            await again.closed.wait()
        assert not still.closed.is_set()
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
