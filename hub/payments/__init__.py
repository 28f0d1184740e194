"""Payments: authorise in the background, capture when the stock is ours, void before letting go."""
