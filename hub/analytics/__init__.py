"""Figures of shows and channels, each with its definition, and the audit that recomputes them."""
