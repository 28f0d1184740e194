"""A stage per test, on real engines."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.services import Services
from hub.work.jobs import job_app
from tests.hub.chat.stage import Stage
from tests.hub.shop import SetClock, Shop


@pytest.fixture
async def stage(hub: Services, shop: Shop, clock: SetClock) -> AsyncIterator[Stage]:
    """A live show with no platforms yet."""
    jobs = job_app(hub)
    async with jobs.open_async():
        yield Stage(hub, shop, clock, jobs)
