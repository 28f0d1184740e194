"""Tests of replays: what is kept of a show's segments, and how it plays."""
