"""Brands, their members, and who is signed in."""
