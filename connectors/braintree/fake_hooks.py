"""Delivers the fake's notifications, signed as Braintree signs them, again until they arrive."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from braintree.util.crypto import Crypto  # type: ignore[import-untyped]  # it ships no types

from connectors.braintree.fake_xml import document
from connectors.errors import ConnectorError
from connectors.http import Http

HEADERS = {"content-type": "application/x-www-form-urlencoded"}
PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds between attempts; the real ones come every hour for a day."""
STALE_SECONDS = 1.0
"""How much later a stale delivery comes again; the real ones, up to days."""


class Hooks:
    """The merchant's one webhook. `trouble` counts the next deliveries that go wrong, and how."""

    def __init__(self, public_key: str, secret: str) -> None:
        self.public_key = public_key
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

    def tell(self, kind: str, subject: dict[str, Any]) -> None:
        """Send a notification some time soon; nothing waits for it."""
        # Written now: a retry hours later still says what was true at the time.
        about = {"timestamp": datetime.now(UTC), "kind": kind, "subject": subject}
        body = self._signed(document("notification", about))
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
        return [{"headers": HEADERS, "body": body} for body in (*self.recorded, *self._held)]

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
                    content = body.encode()
                    await self._http.request("POST", url, content=content, headers=HEADERS)
                self._delivered += 1
                return
            except ConnectorError:
                continue
        self._failed += 1

    def _signed(self, notification: str) -> str:
        payload = base64.encodebytes(notification.encode()).decode()
        signature = Crypto.sha1_hmac_hash(self.secret, payload)
        # Another key of the account signs as well, as it does while keys are exchanged.
        both = f"anotherkey|{'0' * 40}&{self.public_key}|{signature}"
        return urlencode({"bt_signature": both, "bt_payload": payload})
