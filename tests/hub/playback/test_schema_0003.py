"""What was planned before there was a player of its own goes on as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from hub.migrate import configuration, migrate
from tests.hub.conftest import Engines

SHOW = """
    INSERT INTO show (id, brand_id, slug, title, description, state, stream_key_sealed, stream_key_hash,
        takeover, failback, grace_seconds, slate_text, recording, profiles, spec_version, seq, playable,
        created_at)
    VALUES ($1, $2, 'old', 'Old', '', 'scheduled', 'k', 'h', 'newest', 'return', 60, '', false, '[]', 1, 1,
        false, now())
"""


@pytest.fixture
async def old_url(engines: Engines) -> AsyncIterator[str]:
    """A database as the release before left it."""
    name = f"old_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(engines.postgres.url)
    await admin.execute(f"CREATE DATABASE {name}")
    url = engines.database_url(name)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        command.upgrade(configuration(connection), "0002")
        connection.commit()
    engine.dispose()
    yield url
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_an_old_show_stays_public_without_a_ladder_nobody_asked_for(old_url: str) -> None:
    database = await asyncpg.connect(old_url)
    brand, show = uuid4(), uuid4()
    await database.execute(
        "INSERT INTO brand (id, name, slug, currency, created_at) VALUES ($1, 'B', 'b', 'EUR', now())", brand
    )
    await database.execute(SHOW, show, brand)
    await migrate(old_url)
    [kept] = await database.fetch(
        "SELECT access, playback_mode, part_ms, ladder, whep, origins, viewer_cap, path_secret_sealed"
        " FROM show"
    )
    assert tuple(kept) == ("public", "balanced", 333, False, True, "[]", None, None)
    with pytest.raises(asyncpg.CheckViolationError):
        await database.execute("UPDATE show SET part_ms = 250")
    await database.close()


async def test_a_show_signs_with_one_key_at_a_time(old_url: str) -> None:
    database = await asyncpg.connect(old_url)
    brand, show = uuid4(), uuid4()
    await database.execute(
        "INSERT INTO brand (id, name, slug, currency, created_at) VALUES ($1, 'B', 'b', 'EUR', now())", brand
    )
    await database.execute(SHOW, show, brand)
    await migrate(old_url)
    key = (
        "INSERT INTO playback_key (id, brand_id, show_id, public_key, private_key_sealed, verifies_until,"
        " created_at) VALUES ($1, $2, $3, 'p', 's', $4::timestamptz, now())"
    )
    await database.execute(key, uuid4(), brand, show, None)
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.execute(key, uuid4(), brand, show, None)
    await database.execute("UPDATE playback_key SET verifies_until = now()")
    await database.execute(key, uuid4(), brand, show, None)
    await database.close()
