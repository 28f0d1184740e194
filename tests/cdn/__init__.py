"""The shipped nginx configuration, in Debian's nginx, in front of a real origin."""
