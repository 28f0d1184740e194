"""Tests of restream.continuity."""
