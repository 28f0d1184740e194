-- Refunds are told apart by their keys; what was given back before one is not asked any more.
ALTER TABLE refund DROP COLUMN before_minor;
