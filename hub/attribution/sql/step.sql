-- step: what happened to the money of each order, in time, and what is left of it after each step.
-- The order itself is one more sum, of a million parts, so that it is shared out like money.
CREATE OR REPLACE TEMP TABLE step AS
SELECT order_no, entry, "at", amount, entry = 'order' AS counts,
    row_number() OVER in_time AS n,
    sum(amount) OVER in_time AS after
FROM (
    SELECT orders.rowid::INTEGER AS order_no, entry, order_money."at", amount, id
    FROM order_money JOIN orders USING (order_id)
    UNION ALL
    SELECT rowid::INTEGER, 'order', "at", 1000000, '' FROM orders)
WINDOW in_time AS (
    PARTITION BY order_no, entry = 'order' ORDER BY entry <> 'sale', "at", id
    ROWS UNBOUNDED PRECEDING)
