"""Tests of the media half."""
