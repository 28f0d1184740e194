"""First schema."""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager
from sqlmodel import SQLModel

revision = "0001"
down_revision = None


def upgrade() -> None:
    SQLModel.metadata.create_all(op.get_bind())
    # The driver's own cursor: SQLAlchemy would pass parameters, and then % is special.
    cursor = op.get_bind().connection.cursor()
    cursor.execute(SchemaManager.get_schema())
