"""Tests of recordings: real streams written, killed, cut, and decoded again."""
