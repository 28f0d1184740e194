"""WooCommerce's amounts: texts mostly, numbers sometimes, and negative in refunds."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.types import Money, exponent

MOST_DIGITS = 15


def money(value: Any, currency: str) -> Money:
    """From text or number, rounded half up to what the currency has. ValueError when it is no amount."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not an amount of money")
    try:
        amount = Decimal(str(value).strip() or "0")
        if not amount.is_finite() or amount.adjusted() > MOST_DIGITS:
            raise ValueError("not an amount of money")
        minor = amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueError("not an amount of money") from None
    return Money(amount=int(minor), currency=currency)


def each(total: Money, quantity: int) -> Money:
    """One piece's share, half up: of three for 10.00 each is 3.33, and the line's total is what counts."""
    return total.model_copy(update={"amount": (2 * total.amount + quantity) // (2 * quantity)})
