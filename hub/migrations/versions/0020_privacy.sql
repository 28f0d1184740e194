-- Rights: requests, erasures, retention rules.
SELECT 1;
