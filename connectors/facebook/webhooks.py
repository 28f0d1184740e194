"""What Facebook sends us about a Page: comments come, go and are hidden. Pure functions.

`live_videos` news are taken and say nothing: they name a live video by one of two ids, and its state is read
every few seconds anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.errors import Refused
from connectors.facebook.api import Config
from connectors.facebook.comments import comment_id, message
from connectors.types import ChatDeletion, ChatItem, ChatNews, Fact, Webhook

SAID = frozenset({"add", "edited", "unhide"})
TAKEN = frozenset({"remove", "hide"})


class FacebookWebhooks:
    """Signed with the app's secret over the raw bytes, emoji escaped as Facebook escaped them."""

    def __init__(self, config: Config) -> None:
        self._secret = config.app_secret.get_secret_value().encode()

    def verify(self, hook: Webhook) -> str:
        """The signature itself names the delivery: Facebook gives no id, and repeats are byte for byte."""
        given = hook.headers.get("x-hub-signature-256", "")
        expected = "sha256=" + hmac.new(self._secret, hook.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refused("The signature is not Facebook's.")
        return expected

    def parse(self, body: bytes) -> Sequence[Fact]:
        """Comments by the post they are under, which is what `Ingest.chat_ref` names."""
        try:
            delivery = json.loads(body)
            changes = [
                (str(entry["id"]), change["value"])
                for entry in delivery["entry"]
                for change in entry.get("changes", ())
                if delivery["object"] == "page" and change["field"] == "feed"
            ]
            return news(changes)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None


def news(changes: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Fact]:
    """(Page, value) → one piece of news per post. A removal that overtook its comment still removes it."""
    chats: dict[str, dict[str, ChatItem]] = {}
    for page, value in changes:
        verb = value.get("verb")
        if value.get("item") != "comment" or verb not in SAID | TAKEN:
            continue
        post = str(value["post_id"])
        key = comment_id(post, str(value["comment_id"]))
        items = chats.setdefault(post, {})
        if verb in TAKEN:
            items.pop(key, None)
            items[key] = ChatDeletion(message_ids=(key,))
        elif not (verb == "add" and isinstance(items.get(key), ChatDeletion)):
            # Unix numbers here, ISO 8601 in what is read; the rest is the same.
            at, parent = value.get("created_time"), str(value.get("parent_id") or post)
            raw = {**value, "id": key, "parent": None if parent == post else {"id": parent}}
            raw["created_time"] = datetime.fromtimestamp(at, UTC).isoformat() if at else None
            items[key] = message(post, raw, page, backlog=False)
    return [ChatNews(chat_ref=post, items=tuple(items.values())) for post, items in chats.items() if items]


def handshake(config: Config, query: Mapping[str, str]) -> str:
    """Facebook's question when the address is entered in the Meta app; the answer is its challenge."""
    ours, given = config.verify_token.get_secret_value(), query.get("hub.verify_token", "")
    if not ours or not hmac.compare_digest(ours.encode(), given.encode()):
        raise Refused("The verify token is not the one entered here.")
    if query.get("hub.mode") != "subscribe" or not query.get("hub.challenge"):
        raise Refused("This is not Facebook's question.")
    return query["hub.challenge"]
