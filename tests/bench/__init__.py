"""Benchmarks behind `simulcast bench`: each measures ours and a peer in one run. Never run as tests."""
