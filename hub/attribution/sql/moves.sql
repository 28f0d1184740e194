-- How often people went from one channel to another on their way to an order (or to none): order 1; the same
-- channel twice in a row is once. A move from no channel is the start, one to no channel the end: `bought` says
-- whether with an order.
WITH ways AS (
    SELECT lag({key}) OVER in_time AS here, {key} AS there, n = touches AS ends, true AS bought
    FROM path WINDOW in_time AS (PARTITION BY order_no ORDER BY n)
    UNION ALL
    SELECT lag({key}) OVER in_time, {key}, lead({key}) OVER in_time IS NULL, false
    FROM idle WINDOW in_time AS (PARTITION BY person ORDER BY "at", touch_id))
SELECT here, there, NULL::BOOLEAN AS bought, count(*) AS times
FROM ways WHERE here IS DISTINCT FROM there GROUP BY here, there
UNION ALL
SELECT there, NULL, bought, count(*) FROM ways WHERE ends GROUP BY there, bought
ORDER BY ALL
