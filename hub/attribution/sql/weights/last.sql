-- All of it to the last touch before the order.
SELECT order_no, touch_no, n, 1 AS weight FROM path WHERE n = touches
