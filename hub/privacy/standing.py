"""Rights beside an installation that runs: put together here for the command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from connectors.errors import RetryLater
from hub.clock import wall_clock
from hub.customers.models import Customer
from hub.db import Database
from hub.engines.postgres import Postgres
from hub.errors import BadInput, NotFound
from hub.privacy.service import Rights
from hub.secrets import Vault
from hub.settings import Settings, secrets_of

PATIENCE: Final = 60.0
"""Seconds a command waits for what the hub has to do before somebody is forgotten."""
LOOK_AGAIN: Final = 0.5
LONGEST_NAP: Final = 5.0
"""Somebody waits at the terminal: it may be over long before the hub itself would look again."""


@asynccontextmanager
async def standing(settings: Settings) -> AsyncIterator[tuple[Database, Rights]]:
    """BadInput where the database does not run."""
    url = settings.database_url or Postgres(settings.data).url
    vault = Vault(secrets_of(settings).secret_key)
    try:
        async with Database(url, pool_size=2) as db:
            yield db, Rights(settings.data, db, wall_clock, vault)
    except OSError as error:
        raise BadInput(
            "not_running", "Start `simulcast up` first, then run this in another terminal."
        ) from error


async def erase_person(settings: Settings, person: str, *, really: bool) -> tuple[dict[str, Any], list[str]]:
    """What would happen, or the proof; and both in sentences."""
    try:
        customer_id = UUID(person)
    except ValueError:
        raise BadInput("person_unknown", "Give the person's id; their page in the studio shows it.") from None
    async with standing(settings) as (db, rights):
        async with db.session() as session:
            customer = await session.get(Customer, customer_id)
            if customer is None:
                raise NotFound("person_unknown", "There is no such person.")
            brand_id = customer.brand_id
            preview = await rights.preview(session, brand_id, customer_id)
        if not really:
            rows = sum(n for tables in preview.removes.values() for n in tables.values())
            said = [
                f"Would remove or blank {rows} rows.",
                *preview.stays,
                preview.waits or "Add --yes to do it.",
            ]
            return {"state": "preview", **asdict(preview)}, said
        async with db.session() as session:
            request = await rights.ask_erasure(session, brand_id, customer_id, None)
        if why := await carried_through(rights, request.id):
            return {"state": "working", "id": str(request.id)}, [why, "The hub goes on with it by itself."]
        async with db.session() as session:
            done = await rights.get(session, brand_id, request.id)
        sentence = "They are forgotten." if done.state == "done" else done.problem
        return {"state": done.state, "id": str(done.id), "proof": done.proof}, [sentence]


async def carried_through(rights: Rights, request_id: UUID) -> str:
    """To its end, with what the hub does meanwhile (cards at gateways, files of events); or why not yet."""
    patient_until = time.monotonic() + PATIENCE
    while True:
        try:
            await rights.erasing.run(request_id)
        except RetryLater as later:
            if time.monotonic() > patient_until:
                return later.reason
            await asyncio.sleep(nap(later))
        else:
            return ""


def nap(later: RetryLater) -> float:
    """Seconds until the next try: every try that comes too early is one of the few rounds there are."""
    return max(LOOK_AGAIN, min(later.after, LONGEST_NAP))


async def replay(settings: Settings, folder: Path | None) -> tuple[dict[str, int], str]:
    """Forget again who came back with a backup."""
    async with standing(settings) as (_, rights):
        found = await rights.replaying.run(folder)
    if not found.people:
        return asdict(found), "Nobody had come back."
    people = "1 person" if found.people == 1 else f"{found.people} people"
    return asdict(
        found
    ), f"{people} had come back with the backup and must be forgotten again: done, or under way."
