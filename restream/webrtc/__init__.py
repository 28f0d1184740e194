"""Playback by WebRTC (WHEP): a door in the worker, and sender processes behind it."""
