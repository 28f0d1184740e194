"""The fake's chat: what was said, what was taken away, and who may speak."""

from __future__ import annotations

import re
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

CHARACTERS, MESSAGES, SECONDS = 200, 20, 30.0
SPECIAL = re.compile(r"(?P<link>https?://\S+)|(?P<name>@\w+)|(?P<emote>:\w+:)")


class Room:
    """One chat. `entries` are numbered from 1: messages and removals, as they happened."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.bans: dict[str, int | None] = {}
        self._messages: dict[str, dict[str, Any]] = {}
        self._sent: dict[str, str] = {}
        self._times: deque[float] = deque()

    @property
    def texts(self) -> list[str]:
        """All that was said and is still there."""
        return [one["text"] for one in self._messages.values()]

    def ours(self, body: dict[str, Any], key: str) -> tuple[str, str] | str:
        """A program speaks: the id, or (code, message) of the refusal. The same key twice is one message."""
        if key in self._sent:
            return self._sent[key]
        # What a fake accepts and the platform refuses is found out in the middle of a show.
        if not 0 < len(body["text"]) <= CHARACTERS:
            return ("too_long", f"A message has 1 to {CHARACTERS} characters.")
        if "reply_to" in body and body["reply_to"] not in self._messages:
            return ("unknown_message", "The message that is answered is gone.")
        while self._times and self._times[0] < time.monotonic() - SECONDS:
            self._times.popleft()
        if len(self._times) >= MESSAGES:
            return ("too_fast", "Too many messages.")
        self._times.append(time.monotonic())
        more = {name: body[name] for name in ("reply_to", "kind") if name in body}
        self._sent[key] = self.say(body["text"], "The channel", "owner", **more)
        return self._sent[key]

    def say(self, text: str, author: str, author_id: str, **more: Any) -> str:
        """Somebody speaks; the id. Whoever is banned is not heard: then it is empty."""
        if author_id in self.bans:
            return ""
        message: dict[str, Any] = {
            "type": "message",
            "id": f"m{len(self.entries) + 1}",
            "text": text,
            "author": author,
            "author_id": author_id,
            "picture": f"https://images.example.com/{author_id}.jpg",
            "badges": [{"kind": "host", "title": "Host"}] if author_id == "owner" else [],
            "parts": parts_of(text),
            "at": datetime.now(UTC).isoformat(),
        }
        self._messages[message["id"]] = message
        self._add({**message, **more})
        return str(message["id"])

    def remove(self, message_id: str) -> bool:
        """False when there is no such message."""
        if self._messages.pop(message_id, None) is None:
            return False
        self._add({"type": "removed", "ids": [message_id]})
        return True

    def ban(self, author_id: str, seconds: int | None) -> None:
        """Everything of an author goes with the author, as on most platforms."""
        if author_id not in self.bans:
            self._messages = {k: m for k, m in self._messages.items() if m["author_id"] != author_id}
            self._add({"type": "removed", "author_id": author_id})
        self.bans[author_id] = seconds

    def _add(self, entry: dict[str, Any]) -> None:
        self.entries.append({**entry, "number": len(self.entries) + 1})


def parts_of(text: str) -> list[dict[str, str]]:
    """The text cut at its links, names and emotes; put together it is whole again."""
    parts, at = [], 0
    for found in SPECIAL.finditer(text):
        if found.start() > at:
            parts.append({"kind": "text", "text": text[at : found.start()]})
        part = {"kind": str(found.lastgroup), "text": found[0]}
        if found.lastgroup == "link":
            part["url"] = found[0]
        parts.append(part)
        at = found.end()
    return [*parts, {"kind": "text", "text": text[at:]}] if at < len(text) else parts
