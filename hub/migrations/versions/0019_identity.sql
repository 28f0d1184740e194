-- The identity graph: edges, merges and their log.
SELECT 1;
