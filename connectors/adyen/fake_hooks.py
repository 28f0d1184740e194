"""Delivers the fake's webhook items, signed by the vendor's own function, again until they arrive."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from Adyen.util import generate_notification_sig  # type: ignore[import-untyped]  # it ships no types

from connectors.errors import ConnectorError
from connectors.http import Http

PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds between attempts; the real ones stretch over thirty days."""
STALE_SECONDS = 1.0
"""How much later a stale delivery comes again; the real ones, up to days."""


class Hooks:
    """The account's one Standard webhook. `trouble` counts the next deliveries that go wrong, and how."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.url: str | None = None
        self.trouble = dict.fromkeys(("lost", "duplicate", "reorder", "stale"), 0)
        self.recorded: list[str] = []
        self._held: list[str] = []
        self._delivered = 0
        self._failed = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(8)
        self._http: Http | None = None

    def tell(self, item: dict[str, Any]) -> None:
        """Send an item some time soon; nothing waits for it."""
        # Written now: a retry hours later still says what was true at the time.
        body = json.dumps(signed(item, self.secret))
        if self._now("lost"):
            return
        if self._now("reorder"):
            self._held.append(body)
            return
        copies = 2 if self._now("duplicate") else 1
        held, self._held = self._held, []
        for one in (*[body] * copies, *held):
            self._send(one)
        if self._now("stale"):
            self._send(body, STALE_SECONDS)

    def deliveries(self) -> list[dict[str, Any]]:
        """Everything sent or to be sent, oldest first."""
        headers = {"content-type": "application/json"}
        return [{"headers": headers, "body": body} for body in (*self.recorded, *self._held)]

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

    def _send(self, body: str, pause: float = 0.0) -> None:
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
                    headers = {"Content-Type": "application/json"}
                    await self._http.request("POST", url, content=body.encode(), headers=headers)
                self._delivered += 1
                return
            except ConnectorError:
                continue
        self._failed += 1


def signed(item: dict[str, Any], secret: str) -> dict[str, Any]:
    """A delivery with one item, as Adyen sends them."""
    signature: bytes = generate_notification_sig(item, secret)
    item = {**item, "additionalData": {"hmacSignature": signature.decode()}}
    return {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
