"""The statements that change stock, but for taking holds (`statements.py`).

Each is run with its stock rows locked already (`LOCK_SHELVES`), by a statement of its own: what these read of
other tables is then the newest there is. Counters, places, offers and ledger change together or not at all.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

LOCK_DUE: Final = text(
    """
    SELECT id, variant_id, offer_id FROM hold
    WHERE state = 'held' AND expires_at <= CAST(:now AS timestamptz)
    ORDER BY expires_at, id LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
LOCK_GROUP: Final = text(
    """
    SELECT hold.id, hold.variant_id, hold.offer_id FROM hold
    JOIN hold AS one ON one.viewer_id = hold.viewer_id AND one.show_id IS NOT DISTINCT FROM hold.show_id
        AND one.group_id = hold.group_id
    WHERE one.id = ANY(:holds) ORDER BY hold.id FOR UPDATE OF hold
    """
)
"""Found through the viewer's index: whoever has one hold of a group has them all."""
LOCK_ORDER: Final = text(
    """
    SELECT id, variant_id, offer_id FROM hold WHERE order_id = CAST(:order_id AS uuid)
    ORDER BY id FOR UPDATE
    """
)
BEING_PAID: Final = text(
    """
    SELECT 1 FROM hold JOIN orders ON orders.id = hold.order_id
    WHERE hold.id = ANY(:holds) AND hold.state = 'held' AND orders.state IN ('authorising', 'review') LIMIT 1
    """
)
LOCK_SHELVES: Final = text(
    """
    WITH turn AS MATERIALIZED (
        SELECT count(pg_advisory_xact_lock(one)) AS n FROM (
            SELECT DISTINCT hashtextextended(CAST(variant AS text), 6) AS one
            FROM unnest(CAST(:variants AS uuid[])) AS variant ORDER BY 1) AS shelves)
    SELECT 1 FROM stock WHERE variant_id = ANY(:variants) AND (SELECT n FROM turn) >= 0
    ORDER BY variant_id FOR NO KEY UPDATE
    """
)
"""Orders and payments keep a shelf for a whole transaction: they take turns, so that buyers who want a hold
wait for one of them at most and not for all that stand before the row."""
LOCK_OFFERS: Final = text("SELECT 1 FROM offer WHERE id = ANY(:offers) ORDER BY id FOR NO KEY UPDATE")

PAID = "CASE WHEN late THEN 'late_commit' ELSE 'commit' END"
LEDGER_OF_HOLDS = """
    INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
    SELECT gen_random_uuid(), brand_id, variant_id, {kind}, quantity, 'hold', id::text,
           CAST(:now AS timestamptz) FROM {source}"""

COUNT_OFFERS = """
    counted AS (
        SELECT offer_id, tier_id, sum(units) AS n FROM {source} WHERE offer_id IS NOT NULL GROUP BY 1, 2),
    offered AS (
        UPDATE offer SET taken = taken {sign} total.n
        FROM (SELECT offer_id, sum(n) AS n FROM counted GROUP BY 1) AS total WHERE offer.id = total.offer_id),
    stepped AS (
        UPDATE offer_tier SET taken = taken {sign} total.n
        FROM (SELECT tier_id, sum(n) AS n FROM counted GROUP BY 1) AS total
        WHERE offer_tier.id = total.tier_id)"""

PLACED = """
    room AS (
        SELECT place_id, variant_id, {free} AS free, coalesce(sum({free}) OVER (
            PARTITION BY variant_id ORDER BY {order}
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
        FROM stock_at JOIN stock_place ON stock_place.id = place_id
        WHERE variant_id IN (SELECT variant_id FROM total)),
    placed AS (
        UPDATE stock_at SET committed = committed {sign} least(total.quantity - room.before, room.free)
        FROM room JOIN total USING (variant_id)
        WHERE stock_at.place_id = room.place_id AND stock_at.variant_id = room.variant_id
            AND room.before < total.quantity AND room.free > 0)"""
"""`total` over the places of each variant, in their order, as far as each has room."""
TO_PLACES = PLACED.format(free="on_hand - committed", order="position, place_id", sign="+")
FROM_PLACES = PLACED.format(free="committed", order="position DESC, place_id DESC", sign="-")

END_HOLDS: Final = text(
    f"""
    WITH ended AS (
        UPDATE hold SET state = CAST(:state AS text), network_hash = NULL
        WHERE id = ANY(:holds) AND state = 'held'
        RETURNING id, brand_id, variant_id, quantity, units, soft, offer_id, tier_id, order_id),
    firm AS (SELECT * FROM ended WHERE NOT soft),
    ledger AS ({LEDGER_OF_HOLDS.format(kind="CAST(:kind AS text)", source="firm")}),
    freed AS (
        UPDATE stock SET held = held - total.quantity, version = version + 1
        FROM (SELECT variant_id, sum(quantity) AS quantity FROM firm GROUP BY 1) AS total
        WHERE stock.variant_id = total.variant_id),
    {COUNT_OFFERS.format(source="ended", sign="-")},
    queued AS (
        UPDATE waitlist SET state = CASE WHEN CAST(:state AS text) = 'expired' THEN 'lapsed' ELSE 'left' END
        WHERE state = 'offered' AND hold_id IN (SELECT id FROM ended))
    SELECT id, variant_id, order_id FROM ended ORDER BY id
    """  # noqa: S608 - made of constants
)

COMMIT_HOLDS: Final = text(
    f"""
    WITH was AS (SELECT id, state FROM hold WHERE id = ANY(:holds)),
    paid AS (
        UPDATE hold SET state = 'committed', network_hash = NULL FROM was
        WHERE hold.id = was.id AND was.state IN ('held', 'expired')
        RETURNING hold.id, brand_id, variant_id, quantity, units, offer_id, tier_id,
                  was.state = 'expired' OR soft AS late, was.state = 'expired' AS again),
    ledger AS ({LEDGER_OF_HOLDS.format(kind=PAID, source="paid")}),
    total AS (
        SELECT variant_id, sum(quantity) AS quantity,
               coalesce(sum(quantity) FILTER (WHERE NOT late), 0) AS from_held FROM paid GROUP BY 1),
    counters AS (
        UPDATE stock SET held = held - total.from_held, committed = committed + total.quantity,
                         version = version + 1
        FROM total WHERE stock.variant_id = total.variant_id),
    {TO_PLACES},
    regained AS (SELECT * FROM paid WHERE again),
    {COUNT_OFFERS.format(source="regained", sign="+")},
    queued AS (
        UPDATE waitlist SET state = 'taken' WHERE state = 'offered' AND hold_id IN (SELECT id FROM paid))
    SELECT id, variant_id FROM paid
    """  # noqa: S608 - made of constants
)

LACKING: Final = text(
    """
    WITH late AS (
        SELECT * FROM hold WHERE id = ANY(:holds) AND (state = 'expired' OR (state = 'held' AND soft))),
    again AS (
        SELECT offer_id, tier_id, sum(units) AS n FROM late
        WHERE state = 'expired' AND offer_id IS NOT NULL GROUP BY 1, 2)
    SELECT 1 FROM (SELECT variant_id, sum(quantity) AS n FROM late GROUP BY 1) AS total
        JOIN stock USING (variant_id) WHERE on_hand - held - committed < n
    UNION ALL
    SELECT 1 FROM (SELECT offer_id, sum(n) AS n FROM again GROUP BY 1) AS total
        JOIN offer ON offer.id = offer_id WHERE taken + n > units
    UNION ALL
    SELECT 1 FROM again JOIN offer_tier AS tier ON tier.id = tier_id WHERE tier.taken + n > tier.units
    LIMIT 1
    """
)
"""Whether stock, offer or tier has no room (any more) for what ended or was never reserved."""

FIRM: Final = text(
    f"""
    WITH made AS (
        UPDATE hold SET soft = false, expires_at = CAST(:now AS timestamptz) + make_interval(
            secs => coalesce((SELECT hold_seconds FROM show WHERE show.id = show_id), :seconds))
        WHERE id = ANY(:holds) AND state = 'held' AND soft
        RETURNING id, brand_id, variant_id, quantity),
    ledger AS ({LEDGER_OF_HOLDS.format(kind="'hold'", source="made")})
    UPDATE stock SET held = held + total.quantity, version = version + 1
    FROM (SELECT variant_id, sum(quantity) AS quantity FROM made GROUP BY 1) AS total
    WHERE stock.variant_id = total.variant_id
    """  # noqa: S608 - made of constants
)

SELL: Final = text(
    f"""
    WITH cause AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
        SELECT gen_random_uuid(), brand_id, variant_id, 'external_sale', CAST(:quantity AS bigint),
               CAST(:ref_type AS text), CAST(:ref_id AS text), CAST(:now AS timestamptz)
        FROM stock
        WHERE variant_id = :variant_id AND on_hand - held - committed >= CAST(:quantity AS bigint)
        ON CONFLICT (kind, ref_type, ref_id) DO NOTHING
        RETURNING variant_id, quantity),
    total AS (SELECT variant_id, quantity FROM cause),
    {TO_PLACES}
    UPDATE stock SET committed = committed + cause.quantity, version = version + 1
    FROM cause WHERE stock.variant_id = cause.variant_id
    RETURNING stock.version
    """  # noqa: S608 - made of constants
)

RETURN: Final = text(
    f"""
    WITH cause AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
        SELECT gen_random_uuid(), brand_id, variant_id, 'uncommit', quantity, ref_type, ref_id,
               CAST(:now AS timestamptz)
        FROM stock_movement AS sold
        WHERE kind IN ('external_sale', 'commit', 'late_commit') AND ref_type = :ref_type
            AND ref_id = ANY(:ref_ids)
        ON CONFLICT (kind, ref_type, ref_id) DO NOTHING
        RETURNING variant_id, quantity, ref_type, ref_id),
    total AS (SELECT variant_id, sum(quantity) AS quantity FROM cause GROUP BY 1),
    {FROM_PLACES},
    undone AS (
        UPDATE hold SET state = 'released' FROM cause
        WHERE cause.ref_type = 'hold' AND hold.id = CAST(cause.ref_id AS uuid) AND state = 'committed'
        RETURNING units, offer_id, tier_id),
    {COUNT_OFFERS.format(source="undone", sign="-")}
    UPDATE stock SET committed = committed - total.quantity, version = version + 1
    FROM total WHERE stock.variant_id = total.variant_id
    RETURNING stock.variant_id
    """  # noqa: S608 - made of constants
)

RESTOCK: Final = text(
    f"""
    WITH cause AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, author,
                                    created_at)
        SELECT gen_random_uuid(), brand_id, variant_id, 'return', CAST(:quantity AS bigint),
               CAST(:ref_type AS text), CAST(:ref_id AS text), CAST(:author AS text),
               CAST(:now AS timestamptz)
        FROM stock WHERE variant_id = :variant_id AND committed >= CAST(:quantity AS bigint)
        ON CONFLICT (kind, ref_type, ref_id) DO NOTHING
        RETURNING variant_id, quantity),
    total AS (SELECT variant_id, quantity FROM cause),
    {FROM_PLACES}
    UPDATE stock SET committed = committed - cause.quantity, version = version + 1
    FROM cause WHERE stock.variant_id = cause.variant_id
    RETURNING stock.version
    """  # noqa: S608 - made of constants
)

ON_HAND: Final = text(
    """
    WITH change AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS uuid[]), CAST(:amounts AS bigint[]))
            AS one(id, place_id, amount)),
    ledger AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, place_id,
                                    author, reason, created_at)
        SELECT id, CAST(:brand_id AS uuid), CAST(:variant_id AS uuid), CAST(:kind AS text), amount, 'hand',
               id::text, place_id, CAST(:author AS text), CAST(:reason AS text), CAST(:now AS timestamptz)
        FROM change),
    placed AS (
        UPDATE stock_at SET on_hand = on_hand + amount FROM change
        WHERE stock_at.place_id = change.place_id AND stock_at.variant_id = CAST(:variant_id AS uuid))
    UPDATE stock SET on_hand = on_hand + (SELECT coalesce(sum(amount), 0) FROM change), version = version + 1
    WHERE variant_id = CAST(:variant_id AS uuid)
    RETURNING stock.version
    """
)
