"""Is the feed what the platforms and the viewers need? Measured, judged, told in plain words, remembered."""
