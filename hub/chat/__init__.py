"""Chat: many sources into one feed, answers back to one or all."""
