"""First schema."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    # The driver's own cursor: SQLAlchemy would pass parameters, and then % is special.
    cursor = op.get_bind().connection.cursor()
    cursor.execute(Path(__file__).with_suffix(".sql").read_text())
    # Of the version that requirements.lock pins; a newer one brings its own migrations along.
    cursor.execute(SchemaManager.get_schema())
