"""Delivers the fake's events, signed by the vendor's own function, again and again until they arrive."""

from __future__ import annotations

import asyncio
import copy
import json
import random
import time
from typing import Any

import stripe

from connectors.errors import ConnectorError
from connectors.fakes import Sender

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
        "charge.expired",
        "charge.dispute.created",
        "charge.dispute.closed",
        "refund.created",
        "refund.updated",
        "refund.failed",
    }
)
"""What the README tells a brand to subscribe to."""


class Hooks(Sender):
    """The account's one webhook endpoint. Events of one moment are sent in no order, as the real ones are.

    The next events come doubled (`twice`), never (`lose`), after the one that follows (`swap`), or only when
    `release` is called (`hold`), each as often as its number says. `everything`: kinds nobody asked for, too.
    """

    def __init__(self, secret: str, rng: random.Random) -> None:
        super().__init__()
        self.secret = secret
        self.url: str | None = None
        self.everything = False
        self.twice = self.lose = self.swap = self.hold = 0
        self._random = rng
        self._batch: list[bytes] = []
        self._kept: list[bytes] = []
        self._swapped: list[bytes] = []
        self._written: list[tuple[dict[str, str], bytes]] = []
        self._delivered: list[str] = []
        self._failed: list[str] = []

    def tell(self, kind: str, thing: dict[str, Any]) -> None:
        """Send an event some time soon; nothing waits for it."""
        if kind not in SUBSCRIBED and not self.everything:
            return
        event: dict[str, Any] = {
            "id": f"evt_{self._random.getrandbits(96):024x}",
            "object": "event",
            "type": kind,
        }
        event |= {"created": int(time.time()), "api_version": "2026-10-28.endive", "livemode": False}
        event |= {"pending_webhooks": 1, "request": {"id": None, "idempotency_key": None}}
        # Written now: a retry hours later still says what was true at the time.
        shown = {name: value for name, value in copy.deepcopy(thing).items() if not name.startswith("_")}
        body = json.dumps({**event, "data": {"object": shown}}).encode()
        self._written.append((self.headers(body), body))
        if self.url is None:
            return
        if not self._batch:
            self.start(self._shuffle())
        self._batch.append(body)

    def release(self) -> int:
        """Send what was held back, with the payload of then; how many."""
        kept, self._kept = self._kept, []
        for body in kept:
            self._send(body)
        return len(kept)

    def written(self) -> list[dict[str, Any]]:
        """Every delivery so far, oldest first, as it is sent."""
        return [{"headers": headers, "body": body.decode()} for headers, body in self._written]

    def state(self) -> dict[str, Any]:
        """Which events arrived, and which never did."""
        return {"delivered": self._delivered, "failed": self._failed, "waiting": self.waiting}

    def headers(self, body: bytes) -> dict[str, str]:
        """Signed now."""
        sign = stripe.WebhookSignature.generate_signature_header
        signature: str = sign(body.decode(), self.secret, int(time.time()))
        return {"stripe-signature": signature, "content-type": "application/json; charset=utf-8"}

    async def _shuffle(self) -> None:
        """Everything one call has caused is there by now."""
        batch, self._batch = self._batch, []
        self._random.shuffle(batch)
        for body in batch:
            if self.lose:
                self.lose -= 1
            elif self.hold:
                self.hold -= 1
                self._kept.append(body)
            elif self.swap:
                self.swap -= 1
                self._swapped.append(body)
            else:
                copies = 2 if self.twice else 1
                self.twice -= copies - 1
                for _ in range(copies):
                    self._send(body)
                while self._swapped:
                    self._send(self._swapped.pop())

    def _send(self, body: bytes) -> None:
        if self.url:
            self.start(self._deliver(json.loads(body)["id"], self.url, body))

    async def _deliver(self, event_id: str, url: str, body: bytes) -> None:
        for pause in (*PAUSES, None):
            try:
                await self.post(url, body, self.headers(body))
                self._delivered.append(event_id)
                return
            except ConnectorError:
                if pause is not None:
                    await asyncio.sleep(pause)
        self._failed.append(event_id)
