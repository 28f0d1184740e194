"""A shop that takes cards."""

from __future__ import annotations

import pytest

from tests.hub.market import Market, Trade


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=20)
