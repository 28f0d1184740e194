"""A hundred made-up evenings of selling: whatever happens in whatever order, all is right to the cent."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from tests.hub.conftest import Engines, emptied
from tests.hub.orders.test_evening_machine import evenings

pytestmark = pytest.mark.soak

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "100"))
STEPS = int(os.environ.get("MACHINE_STEPS", "25"))


def test_a_hundred_evenings_keep_stock_offers_and_money_to_the_cent() -> None:
    """The machine of tests/hub/orders, longer and more often."""
    with tempfile.TemporaryDirectory(prefix="simulcast-soak-") as folder:
        running = Engines(Path(folder))
        running.start()
        try:
            url, nats_url = asyncio.run(emptied(running)), f"nats://127.0.0.1:{running.nats_port}"
            evenings(url, nats_url, Path(folder), examples=EXAMPLES, steps=STEPS)
        finally:
            running.stop()
