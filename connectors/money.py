"""Money, and the base of every value that crosses the connector boundary."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field

NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
FOUR_DECIMALS = frozenset({"CLF", "UYW"})
"""ISO-4217 currencies whose minor unit is not a hundredth."""


def exponent(currency: str) -> int:
    """Decimal digits of a currency's minor unit."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 4 if currency in FOUR_DECIMALS else 2


class Value(BaseModel):
    """Base of every value here: immutable and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Money(Value):
    """An amount in minor units, for example 4900 EUR = 49.00 euros."""

    amount: int
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @classmethod
    def of(cls, text: str, currency: str) -> Money:
        """From a platform's decimal string; ValueError when it is none or finer than the currency."""
        found = re.fullmatch(r"(-?[0-9]{1,15})(?:\.([0-9]{1,12}))?", text)
        if not found:
            raise ValueError("not an amount of money")
        # On the digits themselves: nothing here can round, as a float or a Decimal context would.
        digits, whole, part = exponent(currency), found[1], found[2] or ""
        if part[digits:].strip("0"):
            raise ValueError(f"an amount finer than {currency} allows")
        return cls(amount=int(whole + part[:digits].ljust(digits, "0")), currency=currency)

    def decimal(self) -> str:
        """As a decimal string with all the currency's digits, for example 4900 EUR as "49.00"."""
        digits = exponent(self.currency)
        whole, part = divmod(abs(self.amount), 10**digits)
        return f"{'-' if self.amount < 0 else ''}{whole}" + (f".{part:0{digits}}" if digits else "")
