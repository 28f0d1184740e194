"""The viewer-event log: cursors and sealed files."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    # The driver's own cursor: the file holds several statements.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text())
