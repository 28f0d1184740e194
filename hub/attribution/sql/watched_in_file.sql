-- watched: the same out of a run's file.
INSERT INTO watched SELECT DISTINCT '{watched}', order_id FROM read_parquet({file})
WHERE watched AND "window" = $window AND ($show_id IS NULL OR show_id = $show_id)
