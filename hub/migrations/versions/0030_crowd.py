"""A show says how many watch, unless its brand would rather not."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.execute("ALTER TABLE show ADD COLUMN viewers_shown BOOLEAN NOT NULL DEFAULT true")
    op.execute("ALTER TABLE show ALTER viewers_shown DROP DEFAULT")
