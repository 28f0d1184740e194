"""Work that was given up is shown to its brand, and to no other; it is done again when they say so."""

from __future__ import annotations

from uuid import uuid4

import pytest

from hub.errors import NotFound
from hub.jobs import defer
from hub.services import Services
from hub.troubles.service import OWNERS, WHAT
from hub.work.jobs import handlers
from tests.hub.shop import Shop


async def given_up(shop: Shop) -> int:
    """A job of this shop that failed for good."""
    async with shop.hub.db.session() as session:
        await defer(session, "media.sync", key="k", lock="l", show_id=str(shop.show_id))
    job: int = await shop.hub.db.pool.fetchval(
        "UPDATE procrastinate_jobs SET status = 'failed', attempts = 30 WHERE queueing_lock = 'k'"
        " RETURNING id"
    )
    return job


async def test_a_job_that_was_given_up_is_listed_and_done_again(hub: Services, shop: Shop) -> None:
    job = await given_up(shop)
    async with hub.db.session() as session:
        [parked] = await hub.troubles.parked(session, shop.brand_id)
        assert (parked.id, parked.task, parked.about) == (job, "media.sync", str(shop.show_id))
        assert (parked.what, parked.attempts) == (WHAT["media.sync"], 30)
        await hub.troubles.again(session, shop.brand_id, job)
    row = await hub.db.pool.fetchrow(
        "SELECT status, attempts, lock, queueing_lock FROM procrastinate_jobs WHERE queueing_lock = 'k'"
    )
    assert tuple(row) == ("todo", 0, "l", "k")


async def test_another_brand_sees_and_touches_none_of_it(hub: Services, shop: Shop) -> None:
    job = await given_up(shop)
    async with hub.db.session() as session:
        assert await hub.troubles.parked(session, uuid4()) == []
        for verb in (hub.troubles.again, hub.troubles.forget):
            with pytest.raises(NotFound):
                await verb(session, uuid4(), job)
    async with hub.db.session() as session:
        await hub.troubles.forget(session, shop.brand_id, job)
    assert not await hub.db.pool.fetchval("SELECT id FROM procrastinate_jobs WHERE id = $1", job)


async def test_every_job_there_is_has_words_and_an_owner(hub: Services) -> None:
    assert set(handlers(hub)) == set(WHAT)
    for table in set(OWNERS.values()):
        assert await hub.db.pool.fetchval("SELECT to_regclass($1)", table), table
