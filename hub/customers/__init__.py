"""Customers: one person, whichever platform they come from."""
