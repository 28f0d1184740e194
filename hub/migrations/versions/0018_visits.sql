-- Visits, and what people agreed to.
SELECT 1;
