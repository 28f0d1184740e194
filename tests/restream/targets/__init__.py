"""Tests of targets: pushes to real servers, and to servers that misbehave."""
