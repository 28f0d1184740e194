"""Keeps one live going: the director's clock, and a slate that fits what it has on air."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from restream.api import LiveSpec, SlateSpec
from restream.continuity.director import Director, Rules
from restream.continuity.maker import Maker

HELD_UP: Final = 0.1
BREATH: Final = 0.01


class Keeper:
    """`apply` takes the wish, `start` and `stop` its task. `trouble` is why the wished slate is not had."""

    def __init__(self, director: Director, assets: Path | None) -> None:
        self._director = director
        self._maker = Maker(assets)
        self._wish: SlateSpec | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str | None:
        """A sentence, or None."""
        return self._maker.trouble

    def apply(self, spec: LiveSpec) -> None:
        """Take the show's rules and its slate."""
        self._director.rules = Rules(spec.grace_seconds, sticky=spec.failback == "sticky")
        self._wish = spec.slate if spec.grace_seconds else None

    def start(self) -> None:
        """Begin; harmless when it has begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="continuity")

    async def stop(self) -> None:
        """Leave everything as it is."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._maker.stop()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            director = self._director
            director.slate = self._maker.want(self._wish, director.shape)
            due = loop.time() + director.tick()
            await asyncio.sleep(due - loop.time())
            if loop.time() - due > HELD_UP:
                # We were held up, not the publishers: let what they sent meanwhile be read before it counts.
                await asyncio.sleep(BREATH)
