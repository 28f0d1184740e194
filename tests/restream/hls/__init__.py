"""Tests of low-latency HLS: real ffmpeg streams, a strict playlist linter, real sockets."""
