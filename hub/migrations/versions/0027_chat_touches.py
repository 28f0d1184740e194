"""People's messages are found by their author; a kind of change that nothing makes is gone."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    # The driver's own cursor: the file holds several statements.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text())
