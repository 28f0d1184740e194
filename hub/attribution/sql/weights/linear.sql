-- Every touch alike.
SELECT order_no, touch_no, n, 1 AS weight FROM path
