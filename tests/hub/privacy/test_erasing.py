"""Who is forgotten is nowhere any more; who is not, is as they were."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connectors import types as platform
from connectors.types import Money
from hub.db import run
from tests.hub.market import Market
from tests.hub.privacy.people import everything, places, somebody
from tests.hub.site import Client

LEGAL_REMAINDER = {"invoice.data"}
"""Tax law: with name and address, until its period ends."""
ERASE = "/api/v1/privacy/people/{}/erase"
REQUEST = "/api/v1/privacy/requests/{}"
OURS = """
    SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE 'procrastinate%' AND tablename <> 'alembic_version'
"""
# A sequence remembers what a rollback forgets.
KILL_EVERY_FIRST_TRY = (
    "CREATE SEQUENCE kills",
    """
    CREATE FUNCTION killed() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('kills') % 2 = 1 THEN RAISE EXCEPTION 'killed'; END IF; RETURN NEW; END $$
    """,
    """
    CREATE TRIGGER killed BEFORE UPDATE ON rights_request FOR EACH ROW
    WHEN (NEW.step > OLD.step AND NEW.step % 4 = 0 OR NEW.state = 'working' AND OLD.state = 'queued')
    EXECUTE FUNCTION killed()
    """,
)
LET_LIVE = ("DROP TRIGGER killed ON rights_request", "DROP FUNCTION killed", "DROP SEQUENCE kills")


async def test_who_is_forgotten_is_found_nowhere_and_others_are_untouched(market: Market) -> None:
    """The first transaction and every fourth room's die once, just before they commit, as when the process is
    killed."""
    owner = await market.owner()
    ana, bo = await somebody(market, "ana", 1234567), await somebody(market, "bojan", 7654321)
    before, of_bo = await places(market, ana), await everything(market, bo)
    assert before >= {
        *(
            "customer.name",
            "customer.email_sealed",
            "identity.value_hash",
            "orders.buyer_name",
            "touch.landing",
        ),
        *(
            "orders.address_sealed",
            "message.text",
            "message.author_name",
            "claim.author_id",
            "mail.to_sealed",
        ),
        *("webhook_event.body", "order_event.text", "return_request.note", "hold.viewer_id", "delivery.text"),
        *("moderation_action.excerpt", "chat_mute.author_id", "risk_trace.value_hash", "waitlist.viewer_id"),
        *("invoice.data", "order_delivery.tracking", "mail"),
    }

    preview = await owner.call("GET", f"/api/v1/privacy/people/{ana.customer_id}/preview")
    assert preview["waits"] is None
    assert preview["removes"]["orders"]["orders"] == 2
    assert preview["invoices"] == ["INV-000001"]
    await owner.call("POST", ERASE.format(ana.customer_id), {"confirm": "yes"}, ok=422)
    asked = await owner.call("POST", ERASE.format(ana.customer_id), {"confirm": "erase"}, ok=202)
    for statement in KILL_EVERY_FIRST_TRY:
        await market.sql(statement)
    erasing, request_id = market.hub.rights.erasing, UUID(asked["id"])
    try:
        with pytest.raises(DBAPIError, match="killed"):
            await erasing._begin(request_id)
        [stone] = await erasing._tombstones.read()
        assert stone.request_id == request_id
        # Whom to look for is settled; then they order once more.
        await erasing._begin(request_id)
        late = await orders_late(market, ana.order_id)
        done = await ended(market, owner, asked)
        [kills] = await market.sql("SELECT last_value FROM kills")
    finally:
        for statement in LET_LIVE:
            await market.sql(statement)
    assert kills["last_value"] >= 2 * 6
    assert (done["state"], done["problem"]) == ("done", "")
    left = await places(market, ana)
    assert left == LEGAL_REMAINDER | {"rights_request.customer_id"}
    assert await everything(market, bo) == of_bo
    proof = done["proof"]
    assert proof["looked_through"]["found"] == []
    assert proof["removed"]["chat"]["message"] == 2
    assert proof["kept"]["invoices"][0][0] == "INV-000001"
    assert proof["cards"] == {"kept": 1, "untold": 0}
    assert not any(needle in json.dumps(proof).lower() for needle in ana.needles())
    [order] = await market.sql(
        "SELECT total_minor, tax_minor, country, customer_id, erased_at FROM orders WHERE id = :id",
        id=ana.order_id,
    )
    assert (order["total_minor"], order["country"], order["customer_id"]) == (4900, "DE", None)
    [row] = await market.sql("SELECT buyer_name, erased_at FROM orders WHERE id = :id", id=late)
    assert row["buyer_name"] is None
    assert row["erased_at"]
    # The buyer is signed out, and asking again finds nobody.
    assert (await ana.buyer.http.http.get("/api/v1/public/me")).json()["shopper"] is None
    await owner.call("POST", ERASE.format(ana.customer_id), {"confirm": "erase"}, ok=404)


async def test_a_backup_that_comes_back_is_forgotten_again_and_who_returned_is_not(market: Market) -> None:
    owner = await market.owner()
    ana = await somebody(market, "ana", 1234567)
    try:
        await save(market)
        asked = await owner.call("POST", ERASE.format(ana.customer_id), {"confirm": "erase"}, ok=202)
        await ended(market, owner, asked)
        await restore(market)
    finally:
        await market.sql("DROP SCHEMA backup CASCADE")
    assert "customer.email_sealed" in await places(market, ana)
    replayed = await market.hub.rights.replaying.run()
    waiting = "SELECT 1 FROM rights_request WHERE state IN ('queued', 'working')"
    for _ in range(20):
        if await market.sql(waiting):
            await market.later()
    assert (replayed.tombstones, replayed.people) == (1, 1)
    assert await places(market, ana) == LEGAL_REMAINDER | {"rights_request.customer_id"}

    # A shop brings her orders again: an old one is nobody's, a new one somebody's without a name.
    await bring(market, ana.email, "old", market.clock() - timedelta(days=9))
    assert await market.sql("SELECT 1 FROM customer") == []
    await bring(market, ana.email, "new", market.clock() + timedelta(seconds=1))
    [new] = await market.sql("SELECT id, name, email_sealed FROM customer")
    assert (new["name"], new["email_sealed"]) == (None, None)
    # She buys by herself: somebody new with a name, whom no replay touches.
    again = await market.viewer()
    await again.order(await again.hold(), email=ana.email)
    await market.arrived("stripe")
    assert (await market.hub.rights.replaying.run()).people == 0
    people = await market.sql("SELECT id, name FROM customer ORDER BY created_at")
    assert [row["name"] for row in people] == [None, "Ana"]
    assert ana.customer_id not in {row["id"] for row in people}


async def orders_late(market: Market, order_id: UUID) -> UUID:
    """One more order in the same name; its id."""
    [late] = await market.sql(
        "INSERT INTO orders SELECT (jsonb_populate_record(old, jsonb_build_object('id', gen_random_uuid(),"
        " 'number', 'LATE', 'key', NULL, 'channel', 'shopify', 'connection_id', NULL, 'external_id', NULL)))"
        ".* FROM orders AS old WHERE old.id = :id RETURNING id",
        id=order_id,
    )
    return UUID(str(late["id"]))


async def bring(market: Market, email: str, number: str, placed_at: datetime) -> None:
    """An order as a shop's import brings it."""
    total = Money(amount=100, currency="EUR")
    order = platform.Order(
        id=number,
        number=number,
        state="paid",
        placed_at=placed_at,
        updated_at=placed_at,
        total=total,
        lines=(),
        buyer=platform.Buyer(name="Ana Person", email=email),
    )
    row = await market.connection("stripe")
    async with market.hub.db.session() as session:
        await market.hub.orders.apply(session, row, order)


async def ended(market: Market, owner: Client, asked: Any) -> Any:
    """The request when it is over, however long its pauses are and however often it is tried."""
    for _ in range(60):
        await market.later()
        found = await owner.call("GET", REQUEST.format(asked["id"]))
        if found["state"] not in ("queued", "working"):
            return found
    raise AssertionError(found)


async def save(market: Market) -> None:
    """A backup of all tables but the queue's."""
    await market.sql("CREATE SCHEMA backup")
    await market.sql(for_each("CREATE TABLE backup.%1$I AS TABLE public.%1$I"))


async def restore(market: Market) -> None:
    """The backup in place of what there is, as pg_restore does it: foreign keys are not asked."""
    async with market.hub.db.session() as session:
        await run(session, text("SET LOCAL session_replication_role = replica"))
        await run(session, text(for_each("DELETE FROM %1$I")))
        await run(session, text(for_each("INSERT INTO %1$I SELECT * FROM backup.%1$I")))


def for_each(statement: str) -> str:
    """Carries it out on each of our tables."""
    return f"""
        DO $$ DECLARE name text; BEGIN
            FOR name IN {OURS} LOOP EXECUTE format('{statement}', name); END LOOP;
        END $$
    """
