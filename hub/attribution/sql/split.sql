-- credit: each step of an order's money shared out over its touches by weight, to the last cent.
-- Largest remainder: everybody gets the whole part of their share, the cents that are left go to the largest
-- rests, of equal rests to the earlier touch. What is shared out is what is left of the order after the step;
-- the credit is the difference to the step before. So each step's credits sum to the step, and an order that
-- was given back in any number of parts leaves nothing with anybody.
CREATE OR REPLACE TEMP TABLE credit AS
WITH weights AS MATERIALIZED ({weights}),
shares AS (
    SELECT step.order_no, step.counts, step.n, weights.touch_no, weights.n AS place,
        sign(step.after) AS sign, abs(step.after)::HUGEINT AS amount,
        weights.weight::HUGEINT AS weight,
        sum(weights.weight) OVER (PARTITION BY step.order_no, step.counts, step.n) AS weight_of_all
    FROM step JOIN weights ON weights.order_no = step.order_no),
parts AS (
    SELECT *, amount * weight // weight_of_all AS whole, amount * weight % weight_of_all AS rest FROM shares),
shared AS (
    SELECT order_no, counts, n, touch_no, sign * (whole + CASE WHEN
        row_number() OVER (PARTITION BY order_no, counts, n ORDER BY rest DESC, place)
        <= amount - sum(whole) OVER (PARTITION BY order_no, counts, n) THEN 1 ELSE 0 END) AS left_here
    FROM parts)
SELECT order_no, counts, n, touch_no,
    (left_here - lag(left_here, 1, 0) OVER (PARTITION BY order_no, counts, touch_no ORDER BY n))::BIGINT AS amount
FROM shared
UNION ALL
SELECT order_no, counts, n, NULL, amount FROM step WHERE order_no NOT IN (SELECT order_no FROM path)
