"""What viewers may ask for without signing in."""
