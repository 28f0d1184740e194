-- Every touch there was, as rows of the same file: entry 'touch', of no window and no order.
SELECT NULL::VARCHAR AS "window", 'touch' AS entry, "at", NULL::UUID AS order_id, show_id,
    NULL::VARCHAR AS currency, NULL::VARCHAR AS bought, false AS watched, touch_id, person, "at" AS touch_at, {keys}, {columns}
FROM touch
