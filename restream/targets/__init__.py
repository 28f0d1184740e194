"""Targets: the places a live is pushed to, each on its own."""
