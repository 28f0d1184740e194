"""The fake site's webhooks: signed, made when they are sent, never repeated, switched off when unheard."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConnectorError
from connectors.fakes import Sender

MOST_FAILURES = 5


@dataclass
class Hook:
    """One webhook of the site."""

    id: int
    topic: str
    url: str
    secret: str
    status: str = "active"
    failures: int = 0

    def json(self) -> dict[str, Any]:
        """As the REST API spells it; the secret is never told."""
        return {
            "id": self.id,
            "name": "x",
            "status": self.status,
            "topic": self.topic,
            "delivery_url": self.url,
        }


class Hooks(Sender):
    """`twice` and `lose` count deliveries to be doubled or lost."""

    def __init__(self, said: Callable[[str, int], dict[str, Any] | None]) -> None:
        super().__init__()
        self._said = said
        self.hooks: list[Hook] = []
        self.twice = self.lose = 0
        self._delivered: list[str] = []
        self._failed: list[str] = []

    def add(self, topic: str, url: str, secret: str) -> Hook:
        """A new webhook; it greets at once."""
        made = Hook(len(self.hooks) + 1, topic, url, secret)
        self.hooks.append(made)
        self.start(self._greet(made))
        return made

    def tell(self, topic: str, number: int) -> None:
        """Something happened; what is said of it is how things stand when it is sent."""
        for hook in self.hooks:
            if hook.topic != topic or hook.status != "active":
                continue
            if self.lose:
                self.lose -= 1
                continue
            copies = 2 if self.twice else 1
            self.twice -= copies - 1
            for _ in range(copies):
                self.start(self._deliver(hook, number))

    def state(self) -> dict[str, Any]:
        """Topics that arrived, topics that never did, and how the webhooks stand."""
        return {
            "delivered": self._delivered,
            "failed": self._failed,
            "waiting": self.waiting,
            "status": {hook.topic: hook.status for hook in self.hooks},
        }

    async def _greet(self, hook: Hook) -> None:
        body = f"webhook_id={hook.id}".encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        await self._post(hook, body, form)

    async def _deliver(self, hook: Hook, number: int) -> None:
        said = self._said(hook.topic, number)
        body = json.dumps(said if said is not None else {"id": number}).encode()
        second = f"{hook.id}{int(time.time())}"
        resource, _, event = hook.topic.partition(".")
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": "https://shop.example.com/",
            "X-WC-Webhook-Topic": hook.topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": signature(hook.secret, body),
            "X-WC-Webhook-ID": str(hook.id),
            # Of a second, not of a delivery.
            "X-WC-Webhook-Delivery-ID": hashlib.md5(second.encode(), usedforsecurity=False).hexdigest(),
        }
        await self._post(hook, body, headers)

    async def _post(self, hook: Hook, body: bytes, headers: dict[str, str]) -> None:
        try:
            await self.post(hook.url, body, headers, 5.0)
        except ConnectorError:
            hook.failures += 1
            self._failed.append(hook.topic)
            if hook.failures > MOST_FAILURES:
                hook.status = "disabled"
        else:
            hook.failures = 0
            self._delivered.append(hook.topic)


def signature(secret: str, body: bytes) -> str:
    """base64 of HMAC-SHA256."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
