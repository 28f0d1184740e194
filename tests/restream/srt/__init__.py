"""Tests of SRT's codecs: round trips, junk, and what libsrt must be able to read."""
