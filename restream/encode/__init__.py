"""Everything that needs ffmpeg: the one place that starts it, the pipes to it, the encodings."""
