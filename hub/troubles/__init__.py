"""Work that was given up: kept where a person sees it, and done again when they say so."""
