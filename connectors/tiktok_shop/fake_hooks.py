"""Delivers the fake's webhooks: signed, tried again, sometimes twice, sometimes late."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from typing import Any

from connectors.errors import ConnectorError
from connectors.fakes import Sender

PAUSES = (0.1, 0.5, 2.0, 8.0)
"""Seconds before the four retries; the real ones are 2 minutes, 30 minutes, 3 hours and 12 hours."""
TWICE_EVERY = 8
"""About one event in so many comes twice by itself."""
ORDER_STATUS_CHANGE = 1


class Hooks(Sender):
    """One address for everything. `twice`, `lose` and `hold` count events to be doubled, lost or kept back
    until the next one went out before them."""

    def __init__(self, rng: random.Random, app_key: str, app_secret: str) -> None:
        super().__init__()
        self._random = rng
        self._key, self._secret = app_key.encode(), app_secret.encode()
        self.topics: dict[str, str] = {}
        self.twice = self.lose = self.hold = 0
        self._held: list[bytes] = []
        self._delivered: list[str] = []
        self._failed: list[str] = []

    def tell(self, data: dict[str, Any]) -> None:
        """Send a change of an order some time soon; nothing waits for it."""
        url = self.topics.get("ORDER_STATUS_CHANGE")
        if url is None:
            return
        if self.lose:
            self.lose -= 1
            return
        body = self._body(data)
        if self.hold:
            self.hold -= 1
            self._held.append(body)
            return
        for late in (body, *self._held):
            self._send(url, late)
        self._held = []

    def state(self) -> dict[str, Any]:
        """Notifications that arrived, that never did, and how many are on their way."""
        return {"delivered": self._delivered, "failed": self._failed, "waiting": self.waiting}

    def _send(self, url: str, body: bytes) -> None:
        copies = 2 if self.twice or self._random.randrange(TWICE_EVERY) == 0 else 1
        self.twice = max(0, self.twice - (copies - 1))
        for _ in range(copies):
            self.start(self._deliver(url, body))

    async def _deliver(self, url: str, body: bytes) -> None:
        sign = hmac.new(self._secret, self._key + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Authorization": sign}
        name = str(json.loads(body)["tts_notification_id"])
        for pause in (*PAUSES, None):
            try:
                await self.post(url, body, headers, 3.0)
                self._delivered.append(name)
                return
            except ConnectorError:
                if pause is not None:
                    await asyncio.sleep(pause)
        self._failed.append(name)

    def _body(self, data: dict[str, Any]) -> bytes:
        said = {
            "type": ORDER_STATUS_CHANGE,
            "tts_notification_id": str(7_327_000_000_000_000_000 + self._random.getrandbits(40)),
            "shop_id": "7494000000000000001",
            "timestamp": int(time.time()),
            "data": data,
        }
        return json.dumps(said, separators=(",", ":")).encode()
