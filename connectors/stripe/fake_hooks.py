"""Delivers the fake's events, signed by the vendor's own function, again and again until they arrive."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import stripe

from connectors.errors import ConnectorError
from connectors.http import Http

PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds between attempts; the real ones stretch over three days."""
SUBSCRIBED = frozenset(
    {
        "payment_intent.amount_capturable_updated",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "payment_intent.canceled",
        "charge.refunded",
    }
)
"""What the README tells a brand to subscribe to."""


class Hooks:
    """The account's one webhook endpoint. `twice` and `lose` count events that come doubled or never."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.url: str | None = None
        self.twice = self.lose = 0
        self._delivered: list[str] = []
        self._failed: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(8)
        self._http: Http | None = None

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event some time soon; nothing waits for it."""
        if self.url is None or event["type"] not in SUBSCRIBED:
            return
        if self.lose:
            self.lose -= 1
            return
        copies = 2 if self.twice else 1
        self.twice -= copies - 1
        # Written now: a retry hours later still says what was true at the time.
        body = json.dumps(event).encode()
        for _ in range(copies):
            task = asyncio.get_running_loop().create_task(self._deliver(event["id"], self.url, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def state(self) -> dict[str, Any]:
        """Which events arrived, and which never did."""
        return {"delivered": self._delivered, "failed": self._failed, "waiting": len(self._tasks)}

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    async def _deliver(self, event_id: str, url: str, body: bytes) -> None:
        for pause in (*PAUSES, None):
            try:
                async with self._gate:
                    self._http = self._http or Http("")
                    await self._http.request("POST", url, content=body, headers=self._headers(body))
                self._delivered.append(event_id)
                return
            except ConnectorError:
                if pause is not None:
                    await asyncio.sleep(pause)
        self._failed.append(event_id)

    def _headers(self, body: bytes) -> dict[str, str]:
        sign = stripe.WebhookSignature.generate_signature_header
        signature: str = sign(body.decode(), self.secret, int(time.time()))
        return {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
