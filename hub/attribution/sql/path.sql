-- path: what each order's person did before it, within the window: one row per order and touch.
-- n counts the touches of an order from the oldest; ties in time go by the touch's id. Numbers of rows stand for
-- the ids: they are a quarter of the size.
CREATE OR REPLACE TEMP TABLE path AS
SELECT order_no, touch_no, direct, age_us, {keys},
    row_number() OVER in_time AS n,
    count(*) OVER (PARTITION BY order_no) AS touches
FROM (
    SELECT orders.rowid::INTEGER AS order_no, touch.rowid::INTEGER AS touch_no, touch_id, direct, {keys},
        touch."at" AS seen_at, epoch_us(orders."at") - epoch_us(touch."at") AS age_us
    FROM orders JOIN touch ON touch.person = orders.person AND touch."at" <= orders."at" AND ({within}))
WINDOW in_time AS (PARTITION BY order_no ORDER BY seen_at, touch_id)
