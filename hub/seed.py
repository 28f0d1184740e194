"""A first brand: somebody who can sign in, something to sell, a show to send."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand
from hub.auth.service import Auth
from hub.clock import wall_clock
from hub.db import Database
from hub.demo.http import Outside
from hub.engines.postgres import Postgres
from hub.errors import BadInput, Conflict
from hub.settings import Settings

PRODUCT: Final = {
    "title": "Example product",
    "description": "Change or replace it in the studio.",
    "variants": [{"sku": "EXAMPLE-1", "price_minor": 2500, "currency": "EUR", "on_hand": 10}],
}


@dataclass(frozen=True)
class Seeded:
    """What to tell the person who asked; the password is nowhere else."""

    studio_url: str
    watch_url: str
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
    """For an installation that runs: owner in its database, product and show through its API."""
    url = settings.database_url or Postgres(settings.data).url
    try:
        password = await seed_brand(settings, email, brand, url)
    except OSError as error:
        raise BadInput(
            "not_running", "Start `simulcast up` first, then seed from another terminal."
        ) from error
    except IntegrityError as error:
        raise Conflict("member_exists", f"{email} is a member already. Choose another --email.") from error
    local = f"http://127.0.0.1:{settings.http_port}"
    async with Outside(local, {"X-Requested-With": "simulcast"}) as studio:
        await studio.call("POST", "/api/v1/auth/session", {"email": email, "password": password})
        product = await studio.call("POST", "/api/v1/products", PRODUCT)
        show = {"title": "First show", "product_ids": [product["id"]]}
        slug = (await studio.call("POST", "/api/v1/shows", show))["slug"]
    return Seeded(f"{settings.site_url()}/studio", f"{settings.site_url()}/watch/{slug}", email, password)
