"""What the analytics bench is fed with, made by arithmetic, the same each time; and the questions it asks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from hub.attribution.reckoning import COLUMNS as RELATIONS
from hub.attribution.reckoning import connect
from hub.events.log import COLUMNS, EventLog
from hub.ids import new_id

EVENTS: Final = 10_000_000
PER_VIEWER: Final = 50
"""Events of a viewer on average: 10 million are 200,000 viewers'."""
SHOWS: Final = 20
BRAND: Final = UUID("01900000-0000-7000-8000-00000000b0b0")

FUNNEL: Final = """
    WITH did AS (
        SELECT show_id, viewer_id,
            min("at") FILTER (WHERE kind = 'join') AS joined,
            min("at") FILTER (WHERE kind = 'product_view') AS viewed,
            max("at") FILTER (WHERE kind = 'product_view') AS viewed_last,
            min("at") FILTER (WHERE kind = 'hold') AS held,
            max("at") FILTER (WHERE kind = 'hold') AS held_last,
            max("at") FILTER (WHERE kind = 'pay') AS paid_last
        FROM {events} AS events WHERE kind IN ('join', 'product_view', 'hold', 'pay')
        GROUP BY show_id, viewer_id)
    SELECT show_id, count(*) FILTER (WHERE joined IS NOT NULL),
        count(*) FILTER (WHERE viewed_last >= joined),
        count(*) FILTER (WHERE viewed_last >= joined AND held_last >= viewed),
        count(*) FILTER (WHERE viewed_last >= joined AND held_last >= viewed AND paid_last >= held)
    FROM did GROUP BY show_id ORDER BY show_id
"""
"""Per show, how many viewers got how far: whoever did a step not before the first time of the step before."""
RETENTION: Final = """
    WITH stays AS (
        SELECT show_id, viewer_id, min("at") FILTER (WHERE kind = 'join') AS joined,
            max("at") FILTER (WHERE kind IN ('heartbeat', 'leave')) AS seen
        FROM {events} AS events WHERE kind IN ('join', 'heartbeat', 'leave') GROUP BY show_id, viewer_id),
    minutes AS (
        SELECT CAST(floor(coalesce(extract(epoch FROM seen - joined), 0) / 60) AS BIGINT) AS stayed,
            count(*) AS viewers
        FROM stays WHERE joined IS NOT NULL GROUP BY 1)
    SELECT stayed AS minute,
        CAST(sum(viewers) OVER (ORDER BY stayed DESC) AS BIGINT) AS present,
        CAST(sum(viewers) OVER () AS BIGINT) AS joiners
    FROM minutes ORDER BY stayed
"""
"""At each minute after joining, how many of the joiners were there still: their last heartbeat, or their
leave, was not before it."""
POSTGRES_FUNNEL: Final = FUNNEL.format(events="viewer_event")
POSTGRES_RETENTION: Final = RETENTION.format(events="viewer_event")

OF_SHOW: Final = """
    SELECT 1 AS v, md5(concat('event', viewer, ':', k))::UUID AS id, '{brand}'::UUID AS brand_id,
        '{show}'::UUID AS show_id, md5(concat('viewer', viewer)) AS viewer_id, NULL::UUID AS visit,
        CASE WHEN k = 0 THEN 'join' WHEN k = events - 1 AND viewer % 10 < 9 THEN 'leave'
            WHEN dice < 70 THEN 'heartbeat' WHEN dice < 84 THEN 'reaction' WHEN dice < 93 THEN 'product_view'
            WHEN dice < 96 THEN 'product_click' WHEN dice < 98 THEN 'chat'
            WHEN dice < 99 THEN 'hold' ELSE 'pay' END AS kind,
        begin + to_milliseconds(joined_ms + 30000 * k + dice * 100) AS "at",
        joined_ms + 30000 * k + dice * 100 AS show_ms, 'page' AS source, 'own' AS platform,
        NULL::UUID AS product_id, NULL::UUID AS variant_id, NULL::UUID AS offer_id, NULL::UUID AS hold_id,
        NULL::UUID AS order_id, NULL::BIGINT AS quantity, NULL::BIGINT AS value_minor,
        NULL::VARCHAR AS currency, '{{}}' AS data
    FROM (
        SELECT viewer, events, k, (hash(viewer * 1000 + k) % 100)::BIGINT AS dice,
            (hash(viewer * 3 + 1) % 1800000)::BIGINT AS joined_ms,
            TIMESTAMPTZ '2026-11-01 19:00:00+00' + INTERVAL {number} DAY AS begin
        FROM (
            SELECT viewer, (2 + hash(viewer) % {most})::BIGINT AS events
            FROM range({first}, {last}) AS r(viewer)),
            LATERAL (SELECT unnest(range(events)) AS k))
"""
NEEDED: Final = 'id, show_id, viewer_id, kind, "at", show_ms'
VIEWER_EVENT: Final = """
    CREATE TABLE viewer_event (id UUID NOT NULL, show_id UUID NOT NULL, viewer_id VARCHAR NOT NULL,
        kind VARCHAR NOT NULL, at TIMESTAMPTZ NOT NULL, show_ms BIGINT)
"""
"""PostgreSQL's table has what the questions need, and not the other fourteen columns: to its favour."""


def make_events(log: EventLog, events: int) -> None:
    """Every show's events in one file, as they are once the sealer has put a show's files together."""
    viewers = events // PER_VIEWER // SHOWS
    for number in range(SHOWS):
        show = UUID(int=number + 1)
        place = log.place(BRAND, show)
        place.mkdir(parents=True)
        said = OF_SHOW.format(
            brand=BRAND,
            show=show,
            number=number,
            first=number * viewers,
            last=(number + 1) * viewers,
            most=2 * PER_VIEWER - 3,
        )
        file = place / f"{1:016d}-{events:016d}-00000000.parquet"
        with log.connect() as con:
            con.execute("SET enable_progress_bar = false")  # standard output is for the result
            numbered = f'SELECT *, row_number() OVER (ORDER BY "at", id) AS seq FROM ({said})'  # noqa: S608
            con.execute(
                f"COPY ({numbered} ORDER BY \"at\", id) TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
            )
            kinds = con.execute(f"DESCRIBE {log.view(BRAND, [show])}").fetchall()
            assert {line[0]: line[1] for line in kinds} == {
                name: kind.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
                for name, kind in COLUMNS.items()
            }


async def put_events(log: EventLog, url: str) -> dict[str, int]:
    """The same events in PostgreSQL, by COPY, with the index these questions want; its size."""
    connection = await asyncpg.connect(url, command_timeout=3600)
    try:
        await connection.execute(VIEWER_EVENT)
        for show in log.shows(BRAND):
            with tempfile.TemporaryDirectory(dir=log.folder) as folder:
                file = f"{folder}/events.csv"
                with log.connect() as con:
                    con.execute("SET enable_progress_bar = false")
                    wanted = f"SELECT {NEEDED} FROM {log.view(BRAND, [show])}"  # noqa: S608
                    con.execute(f"COPY ({wanted}) TO '{file}' (FORMAT csv, HEADER false)")
                await connection.copy_to_table("viewer_event", source=file, format="csv")
        await connection.execute("CREATE INDEX ON viewer_event (show_id, viewer_id, kind, at)")
        await connection.execute("VACUUM (ANALYZE) viewer_event")
        size: int = await connection.fetchval("SELECT pg_table_size('viewer_event')")
        return {"bytes": size}
    finally:
        await connection.close()


TOUCHES: Final = """
    CREATE TABLE touch AS
    SELECT md5(concat('touch', i))::UUID AS touch_id,
        md5(CASE WHEN hash(i) % 10 < 6 THEN concat('buyer', hash(i, 1) % {buyers})
            ELSE concat('guest', hash(i, 1) % {guests}) END)::UUID::VARCHAR AS person,
        TIMESTAMP '2026-10-01' + to_seconds((hash(i, 2) % (30 * 86400))::BIGINT) AS "at",
        NULL::TIMESTAMP AS session_until, NULL::UUID AS show_id,
        coalesce(source, '(direct)') AS source,
        CASE WHEN source IS NULL THEN 'Direct' ELSE 'Organic Social' END AS channel_group,
        concat('show-', hash(i, 4) % 40) AS campaign, '(none)' AS target, '(none)' AS link,
        source IS NULL AS direct, true AS mine
    FROM (
        SELECT i, ['tiktok', 'instagram', 'youtube', 'twitch', 'facebook', 'mail', 'google', NULL][
            1 + (hash(i, 3) % 8)::INTEGER] AS source
        FROM range({touches}) AS r(i));
    UPDATE touch SET session_until = touch."at" + INTERVAL 30 MINUTE;
    CREATE TABLE orders AS
    SELECT md5(concat('order', i))::UUID AS order_id,
        md5(concat('buyer', hash(i, 5) % {buyers}))::UUID::VARCHAR AS person,
        TIMESTAMP '2026-10-15' + to_seconds((hash(i, 6) % (26 * 86400))::BIGINT) AS "at",
        NULL::UUID AS show_id, NULL::TIMESTAMP AS session_from,
        CASE WHEN i % 10 = 0 THEN 'USD' ELSE 'EUR' END AS currency, 'own' AS bought, NULL::VARCHAR AS viewer
    FROM range({orders}) AS r(i);
    CREATE TABLE order_money AS
    SELECT order_id, 'sale' AS entry, "at", (500 + hash(order_id) % 20000)::BIGINT AS amount, '' AS id
    FROM orders
    UNION ALL
    SELECT order_id, 'refund', orders."at" + INTERVAL 2 DAY, -(100 + hash(order_id, 1) % 400)::BIGINT, 'r'
    FROM orders WHERE hash(order_id, 2) % 10 = 0;
"""


def make_touches(folder: Path, touches: int) -> None:
    """touch, orders and order_money as Parquet; a tenth as many orders, a tenth of them partly refunded."""
    with connect() as con:
        con.execute(
            TOUCHES.format(
                touches=touches, orders=touches // 10, buyers=touches * 8 // 100, guests=touches // 4
            )
        )
        for name in RELATIONS:
            con.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")


STAGED: Final = {
    "touch": "SELECT touch_id, person, \"at\", nullif(source, '(direct)'), channel_group, campaign",
    "orders": 'SELECT order_id, person, "at", currency',
    "order_money": 'SELECT order_id, entry, "at", amount',
}
STAGE: Final = """
    CREATE TEMP TABLE touch_in (id UUID, person UUID, at TIMESTAMP, source VARCHAR, channel VARCHAR,
        campaign VARCHAR);
    CREATE TEMP TABLE orders_in (id UUID, person UUID, at TIMESTAMP, currency VARCHAR);
    CREATE TEMP TABLE order_money_in (id UUID, entry VARCHAR, at TIMESTAMP, amount BIGINT);
    SET TimeZone = 'UTC';
    SET session_replication_role = replica;
"""
"""As a replica does it: foreign keys are not asked, so that no customers need to be made."""
UNSTAGE: Final = (
    """
    INSERT INTO touch (id, brand_id, visitor_id, customer_id, utm_source, channel_group, utm_campaign, kind,
        click_ids, landing, at)
    SELECT id, $1, 'nobody', person, source, channel, campaign, 'visit', '{}', '', at FROM touch_in
    """,
    """
    INSERT INTO refund (id, brand_id, order_id, amount_minor, currency, reason, state, key, message, sent_at,
        created_at, updated_at)
    SELECT gen_random_uuid(), $1, id, -amount, '', '', 'done', id::text, '', at, at, at
    FROM order_money_in WHERE entry = 'refund'
    """,
)


async def put_attribution(folder: Path, url: str) -> UUID:
    """The same touches and orders in the hub's own tables; their brand."""
    connection = await asyncpg.connect(url, command_timeout=3600)
    brand = new_id()
    try:
        await connection.execute(STAGE)
        for name, query in STAGED.items():
            file = folder / f"{name}.csv"
            with connect() as con:
                source = f"{query} FROM '{folder / name}.parquet'"
                con.execute(f"COPY ({source}) TO '{file}' (FORMAT csv, HEADER false)")
            await connection.copy_to_table(f"{name}_in", source=str(file), format="csv")
            file.unlink()
        for statement in UNSTAGE:
            await connection.execute(statement, brand)
        await connection.execute(await orders_statement(connection), brand)
        await connection.execute("ANALYZE touch, orders, refund")
    finally:
        await connection.close()
    return brand


async def orders_statement(connection: Any) -> str:
    """INSERT of the orders: what is not said is empty, zero or false, whatever columns there are."""
    known = {
        "id": "orders_in.id",
        "brand_id": "$1::uuid",
        "channel": "'own'",
        "state": "'paid'",
        "number": "orders_in.id::text",
        "currency": "orders_in.currency",
        "customer_id": "orders_in.person",
        "total_minor": "sale.amount",
        "captured_minor": "sale.amount",
        "refunded_minor": "coalesce(-back.amount, 0)",
        "placed_at": "orders_in.at",
        "updated_at": "orders_in.at",
    }
    rows = await connection.fetch(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'orders' AND is_nullable = 'NO'"
    )
    empty = {"boolean": "false", "bigint": "0", "integer": "0", "character varying": "''"}
    for line in rows:
        known.setdefault(line["column_name"], empty.get(line["data_type"], "NULL"))
    return f"""
        INSERT INTO orders ({", ".join(known)}) SELECT {", ".join(known.values())} FROM orders_in
        JOIN order_money_in AS sale ON sale.id = orders_in.id AND sale.entry = 'sale'
        LEFT JOIN order_money_in AS back ON back.id = orders_in.id AND back.entry = 'refund'
    """  # noqa: S608 - names of ours
