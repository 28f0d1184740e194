"""Feeds that do not come over RTMP: SRT, WHIP, and what the worker fetches or makes itself."""
