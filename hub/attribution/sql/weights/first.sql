-- All of it to the first touch in the window.
SELECT order_no, touch_no, n, 1 AS weight FROM path WHERE n = 1
