"""Offers: prices that hold for a while, for so many, for some; each with a signed public record."""
