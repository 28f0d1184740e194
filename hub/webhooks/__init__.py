"""Webhooks: verify, store under a unique key, answer 202, then work."""
