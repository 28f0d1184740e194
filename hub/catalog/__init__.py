"""Products, their variants, and where each variant is listed on other platforms."""
