"""The CDNs brands have linked: what playback goes through, and what must be forgotten there."""
