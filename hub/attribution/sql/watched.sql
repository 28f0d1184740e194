-- watched: orders whose person watched the show on our page for at least three seconds.
INSERT INTO watched
SELECT '{watched}', orders.order_id FROM orders JOIN (
    SELECT viewer_id, show_id FROM {events} WHERE viewer_id IS NOT NULL
    GROUP BY viewer_id, show_id HAVING max("at") - min("at") >= INTERVAL 3 SECOND) AS stays
ON stays.viewer_id = orders.viewer AND stays.show_id = orders.show_id
