"""Private replies: the only way to write to whoever comments on a live.

One message per comment, and only while the live is on. Instagram has no repeat key, but it refuses a second
message by itself; so a lost answer is RetryLater(unknown), and nothing is sent again unasked.
"""

from __future__ import annotations

from connectors.base import Session
from connectors.errors import Refused
from connectors.instagram.api import Api, Config

LONGEST_BYTES = 1000
TOO_LONG = "Instagram takes 1000 bytes in a message; emoji and letters beyond A to Z count two to four."


class InstagramReplier:
    """Sends a direct message that quotes the comment."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        """Answer once and return the message's id. Refused with `answered` or `closed` for good."""
        if len(text.encode()) > LONGEST_BYTES:
            raise Refused(TOO_LONG, code="too_long")
        sent = await self._api.call(
            "POST",
            f"{self._api.speaker}/messages",
            json={"recipient": {"comment_id": message_id}, "message": {"text": text}},
        )
        return str(sent["message_id"])
