-- 40 % to the first, 40 % to the last, 20 % shared by those between; two touches have half each.
SELECT order_no, touch_no, n,
    CASE WHEN touches <= 2 THEN 1 WHEN n IN (1, touches) THEN 2 * (touches - 2) ELSE 1 END AS weight
FROM path
