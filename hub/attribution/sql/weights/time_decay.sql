-- Half as much for every seven days that a touch is older: w = 2^(-age / 7 days), in millionths.
SELECT order_no, touch_no, n, round(1e6 * pow(2.0, -age_us / 604800e6))::BIGINT AS weight FROM path
