"""Alembic's entry: runs on the connection it is handed by `hub.migrate`."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import hub.models as models

assert models.TABLES, "importing hub.models registers every table"  # noqa: S101

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # procrastinate's own tables are kept by its schema file, not by our models
    include_name=lambda name, kind, _: kind != "table" or not str(name).startswith("procrastinate_"),
    compare_type=True,
)

with context.begin_transaction():
    context.run_migrations()
