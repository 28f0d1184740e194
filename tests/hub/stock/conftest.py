"""The shop floor of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.hub.shop import SetClock
from tests.hub.stock.floor import Floor, standing


@pytest.fixture
async def floor(database_url: str, clock: SetClock) -> AsyncIterator[Floor]:
    """One variant at 100.00, fifty of it, in a live show."""
    async with standing(database_url, clock) as opened:
        yield opened
        assert await opened.wrong() == []
