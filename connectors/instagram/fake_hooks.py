"""Delivers the local Instagram's webhooks: late, twice, many at once and out of order, as asked."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from connectors.errors import ConnectorError, Refused
from connectors.fakes import Sender

PAUSES = (0.05, 0.2, 1.0, 5.0)
"""Seconds between retries; the real ones stretch over 36 hours."""


class Hooks(Sender):
    """One address for the whole app. `hold` keeps news back until `release`.

    `form` is what Instagram makes of them: "changes" (the usual), "entry" (no `changes`), "array" (the same
    in an array); "comment_id" as "changes", with the id under its other name.
    """

    def __init__(self, secret: str, account: str) -> None:
        super().__init__()
        self._secret = secret
        self._account = account
        self.form = "changes"
        self.url: str | None = None
        self.twice = self.lose = 0
        self.hold = False
        self.delivered = self.failed = 0
        self._kept: list[dict[str, Any]] = []

    def tell(self, value: dict[str, Any]) -> None:
        """Send a change some time soon; nothing waits for it."""
        if self.url is None:
            return
        if self.lose:
            self.lose -= 1
            return
        if self.form == "comment_id":
            value = {"comment_id" if name == "id" else name: one for name, one in value.items()}
        change = {"field": "live_comments", "value": value}
        entry: dict[str, Any] = {"id": self._account, "time": int(datetime.now(UTC).timestamp())}
        entry |= {"changes": [change]} if self.form in {"changes", "comment_id"} else change
        if self.hold:
            self._kept.append(entry)
        else:
            self._send([entry])

    def release(self) -> None:
        """Everything that was held, newest first, in one delivery."""
        kept, self._kept, self.hold = self._kept[::-1], [], False
        if kept:
            self._send(kept)

    async def shake_hands(self, url: str, token: str) -> bool:
        """Ask the address whether it is the brand's, as when it is entered in the app."""
        query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
        try:
            answer = await self.http.request("GET", url, params=query, timeout=5.0)
        except ConnectorError:
            return False
        return answer.text == "1158201444"

    def state(self) -> dict[str, Any]:
        """For assertions."""
        return {"delivered": self.delivered, "failed": self.failed, "held": len(self._kept)}

    def _send(self, entries: list[dict[str, Any]]) -> None:
        # As PHP escapes it: lower-case \uXXXX and \/, which is what is signed.
        delivery = {"object": "instagram", "entry": entries}
        made = json.dumps([delivery] if self.form == "array" else delivery)
        body = made.replace("/", "\\/").encode()
        copies = 2 if self.twice else 1
        self.twice -= copies - 1
        for _ in range(copies):
            self.start(self._deliver(str(self.url), body))

    async def _deliver(self, url: str, body: bytes) -> None:
        made = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={made}"}
        for pause in (*PAUSES, None):
            try:
                await self.post(url, body, headers, 5.0)
            except Refused:
                break
            except ConnectorError:
                if pause is None:
                    break
                await asyncio.sleep(pause)
            else:
                self.delivered += 1
                return
        self.failed += 1
