"""What Instagram sends us about a live: its comments. Pure functions.

Only the field `live_comments` counts; `comments` is about posts. Copies that an advertisement made of a
comment are left out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import Refused
from connectors.instagram.api import Config
from connectors.instagram.comments import message
from connectors.types import ChatItem, ChatNews, Fact, Webhook

COPIES = ("ad_id", "original_media_id")


class InstagramWebhooks:
    """Signed with the app's secret over the raw bytes, emoji escaped as Instagram escaped them."""

    def __init__(self, config: Config) -> None:
        self._secret = config.app_secret.get_secret_value().encode()
        self._username = config.username

    def verify(self, hook: Webhook) -> str:
        """The signature itself names the delivery: there is no id, and repeats are byte for byte."""
        given = hook.headers.get("x-hub-signature-256", "")
        expected = "sha256=" + hmac.new(self._secret, hook.body, hashlib.sha256).hexdigest()
        if not self._secret or not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refused("The signature is not Instagram's.")
        return expected

    def parse(self, body: bytes) -> Sequence[Fact]:
        """Comments by account, in order of arrival: a webhook does not say when one was written."""
        chats: dict[str, dict[str, ChatItem]] = {}
        try:
            for account, value in spoken(json.loads(body)):
                told = message(value, account, username=self._username)
                chats.setdefault(account, {}).setdefault(told.id, told)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None
        return [ChatNews(chat_ref=chat, items=tuple(items.values())) for chat, items in chats.items()]


def spoken(delivery: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(account, value) of each live comment: in one object or an array, with `changes` or without."""
    deliveries = delivery if isinstance(delivery, list) and delivery else [delivery]
    for one in deliveries:
        kind = one["object"]
        for entry in one["entry"]:
            # With Instagram Login the field stands in the entry itself.
            for change in entry.get("changes") or [entry]:
                if kind != "instagram" or change.get("field") != "live_comments":
                    continue
                value = change["value"]
                copied = any((value.get("media") or {}).get(name) or value.get(name) for name in COPIES)
                if (value.get("id") or value.get("comment_id")) and not copied:
                    yield str(entry["id"]), value


def handshake(config: Config, query: Mapping[str, str]) -> str:
    """Instagram's question when the address is entered in the Meta app; the answer is its challenge."""
    ours, given = config.verify_token.get_secret_value(), query.get("hub.verify_token", "")
    if not ours or not hmac.compare_digest(ours.encode(), given.encode()):
        raise Refused("The verify token is not the one entered here.")
    if query.get("hub.mode") != "subscribe" or not query.get("hub.challenge"):
        raise Refused("This is not Instagram's question.")
    return query["hub.challenge"]
