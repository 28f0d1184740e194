-- Attribution runs and show figures.
SELECT 1;
