"""What fakes of several platforms share: webhooks that go wrong on demand.

Part of the boundary, for `connectors/<name>/fake*.py` alone. How a platform signs and words is its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from connectors.errors import ConnectorError
from connectors.http import Http

PAUSES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds between attempts; the real ones stretch over a day and more."""
STALE_SECONDS: Final = 1.0
"""How much later a stale delivery comes again; the real ones, up to days."""


class Deliveries:
    """A subscription's webhooks, again until they arrive.

    `headers_of` gives the headers of a body, its signature among them. `trouble` counts the next deliveries
    that go wrong, and how: `lost`, `duplicate`, `reorder`, `stale`. Nothing is sent before there is a `url`.
    """

    def __init__(self, headers_of: Callable[[str], dict[str, str]]) -> None:
        self.url: str | None = None
        self.trouble = dict.fromkeys(("lost", "duplicate", "reorder", "stale"), 0)
        self.recorded: list[str] = []
        self._headers_of = headers_of
        self._held: list[str] = []
        self._delivered = 0
        self._failed = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(8)
        self._http: Http | None = None

    def send(self, body: str) -> None:
        """Some time soon; nothing waits for it. A retry hours later still says what was true at the time."""
        if self._now("lost"):
            return
        if self._now("reorder"):
            self._held.append(body)
            return
        copies = 2 if self._now("duplicate") else 1
        held, self._held = self._held, []
        for one in (*[body] * copies, *held):
            self._begin(one)
        if self._now("stale"):
            self._begin(body, STALE_SECONDS)

    def deliveries(self) -> list[dict[str, Any]]:
        """Everything sent or to be sent, oldest first."""
        return [{"headers": self._headers_of(body), "body": body} for body in (*self.recorded, *self._held)]

    def state(self) -> dict[str, Any]:
        """How many arrived, never did, or wait."""
        waiting = len(self._tasks) + len(self._held)
        return {"delivered": self._delivered, "failed": self._failed, "waiting": waiting}

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    def _now(self, kind: str) -> bool:
        happens = self.trouble[kind] > 0
        self.trouble[kind] -= happens
        return happens

    def _begin(self, body: str, pause: float = 0.0) -> None:
        self.recorded.append(body)
        if self.url is None:
            return
        task = asyncio.get_running_loop().create_task(self._deliver(self.url, body, pause))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str, body: str, pause: float) -> None:
        for wait in (pause, *PAUSES):
            await asyncio.sleep(wait)
            try:
                async with self._gate:
                    self._http = self._http or Http("")
                    headers = self._headers_of(body)
                    await self._http.request("POST", url, content=body.encode(), headers=headers)
                self._delivered += 1
                return
            except ConnectorError:
                continue
        self._failed += 1
