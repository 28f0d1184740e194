"""A first brand: somebody who can sign in, something to sell, a show to send."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand
from hub.auth.service import Auth
from hub.clock import wall_clock
from hub.db import Database
from hub.engines.postgres import Postgres
from hub.errors import BadInput
from hub.settings import Settings


@dataclass(frozen=True)
class Seeded:
    """What to tell the person who asked; the password is nowhere else."""

    studio_url: str
    email: str
    password: str


async def seed_brand(settings: Settings, email: str, brand: str, database_url: str) -> str:
    """A brand and its owner; the owner's password."""
    password = secrets.token_urlsafe(12)
    async with Database(database_url) as db, db.session() as session:
        await make_owner(session, email, brand, password)
    return password


async def make_owner(session: AsyncSession, email: str, brand: str, password: str) -> Brand:
    """The rows."""
    slug = re.sub(r"[^a-z0-9]+", "-", brand.lower()).strip("-") or "brand"
    made = Brand(name=brand, slug=f"{slug}-{secrets.token_hex(2)}")
    session.add(made)
    await session.flush()
    await Auth(wall_clock).add_member(session, made.id, email, password)
    return made


async def seed_first(settings: Settings, email: str, brand: str) -> Seeded:
    """For an installation that runs: its database is where `simulcast up` has it."""
    url = settings.database_url or Postgres(settings.data).url
    try:
        password = await seed_brand(settings, email, brand, url)
    except OSError as error:
        raise BadInput(
            "not_running", "Start `simulcast up` first, then seed from another terminal."
        ) from error
    return Seeded(f"{settings.site_url()}/studio", email, password)
