"""The CDNs of a brand."""
