-- Segments and what they are given.
SELECT 1;
