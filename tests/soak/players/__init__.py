"""Players of our own and of others, in real browsers, watching one show."""
