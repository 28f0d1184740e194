"""The ledger of stock is only added to: no statement changes a count or takes one out."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from hub.db import run
from tests.hub.shop import Shop

REFUSED = (
    "DELETE FROM stock_movement",
    "DELETE FROM stock_movement WHERE kind = 'hold'",
    *(
        f"UPDATE stock_movement SET {change}"  # noqa: S608 - made of constants
        for change in (
            *("quantity = quantity + 1", "kind = 'adjust'", "ref_id = 'x'", "ref_type = 'x'"),
            *("created_at = created_at + interval '1 s'", "variant_id = brand_id", "brand_id = variant_id"),
            *("id = gen_random_uuid()", "place_id = NULL WHERE place_id IS NOT NULL"),
            "author = NULL, quantity = 0",
        )
    ),
    """
    INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
    SELECT id, brand_id, variant_id, kind, 0, ref_type, ref_id, created_at FROM stock_movement
    ON CONFLICT (id) DO UPDATE SET quantity = 0
    """,
)


async def test_no_statement_rewrites_the_ledger_and_selling_goes_on(shop: Shop) -> None:
    await shop.hold(quantity=2)
    before = [row.model_dump() for row in await shop.movements()]
    assert {row["kind"] for row in before} == {"receive", "hold"}
    for statement in REFUSED:
        with pytest.raises(IntegrityError, match="only added to"):
            async with shop.hub.db.session() as session:
                await run(session, text(statement))
    assert [row.model_dump() for row in await shop.movements()] == before
    # Who counted, and why, are words: a member who is forgotten is not named for ever.
    async with shop.hub.db.session() as session:
        await run(session, text("UPDATE stock_movement SET author = NULL, reason = 'counted again'"))
    assert {row.author for row in await shop.movements()} == {None}
    await shop.hold(quantity=3)
    assert len(await shop.movements()) == len(before) + 1
    assert await shop.stock() == (50, 5, 0)
    await shop.check_ledger()
