"""Tracked links: what is posted where, and who came by it."""
