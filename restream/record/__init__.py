"""A show on disk: a recording that survives anything, clips cut from it, pictures of it."""
