-- One row per key and currency. `ledger` holds credits (entry 'sale', 'refund', 'cancel', and 'order' in
-- millionths of an order) and touches (entry 'touch'); `watched` holds orders whose person watched on a key.
WITH mine AS (SELECT * FROM ledger WHERE "at" >= $since AND "at" < $until),
net AS (
    SELECT order_id, currency, sum(amount) AS minor FROM mine
    WHERE entry IN ('sale', 'refund', 'cancel') GROUP BY order_id, currency),
credited AS (
    SELECT key, currency,
        coalesce(sum(amount) FILTER (WHERE entry = 'order'), 0) AS millionths,
        coalesce(sum(amount) FILTER (WHERE entry = 'sale'), 0) AS sold_minor,
        coalesce(sum(amount) FILTER (WHERE entry IN ('sale', 'refund', 'cancel')), 0) AS credit_minor
    FROM mine WHERE entry <> 'touch' GROUP BY key, currency),
near AS (
    SELECT key, order_id FROM ledger WHERE entry <> 'touch'
    UNION
    SELECT key, order_id FROM watched),
influenced AS (
    SELECT key, currency, sum(minor) AS influenced_minor, count(*) AS influenced_orders
    FROM near JOIN net USING (order_id) GROUP BY key, currency),
money AS (SELECT * FROM credited FULL JOIN influenced USING (key, currency)),
seen AS (
    SELECT key, count(DISTINCT touch_id) AS touches, count(DISTINCT person) AS persons
    FROM mine WHERE touch_id IS NOT NULL GROUP BY key)
SELECT key, currency, coalesce(millionths, 0)::BIGINT AS millionths, coalesce(sold_minor, 0)::BIGINT AS sold_minor,
    coalesce(credit_minor, 0)::BIGINT AS credit_minor, coalesce(influenced_minor, 0)::BIGINT AS influenced_minor,
    coalesce(influenced_orders, 0)::BIGINT AS influenced_orders,
    coalesce(touches, 0)::BIGINT AS touches, coalesce(persons, 0)::BIGINT AS persons
FROM money FULL JOIN seen USING (key)
WHERE money.key IS NULL OR millionths <> 0 OR sold_minor <> 0 OR credit_minor <> 0 OR influenced_orders > 0
ORDER BY currency, credit_minor DESC, key
