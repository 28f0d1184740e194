"""Gateways whose webhooks were never counted start with a clean slate: none is silent yet."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.execute(
        """
        INSERT INTO shop_watch (connection_id, brand_id, missed, hook_at)
        SELECT id, brand_id, 0, now() FROM connection WHERE connector IN ('stripe', 'adyen', 'square')
        ON CONFLICT (connection_id) DO UPDATE SET hook_at = coalesce(shop_watch.hook_at, excluded.hook_at)
        """
    )
