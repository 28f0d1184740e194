"""Refunds are told apart by their keys."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    # The driver's own cursor: the file holds several statements.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text())
