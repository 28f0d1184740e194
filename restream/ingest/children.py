"""Ending an ffmpeg whose output is not read to its end."""

from __future__ import annotations

import asyncio

from restream.encode.process import Child


async def end(child: Child) -> None:
    """Stop a child, and read away what it still says.

    asyncio tells of a process's end only after its pipes have been read to theirs, so that a child which had
    filled its output would be waited for in vain.
    """
    reading = asyncio.create_task(_read_away(child))
    await child.stop()
    await reading


async def _read_away(child: Child) -> None:
    while await child.read():
        pass
