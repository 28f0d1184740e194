-- ledger: the credits of one model and window out of a run's file, as sql/ledger.sql makes them live.
CREATE OR REPLACE TEMP TABLE ledger AS
SELECT entry, "at", order_id, currency, touch_id, person,
    CASE WHEN touch_id IS NULL THEN '{unknown}' ELSE {key} END AS key, coalesce({column}, 0) AS amount
FROM read_parquet({file})
WHERE ("window" = $window OR entry = 'touch') AND ($show_id IS NULL OR show_id = $show_id)
