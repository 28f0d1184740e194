-- The viewer-event log: cursors and sealed files.
SELECT 1;
