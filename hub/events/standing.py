"""The event log beside an installation that runs: put together here for the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import nats
from sqlmodel import col, or_, select

from hub.clock import wall_clock
from hub.db import Database
from hub.engines.nats import address_in
from hub.engines.postgres import Postgres
from hub.errors import BadInput, NotFound
from hub.events.service import Events
from hub.events.stream import EventStream
from hub.settings import Settings
from hub.shows.models import Show


@asynccontextmanager
async def standing(settings: Settings, show: str) -> AsyncIterator[tuple[Events, Show]]:
    """The log and a show of it, by slug or id. BadInput where the hub does not run."""
    url = settings.database_url or Postgres(settings.data).url
    bus = settings.nats_url or address_in(settings.data)
    try:
        async with Database(url, pool_size=2) as db, EventStream(bus) as stream:
            yield Events(db, wall_clock, stream, settings.data / "events"), await found(db, show)
    except (OSError, nats.errors.NoServersError) as error:
        raise BadInput(
            "not_running", "Start `simulcast up` first, then ask from another terminal."
        ) from error


async def found(db: Database, show: str) -> Show:
    """A show by what a person calls it."""
    try:
        named = or_(col(Show.id) == UUID(show), col(Show.slug) == show)
    except ValueError:
        named = col(Show.slug) == show
    async with db.session() as session:
        row = (await session.exec(select(Show).where(named))).first()
    if row is None:
        raise NotFound(
            "show_unknown", f"There is no show {show!r}. Its slug is the end of its watch address."
        )
    return row


async def count_show(settings: Settings, show: str) -> Counter[str]:
    """Events of a show by kind, as far as they are sealed."""
    async with standing(settings, show) as (events, row):
        return await events.counts(row.brand_id, row.id)


async def rebuild_show(settings: Settings, show: str) -> Counter[str]:
    """A show's log anew; events by kind."""
    async with standing(settings, show) as (events, row):
        return await events.rebuild(row.brand_id, row.id)
