"""Shows: one live event, its targets, its products, and the media worker that carries it."""
