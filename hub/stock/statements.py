"""The statements of the hot path: lock, read everything, write. One transaction, whatever the batch's size.

PostgreSQL reads what a statement says at the state of its beginning, but locks rows as they are after the
wait. Hence the lock is a statement of its own: what READ says afterwards is the truth until the commit.

Locks are taken in the same order everywhere: holds, then stock by variant_id, then offers by id.

Tables grow from nothing to a million rows within a drop, and plans are made once (`TUNE`): every look into a
large table is a LATERAL one by an index, which no statistics can talk the planner out of.
"""

from __future__ import annotations

from typing import Final

TUNE: Final = """
SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off
"""
"""Planning READ costs more than running it: once for each connection is enough."""

LOCK: Final = """
WITH gate AS MATERIALIZED (
    -- A buyer's limit counts over all variants of a show, so shows take turns.
    SELECT count(pg_advisory_xact_lock(one)) AS n
    FROM (SELECT one FROM unnest($1::bigint[]) AS one ORDER BY 1) AS shows),
wanted AS (
    SELECT unnest($2::uuid[]) AS variant_id
    UNION SELECT variant_id FROM bundle_item WHERE bundle_variant_id = ANY($2)
    UNION SELECT variant_id FROM offer_item WHERE offer_id = ANY($3::uuid[])),
shelf AS MATERIALIZED (
    SELECT stock.variant_id FROM stock
    WHERE variant_id IN (SELECT variant_id FROM wanted) AND (SELECT n FROM gate) >= 0
    ORDER BY variant_id FOR NO KEY UPDATE),
touched AS (
    SELECT unnest($3::uuid[]) AS id UNION SELECT offer_id FROM offer_item WHERE variant_id = ANY($2)),
priced AS MATERIALIZED (
    SELECT offer.id FROM offer
    -- Coupons are the checkout's: it locks them after everything else.
    WHERE id IN (SELECT id FROM touched) AND state = 'live' AND kind <> 'coupon'
        AND (SELECT count(*) FROM shelf) >= 0
    ORDER BY id FOR NO KEY UPDATE)
SELECT count(*) FROM priced
"""
"""$1 a number for each show, $2 the variants wished, $3 the offers named."""

READ: Final = """
WITH wanted AS MATERIALIZED (
    SELECT unnest($1::uuid[]) AS variant_id
    UNION SELECT variant_id FROM bundle_item WHERE bundle_variant_id = ANY($1)
    UNION SELECT variant_id FROM offer_item WHERE offer_id = ANY($2::uuid[])),
pair AS MATERIALIZED (
    SELECT DISTINCT show_id, variant_id FROM unnest($3::uuid[], $4::uuid[]) AS one(show_id, variant_id)),
buyer AS MATERIALIZED (
    SELECT DISTINCT viewer_id, ($3::uuid[])[s] AS show_id
    FROM unnest($6::text[], $8::int[]) AS one(viewer_id, s)),
touched AS MATERIALIZED (
    SELECT offer.* FROM offer WHERE id = ANY(ARRAY(
        SELECT unnest($2::uuid[]) UNION SELECT offer_id FROM offer_item WHERE variant_id = ANY($1)))
    AND (state = 'live' OR id = ANY($2)))
SELECT json_build_object(
'shelves', (
    SELECT json_agg(json_build_array(stock.variant_id, on_hand, held, committed, (
        SELECT coalesce(sum(quantity), 0) FROM waitlist
        WHERE waitlist.variant_id = stock.variant_id AND state = 'waiting' AND on_hand > held + committed)))
    FROM stock WHERE variant_id = ANY(ARRAY(SELECT variant_id FROM wanted))),
'goods', (
    SELECT json_agg(json_build_array(variant.id, variant.brand_id, price_minor, currency, live_only,
                                     own_site_only))
    FROM variant CROSS JOIN LATERAL (
        SELECT live_only, own_site_only FROM product
        WHERE product.id = product_id AND product.state = 'active' LIMIT 1) AS product
    WHERE variant.id = ANY(ARRAY(SELECT variant_id FROM wanted)) AND NOT archived),
'sold', (
    SELECT json_agg(json_build_array(pair.show_id, pair.variant_id))
    FROM pair CROSS JOIN LATERAL (
        SELECT product_id FROM variant WHERE variant.id = pair.variant_id LIMIT 1) AS variant
    CROSS JOIN LATERAL (
        SELECT 1 FROM show_product WHERE show_product.show_id = pair.show_id
            AND show_product.product_id = variant.product_id LIMIT 1) AS placed),
'shows', (
    SELECT json_agg(json_build_array(id, state, hold_policy, hold_seconds, units_per_buyer,
                                     units_per_network))
    FROM show WHERE id = ANY($3) AND state <> 'ended'),
'parts', (
    SELECT json_agg(json_build_array(bundle_variant_id, variant_id, quantity) ORDER BY variant_id)
    FROM bundle_item WHERE bundle_variant_id = ANY($1)),
'offers', (
    SELECT json_agg(json_build_array(id, show_id, kind, state, starts_at, ends_at, percent_off, units, taken,
                                     per_buyer, members_until, own_site_only, segment_id) ORDER BY id)
    FROM touched),
'items', (
    SELECT json_agg(json_build_array(offer_id, variant_id, quantity, unit_minor, list_minor)
                    ORDER BY variant_id)
    FROM offer_item WHERE offer_id = ANY(ARRAY(SELECT id FROM touched))),
'tiers', (
    SELECT json_agg(json_build_array(offer_id, id, percent_off, units, taken) ORDER BY offer_id, position)
    FROM offer_tier WHERE offer_id = ANY(ARRAY(SELECT id FROM touched))),
'mine', (
    SELECT json_agg(json_build_array(buyer.viewer_id, buyer.show_id, thing, offer_id, state, units, group_id,
                                     expires_at))
    FROM buyer CROSS JOIN LATERAL (
        SELECT coalesce(bundle_id, variant_id) AS thing, offer_id, state, units, group_id, expires_at
        FROM hold
        WHERE hold.viewer_id = buyer.viewer_id AND hold.show_id = buyer.show_id
            AND (state IN ('held', 'committed') OR (state = 'expired' AND order_id IS NULL
                AND channel <> 'waitlist' AND expires_at > $9::timestamptz)) OFFSET 0) AS hold),
'queued', (
    SELECT json_agg(json_build_array(own.viewer_id, own.show_id, own.variant_id, own.id, own.state, (
        SELECT coalesce(sum(quantity), 0) FROM waitlist
        WHERE variant_id = own.variant_id AND state = 'waiting' AND n < own.n), quantity, hold_id))
    FROM unnest($6::text[], $8::int[]) AS buyer(viewer_id, s)
    CROSS JOIN LATERAL (
        SELECT * FROM waitlist WHERE viewer_id = buyer.viewer_id AND show_id = ($3::uuid[])[s]
            AND variant_id = ($4::uuid[])[s] AND state IN ('waiting', 'offered') LIMIT 1) AS own),
'crowds', (
    SELECT json_agg(json_build_array(network, units, first_ends))
    FROM unnest($10::bigint[]) AS network CROSS JOIN LATERAL (
        SELECT sum(units) AS units, min(expires_at) AS first_ends FROM hold
        WHERE network_hash = network) AS crowd
    WHERE units > 0),
'known', (
    SELECT json_agg(json_build_array(first.brand_id, first.key, first.viewer_id, first.show_id, first.state,
        first.group_id, first.expires_at, part.id, part.variant_id, part.quantity, part.unit_minor,
        part.list_minor, part.currency, part.offer_id, part.tier_id, part.units,
        (SELECT on_hand - held - committed FROM stock WHERE variant_id = first.variant_id))
        ORDER BY part.units DESC, part.id)
    FROM unnest($7::text[], $8::int[]) AS wish(key, s)
    CROSS JOIN LATERAL (
        SELECT * FROM hold WHERE hold.brand_id = ($5::uuid[])[s] AND hold.key = wish.key LIMIT 1) AS first
    CROSS JOIN LATERAL (
        SELECT * FROM hold WHERE hold.viewer_id = first.viewer_id AND hold.show_id = first.show_id
            AND hold.group_id = first.group_id OFFSET 0) AS part)
)::text
"""
"""$1 the variants wished, $2 the offers named; $3 show, $4 variant and $5 brand of each sort of wish; wish by
wish: $6 viewer, $7 key, $8 which sort; $9 since when holds that were let expire count against a buyer; $10
the networks they come from."""

WRITE: Final = """
WITH made AS (
    INSERT INTO hold (id, group_id, brand_id, variant_id, show_id, viewer_id, quantity, units, state, soft,
        key, channel, unit_minor, list_minor, currency, offer_id, tier_id, bundle_id, extended, created_at,
        expires_at, network_hash)
    SELECT id, coalesce(group_id, id), ($6::uuid[])[s], ($7::uuid[])[s], ($8::uuid[])[s], viewer_id,
        ($9::int[])[s], ($10::int[])[s], 'held', ($11::bool[])[s], key, ($12::text[])[s], ($13::bigint[])[s],
        ($14::bigint[])[s], ($15::text[])[s], ($16::uuid[])[s], ($17::uuid[])[s], ($18::uuid[])[s], false,
        $19::timestamptz, ($20::timestamptz[])[s], network_hash
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $31::bigint[])
        AS one(id, group_id, viewer_id, key, s, network_hash)),
ledger AS (
    INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
    SELECT id, ($6::uuid[])[s], ($7::uuid[])[s], 'hold', ($9::int[])[s], 'hold', id::text, $19::timestamptz
    FROM unnest($1::uuid[], $5::int[]) AS one(id, s) WHERE NOT ($11::bool[])[s]),
counted AS (
    UPDATE stock SET held = held + total.taken, version = version + 1
    FROM unnest($21::uuid[], $22::bigint[]) AS total(variant_id, taken)
    WHERE stock.variant_id = total.variant_id),
offered AS (
    UPDATE offer SET taken = offer.taken + total.taken
    FROM unnest($23::uuid[], $24::bigint[]) AS total(id, taken) WHERE offer.id = total.id),
stepped AS (
    UPDATE offer_tier SET taken = offer_tier.taken + total.taken
    FROM unnest($25::uuid[], $26::bigint[]) AS total(id, taken) WHERE offer_tier.id = total.id)
UPDATE waitlist SET state = one.state, network_hash = NULL, hold_id = one.hold_id,
    offered_until = one.offered_until
FROM unnest($27::uuid[], $28::text[], $29::uuid[], $30::timestamptz[])
    AS one(id, state, hold_id, offered_until)
WHERE waitlist.id = one.id
"""
"""Holds: $1–$4 who, $5 which sort, and the sorts column by column in $6–$20 ($19 is now): in a drop nearly
all holds are of one sort. Then what to add to stock, offers and tiers, the waitlist's rows, and ($31) the
network of each hold."""
