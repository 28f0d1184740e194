"""A process that keeps segments for ever, one every few milliseconds, until somebody kills it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from restream.replay.shelf import Shelf
from tests.restream.replay.stage import again, show, wish


async def keep(root: Path) -> None:
    """Until killed."""
    shelf = Shelf(root)
    await shelf.apply(wish())
    segments = show(4)
    turn = 0
    while True:
        for segment in again(segments, 2 * turn, 4.0 * turn):
            shelf.take("show", segment)
            await asyncio.sleep(0.003)
        turn += 1


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1])))
