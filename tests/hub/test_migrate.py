"""The migrations lead to what the models say, in every table, check and index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel

import hub.models
from hub.migrate import migrate
from tests.hub.conftest import Engines

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"


@pytest.fixture
async def empty_url(engines: Engines) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"empty_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(engines.postgres.url)
    await admin.execute(f"CREATE DATABASE {name}")
    yield engines.database_url(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def described(url: str) -> dict[str, list[tuple[object, ...]]]:
    """All of a schema but procrastinate's own tables and Alembic's."""
    connection = await asyncpg.connect(url)
    found = {}
    for query in (COLUMNS, CONSTRAINTS, INDEXES):
        rows = [tuple(row) for row in await connection.fetch(query)]
        found[query] = [row for row in rows if not str(row[0]).startswith(("procrastinate_", "alembic_"))]
    await connection.close()
    return found


async def test_migrations_and_models_agree(database_url: str, empty_url: str) -> None:
    assert hub.models.TABLES
    engine = create_engine(make_url(empty_url).set(drivername="postgresql+psycopg"))
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    assert await described(database_url) == await described(empty_url)


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    before = await described(database_url)
    await migrate(database_url)
    assert await described(database_url) == before
