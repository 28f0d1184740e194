"""Tests of health: real encoders measured and judged; time is the stream's own."""
