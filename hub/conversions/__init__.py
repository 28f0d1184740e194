"""Conversions on their way to advertising platforms, as far as people agreed to it."""
