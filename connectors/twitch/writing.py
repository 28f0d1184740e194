"""Writing to a Twitch channel's chat: messages, answers to messages, announcements."""

from __future__ import annotations

from twitchio.models.chat import SentMessage

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.twitch.api import Config, Helix, optional, understood

LONGEST_MESSAGE = 500
TOO_FAST = frozenset({"msg_ratelimit", "msg_slowmode"})
RATE_WINDOW = 30.0
COLOUR = "primary"
"""The channel's own. Twitch takes no announcement without a colour."""


class TwitchReplies:
    """Writes to the chat of the linked account's own channel, as that channel."""

    def __init__(self, session: Session[Config]) -> None:
        self._helix = Helix(session)

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """Send once; the message comes back through the chat with this id.

        Twitch knows no keys for repeats: a lost answer is RetryLater(unknown). A message that it drops
        is Refused with Twitch's reason, or RetryLater when it only came too fast.
        """
        return await self._post(ref, text, None)

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        """The same, shown by Twitch below the message that it answers."""
        return await self._post(ref, text, message_id)

    async def _post(self, ref: str, text: str, parent: str | None) -> str:
        fitting(text)
        answer = await self._helix.post_chat_message(
            broadcaster_id=ref, sender_id=ref, message=text, token_for=ref, reply_to_message_id=parent
        )
        with understood(unknown=True):
            sent = SentMessage(answer["data"][0])
            if sent.sent:
                return str(sent.id)
        code = sent.dropped_code
        if code in TOO_FAST:
            raise RetryLater("Twitch asks us to write more slowly.", RATE_WINDOW)
        reason = " ".join((sent.dropped_message or "no reason given").split())[:200]
        raise Refused(f"Twitch did not show the message: {reason}", code=code)


class TwitchAnnouncer:
    """Announces in the chat of the linked account's own channel."""

    def __init__(self, session: Session[Config]) -> None:
        self._helix = Helix(session)

    async def announce(self, ref: str, text: str, *, key: str) -> str:
        """Once; Twitch gives no id. At most one in two seconds. A lost answer is RetryLater(unknown)."""
        fitting(text)
        with optional():
            await self._helix.post_chat_announcement(
                broadcaster_id=ref, moderator_id=ref, token_for=ref, message=text, color=COLOUR
            )
        return ""


def fitting(text: str) -> None:
    """Refused for what Twitch would not take, before it costs a call."""
    if not 0 < len(text) <= LONGEST_MESSAGE:
        raise Refused(f"Twitch takes messages of 1 to {LONGEST_MESSAGE} characters.", code="length")
