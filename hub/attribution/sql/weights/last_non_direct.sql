-- All of it to the last touch that says where it came from; to the last direct one where none does.
SELECT order_no, touch_no, n, 1 AS weight FROM path
QUALIFY row_number() OVER (PARTITION BY order_no ORDER BY direct, n DESC) = 1
