"""What was planned and pushed before the restream engine grew goes on as it was."""

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
        spec_version, seq, playable, created_at)
    VALUES ($1, $2, 'old', 'Old', '', 'scheduled', 'k', 'h', 1, 1, false, now())
"""
TARGET = """
    INSERT INTO show_target (id, brand_id, show_id, connection_id, connector, name, wanted, state,
        state_since, chat_state, chat_detail, bytes_sent, frames_sent, frames_dropped, connects)
    VALUES ($1, $2, $3, $4, $5, $5, true, 'idle', now(), 'off', '', 7, 0, 0, 0)
"""
CONNECTION = """
    INSERT INTO connection (id, brand_id, connector, name, config_sealed, state, created_at)
    VALUES ($1, $2, $3, $3, 'c', 'ok', now())
"""


@pytest.fixture
async def old_url(engines: Engines) -> AsyncIterator[str]:
    """A database as the first release left it."""
    name = f"old_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(engines.postgres.url)
    await admin.execute(f"CREATE DATABASE {name}")
    url = engines.database_url(name)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        command.upgrade(configuration(connection), "0001")
        connection.commit()
    engine.dispose()
    yield url
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_old_targets_learn_their_platforms_patience_and_keep_their_counters(old_url: str) -> None:
    database = await asyncpg.connect(old_url)
    brand, show = uuid4(), uuid4()
    await database.execute(
        "INSERT INTO brand (id, name, slug, currency, created_at) VALUES ($1, 'B', 'b', 'EUR', now())", brand
    )
    await database.execute(SHOW, show, brand)
    for connector in ("youtube", "tiktok", "rtmp"):
        account = uuid4()
        await database.execute(CONNECTION, account, brand, connector)
        await database.execute(TARGET, uuid4(), brand, show, account, connector)
    await migrate(old_url)
    rows = await database.fetch("SELECT connector, platform, plan, bytes_sent FROM show_target ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        ("rtmp", "", "steady", 7),
        ("tiktok", "tiktok", "single_use", 7),
        ("youtube", "youtube", "youtube", 7),
    ]
    [kept] = await database.fetch("SELECT takeover, failback, grace_seconds, backup_key_hash FROM show")
    assert tuple(kept) == ("newest", "return", 60, None)
    await database.close()
