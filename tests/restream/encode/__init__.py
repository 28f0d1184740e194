"""Tests of profiles and of everything else that needs ffmpeg."""
