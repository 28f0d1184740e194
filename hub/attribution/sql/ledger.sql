-- ledger: every credit with what a report asks of it, every touch on the way to an order (for "influenced"),
-- and every touch there was.
CREATE OR REPLACE TEMP TABLE ledger AS
SELECT step.entry, step."at", orders.order_id, orders.currency, touch.touch_id, touch.person,
    coalesce(touch.{key}, '{unknown}') AS key, credit.amount
FROM credit JOIN step USING (order_no, counts, n) JOIN orders ON orders.rowid = order_no
LEFT JOIN touch ON touch.rowid = touch_no
UNION ALL
SELECT 'order', orders."at", orders.order_id, orders.currency, touch.touch_id, touch.person, touch.{key}, 0
FROM path JOIN orders ON orders.rowid = order_no JOIN touch ON touch.rowid = touch_no
UNION ALL
SELECT 'touch', "at", NULL, NULL, touch_id, person, {key}, 0 FROM touch WHERE mine
