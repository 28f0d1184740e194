"""Buyers who sign in on a real page of a market without shops."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from hub.mail.letters import Letter
from tests.hub.market import Buyer, Market, Trade

EMAIL = "ana@example.com"
SignIn = Callable[[Buyer, str], Awaitable[None]]


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=5)


async def codes(market: Market) -> list[str]:
    """Every code that was sent, oldest first, out of the letters."""
    await market.work()
    found = []
    for file in sorted((market.hub.settings.data / "mail").glob("*.eml")):
        subject = re.search(r"^Subject: (\d{6}) is your code", file.read_text(), re.MULTILINE)
        if subject:
            found.append(subject[1])
    return found


async def sign_in(buyer: Buyer, email: str = EMAIL) -> None:
    """Ask for a code, read the letter, enter it."""
    await buyer.http.call("POST", "/api/v1/public/sign-in/codes", {"email": email}, ok=204)
    code = (await codes(buyer.market))[-1]
    await buyer.http.call("POST", "/api/v1/public/sign-in", {"email": email, "code": code})


__all__ = ["EMAIL", "Letter", "codes", "sign_in"]
