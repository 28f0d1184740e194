"""A show's segments kept as they were made: DVR while it runs, video on demand when it is over."""
