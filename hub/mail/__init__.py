"""Letters to buyers: queued with the fact they tell of, sent by a job."""
