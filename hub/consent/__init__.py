"""Consent: what a person agreed to, refused or took back."""
