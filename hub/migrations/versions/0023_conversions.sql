-- Conversions on their way to other companies.
SELECT 1;
