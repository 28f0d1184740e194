-- For PostgreSQL. Every step of the money of the orders that were sold, one statement and so one moment.
-- A sale is an order's total on the day it was placed. Refunds are those we know of, each on its own day, up to
-- what the order says was given back; what it says beyond them is dated to its last change. Of a cancelled
-- order everything that was not given back yet falls away on the day of the cancellation; one that never
-- brought money was no sale. Test orders count nowhere.
WITH chosen AS (
    SELECT orders.id, placed_at, orders.show_id, currency, channel, viewer_id, total_minor,
        least(refunded_minor, total_minor) AS refunded_minor, orders.updated_at, orders.state,
        coalesce(customer_id::text, 'v:' || viewer_id, 'o:' || orders.id) AS person,
        CASE WHEN placed_at >= show.live_at AND placed_at <= coalesce(show.ended_at, 'infinity')
            THEN show.live_at - interval '30 minutes' END AS session_from
    FROM orders LEFT JOIN show ON show.id = orders.show_id
    WHERE orders.brand_id = $1 AND NOT test
        AND (orders.state IN ('paid', 'refunded') OR orders.state = 'cancelled' AND captured_minor > 0)
        AND ($2::uuid IS NULL OR orders.show_id = $2::uuid)
        AND ($5::uuid IS NULL OR orders.id = $5::uuid)
        AND placed_at < $4::timestamptz
        AND (placed_at >= $3::timestamptz OR orders.updated_at >= $3::timestamptz)),
given AS (
    SELECT order_id, id, coalesce(sent_at, created_at) AS at, amount_minor FROM refund
    WHERE state = 'done' AND order_id IN (SELECT id FROM chosen)
    UNION ALL
    SELECT order_id, id, at, amount_minor FROM outside_refund WHERE order_id IN (SELECT id FROM chosen)),
told AS (
    SELECT order_id, id, at, amount_minor, sum(amount_minor) OVER in_time - amount_minor AS before
    FROM given WINDOW in_time AS (PARTITION BY order_id ORDER BY at, id)),
sums AS (SELECT order_id, sum(amount_minor) AS told FROM given GROUP BY order_id),
entries AS (
    SELECT id AS order_id, 'sale' AS entry, placed_at AS at, total_minor AS amount, '' AS key FROM chosen
    UNION ALL
    SELECT order_id, 'refund', greatest(at, placed_at), -least(amount_minor, refunded_minor - before), told.id::text
    FROM told JOIN chosen ON chosen.id = told.order_id WHERE before < refunded_minor
    UNION ALL
    SELECT id, 'refund', updated_at, coalesce(told, 0) - refunded_minor, 'told'
    FROM chosen LEFT JOIN sums ON sums.order_id = id WHERE refunded_minor > coalesce(told, 0)
    UNION ALL
    SELECT id, 'cancel', greatest(placed_at, coalesce((SELECT min(order_event.at) FROM order_event
        WHERE order_event.order_id = chosen.id AND kind = 'cancelled'), updated_at)),
        refunded_minor - total_minor, 'cancel'
    FROM chosen WHERE state = 'cancelled' AND refunded_minor < total_minor)
SELECT chosen.id, person, (extract(epoch FROM placed_at) * 1000000)::bigint, show_id,
    (extract(epoch FROM session_from) * 1000000)::bigint, currency, channel, viewer_id,
    entry, (extract(epoch FROM at) * 1000000)::bigint, amount, key
FROM entries JOIN chosen ON chosen.id = entries.order_id
