-- A brand's past: what its orders left behind in every table that the risk rules read.
-- `asked`: one row with brand, show, variant, connection (a gateway's), viewer (the regular's), traces (theirs,
-- kind -> hash) and orders (how many). One order in fifty is the regular's.

CREATE TEMPORARY TABLE past ON COMMIT DROP AS
SELECT n, brand, show, variant, connection, viewer AS regular, traces, md5('order' || n)::uuid AS id,
       now() - n * interval '40 seconds' - interval '1 minute' AS at, n % 20 = 0 AS failed,
       CASE WHEN n % 50 = 0 THEN viewer ELSE 'viewer' || n % (orders / 4) END AS viewer,
       md5('customer' || CASE WHEN n % 50 = 0 THEN 0 ELSE n % (orders / 4) END)::uuid AS customer,
       900 + n * 7919 % 30000 AS total
FROM asked, generate_series(1, orders) AS n;

INSERT INTO customer (id, brand_id, created_at) SELECT DISTINCT customer, brand, now() FROM past;

INSERT INTO orders (id, brand_id, show_id, channel, number, state, message, currency, subtotal_minor,
    discount_minor, shipping_minor, tax_minor, total_minor, captured_minor, refunded_minor, prices_include_tax,
    shipping_method, customer_id, viewer_id, signed_in, test, placed_at, updated_at)
SELECT id, brand, show, 'own', 'B-' || n, CASE WHEN failed THEN 'failed' ELSE 'paid' END, '', 'EUR', total,
    0, 0, 0, total, 0, 0, true, '', customer, viewer, false, false, at, at
FROM past;

INSERT INTO payment (id, brand_id, order_id, connection_id, state, amount_minor, captured_minor, refunded_minor,
    currency, source_sealed, key, round, attempts, message, created_at, updated_at)
SELECT md5('payment' || n)::uuid, brand, id, connection, CASE WHEN failed THEN 'declined' ELSE 'captured' END,
    total, CASE WHEN failed THEN 0 ELSE total END, 0, 'EUR', '', 'past' || n, 1, 0, '', at, at
FROM past;

INSERT INTO risk_trace (order_id, kind, brand_id, value_hash, at)
SELECT id, trace.kind, brand, CASE WHEN viewer = regular THEN trace.hash
    WHEN trace.kind IN ('network', 'device') THEN trace.kind || n % 400 ELSE trace.kind || viewer END, at
FROM past, jsonb_each_text(traces) AS trace (kind, hash);

INSERT INTO touch (id, brand_id, show_id, visitor_id, customer_id, channel_group, kind, click_ids, landing, at)
SELECT gen_random_uuid(), brand, show, viewer, customer, 'Direct', 'visit', '{}', '', at - days * interval '1 day'
FROM past, generate_series(0, 2) AS days;

INSERT INTO hold (id, brand_id, variant_id, show_id, viewer_id, quantity, units, state, soft, key, channel,
    unit_minor, list_minor, currency, group_id, extended, order_id, created_at, expires_at)
SELECT id, brand, variant, show, viewer, 1, 1, CASE WHEN failed THEN 'expired' ELSE 'committed' END, false,
    'past' || n, 'own', total, total, 'EUR', id, false, id, at, at + interval '90 seconds'
FROM past;

INSERT INTO message (id, brand_id, show_id, seq, platform, external_id, author_id, badges, text, fragments, kind,
    received_at, deleted, outgoing, hidden, staff_only)
SELECT gen_random_uuid(), brand, show, n, 'own', 'past' || n, viewer, '[]', 'I want it', '[]', 'text', at,
    false, false, false, false
FROM past;

-- Everybody may go on, and nobody is held for review: a refusal would be the shorter way.
INSERT INTO risk_terms (brand_id, review_from, review_minutes, unreviewed, rules, paces, updated_at)
SELECT brand, 101, 30, 'refuse', '{}', (
    SELECT json_object_agg(deed || '_' || kind, json_build_object('most', 10000))
    FROM unnest(ARRAY['buys', 'cards', 'declines']) AS deed,
         unnest(ARRAY['viewer', 'email', 'method', 'device', 'network']) AS kind), now()
FROM asked;
