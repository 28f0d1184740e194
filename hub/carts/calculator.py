"""A tax calculator of the brand's own, named by a setting, instead of the table of rates."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, Final
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.carts.taxes import Place, TableTaxes, Tax, Taxable, TaxCalculator
from hub.errors import BadInput, HubError, Unavailable

log = structlog.get_logger()

ANSWERS_WITHIN: Final = 3.0
"""Seconds: a buyer waits meanwhile, and so does a connection to the database."""
AWAY: Final = "The taxes can't be worked out right now. Nothing was charged: try again in a moment."


def calculator(address: str | None) -> TaxCalculator:
    """The table of rates, or what the factory at `package.module:factory` makes.

    BadInput says why that is no calculator, and what to do.
    """
    if not address:
        return TableTaxes()
    module, _, factory = address.partition(":")
    try:
        made: Any = getattr(import_module(module), factory)()
    except Exception as error:  # somebody else's code: it may raise anything
        raise not_usable(address, f"cannot be loaded ({type(error).__name__}: {error})") from error
    if not iscoroutinefunction(getattr(made, "quote", None)):
        raise not_usable(address, "has no `async def quote`")
    return Guarded(made)


def not_usable(address: str, why: str) -> BadInput:
    """What keeps us from starting."""
    return BadInput(
        "taxes_unusable",
        f"The tax calculator {address} (SIMULCAST_TAXES) {why}. Name it as package.module:factory, "
        "with its folder in PYTHONPATH (docs/checkout.md), or remove the setting to use the table of rates.",
    )


class Guarded:
    """Somebody else's calculator, which answers in time and in full, or the buyer is asked to come back."""

    def __init__(self, theirs: TaxCalculator, within: float = ANSWERS_WITHIN) -> None:
        self._theirs = theirs
        self._within = within

    async def quote(
        self,
        session: AsyncSession,
        brand_id: UUID,
        amounts: Sequence[Taxable],
        place: Place,
        *,
        included: bool,
    ) -> list[Tax]:
        """Theirs. A HubError of theirs is the buyer's answer; Unavailable stands for all that goes wrong."""
        try:
            async with asyncio.timeout(self._within):
                found = await self._theirs.quote(session, brand_id, amounts, place, included=included)
            if not fits(found, amounts, included=included):
                raise ValueError("not one tax for each amount, or one that cannot be")
        except HubError:
            raise
        except Exception as error:  # somebody else's code: it may raise anything
            log.exception("taxes.failed")
            raise Unavailable("taxes_away", AWAY, retry_after=5) from error
        return found


def fits(found: Sequence[Tax], amounts: Sequence[Taxable], *, included: bool) -> bool:
    """One tax for each amount: never negative, nor, where it is part of the amount, more than that."""
    return len(found) == len(amounts) and all(
        tax.amount_minor >= 0 and (not included or tax.amount_minor <= one.amount_minor)
        for tax, one in zip(found, amounts, strict=True)
    )
