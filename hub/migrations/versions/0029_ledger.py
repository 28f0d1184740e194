"""The ledger of stock is added to, and never rewritten; what is written in words beside it may be blanked."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    # Whoever added it may be forgotten: `author` and `reason` are words, everything else is the count.
    op.execute(
        """
        CREATE FUNCTION stock_movement_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'author' - 'reason' = to_jsonb(NEW) - 'author' - 'reason'
            THEN RETURN NEW; END IF;
            RAISE EXCEPTION 'the ledger of stock is only added to'
                USING ERRCODE = 'restrict_violation', HINT = 'Add a movement that makes up for this one.';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER stock_movement_stays BEFORE UPDATE OR DELETE ON stock_movement
        FOR EACH ROW EXECUTE FUNCTION stock_movement_stays()
        """
    )
