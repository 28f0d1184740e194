"""The owned player: how a show is played, by whom, the keys its tokens are signed with, its moments."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # The driver's own cursor: the file holds several statements.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text())
