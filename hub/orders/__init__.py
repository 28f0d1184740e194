"""Orders from every shop and from our own checkout, in one table."""
