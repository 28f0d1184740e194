"""Delivers the fake shop's webhooks: signed, with the original payload again and again, sometimes twice."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from connectors.errors import ConnectorError
from connectors.fakes import Sender

PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 60.0)
"""Seconds between the eight retries; the real ones stretch over four hours."""

MOST_FAILURES = 8
LEVELS = "inventory_levels/update"
SPELLINGS = {
    "ORDERS_CREATE": "orders/create",
    "ORDERS_UPDATED": "orders/updated",
    "ORDERS_CANCELLED": "orders/cancelled",
    "ORDERS_EDITED": "orders/edited",
    "REFUNDS_CREATE": "refunds/create",
    "INVENTORY_LEVELS_UPDATE": LEVELS,
}
"""A topic in GraphQL, and in a delivery's header."""
TOPICS = tuple(name for name in SPELLINGS.values() if name != LEVELS)


class Hooks(Sender):
    """The app's subscriptions, all at one address. `twice` and `lose` count events doubled or lost."""

    def __init__(self, rng: random.Random, shop: str) -> None:
        super().__init__()
        self._random = rng
        self._shop = shop
        self.secret = f"shpss_{rng.getrandbits(128):032x}"
        self.topics: dict[str, str] = {}
        self._in_a_row: dict[str, int] = {}
        self.twice = self.lose = 0
        self._delivered: list[str] = []
        self._failed: list[str] = []

    def tell(self, topic: str, payload: dict[str, Any]) -> None:
        """Send an event some time soon; nothing waits for it."""
        url = self.topics.get(topic)
        if url is None:
            return
        if self.lose:
            self.lose -= 1
            return
        copies = 2 if self.twice else 1
        self.twice -= copies - 1
        body, event = json.dumps(payload).encode(), self._uuid()
        for _ in range(copies):
            # Every delivery has an id of its own, the event's is common to all.
            headers = self._headers(topic, body) | {
                "X-Shopify-Event-Id": event,
                "X-Shopify-Webhook-Id": self._uuid(),
            }
            self.start(self._deliver(topic, url, body, headers))

    def subscribe_all(self, url: str, *, levels: bool) -> None:
        """As a person does it when the app is set up."""
        self.topics = dict.fromkeys(TOPICS, url) | ({LEVELS: url} if levels else {})

    def subscribe(self, topic: str, url: str) -> str | None:
        """As an app does it; why not, in Shopify's words."""
        named = SPELLINGS.get(topic)
        if named is None:
            return "Invalid topic specified"
        if self.topics.get(named) == url:
            return "Address for this topic has already been taken"
        self.topics[named] = url
        self._in_a_row.pop(named, None)
        return None

    def listed(self) -> list[dict[str, Any]]:
        """Subscriptions as GraphQL lists them."""
        names = {name: topic for topic, name in SPELLINGS.items()}
        return [
            {"id": f"gid://shopify/WebhookSubscription/{place}", "topic": names[name], "uri": url}
            for place, (name, url) in enumerate(self.topics.items())
        ]

    def state(self) -> dict[str, Any]:
        """Topics that arrived, topics that never did."""
        return {
            "delivered": self._delivered,
            "failed": self._failed,
            "waiting": self.waiting,
            "topics": sorted(self.topics),
        }

    async def _deliver(self, topic: str, url: str, body: bytes, headers: dict[str, str]) -> None:
        for pause in (*PAUSES, None):
            try:
                await self.post(url, body, headers, 5.0)
                self._delivered.append(topic)
                self._in_a_row.pop(topic, None)
                return
            except ConnectorError:
                self._in_a_row[topic] = self._in_a_row.get(topic, 0) + 1
                if self._in_a_row[topic] >= MOST_FAILURES:
                    # Nobody is told, as with the real one.
                    self.topics.pop(topic, None)
                if pause is not None:
                    await asyncio.sleep(pause)
        self._failed.append(topic)

    def _headers(self, topic: str, body: bytes) -> dict[str, str]:
        made = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(made).decode(),
            "X-Shopify-Shop-Domain": self._shop,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Triggered-At": datetime.now(UTC).isoformat(),
        }

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))
