-- One window's credits: a row per step and touch, a column per model. `part` holds them one below the other.
SELECT '{window}' AS "window", step.entry, step."at", orders.order_id, orders.show_id, orders.currency,
    orders.bought, order_id IN (SELECT order_id FROM watched) AS watched, touch.touch_id, coalesce(touch.person, orders.person) AS person, touch."at" AS touch_at,
    {keys}, {columns}
FROM (
    SELECT order_no, counts, n, touch_no, {sums} FROM part GROUP BY order_no, counts, n, touch_no) AS parts
JOIN step USING (order_no, counts, n) JOIN orders ON orders.rowid = order_no
LEFT JOIN touch ON touch.rowid = touch_no
