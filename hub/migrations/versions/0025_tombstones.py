"""Messages that were deleted before they were heard, and when viewers may speak again."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    # The driver's own cursor: the file holds several statements.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text())
