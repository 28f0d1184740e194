"""Visits: how somebody came to the brand, and when."""
