-- Tracked links: what they are for, and clicks.
SELECT 1;
