"""Claims: buying by a comment, on any chat."""
