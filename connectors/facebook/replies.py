"""Writing under a live video as the Page, and to one person alone.

Facebook has no repeat key: a lost answer is RetryLater(unknown). Whether a lost comment was made is seen by
reading: it comes back as ours. `ref` is the chat's: post or live video, Facebook takes either.
"""

from __future__ import annotations

import json
from typing import Final

from connectors.base import Session
from connectors.errors import Refused
from connectors.facebook.api import Api, Config
from connectors.facebook.comments import comment_id, spelled
from connectors.facebook.errors import NO_MESSAGES, Lacking

LONGEST_PRIVATE: Final = 2000
TOO_LONG: Final = "Facebook takes 2000 characters in a private message."
MAY_NOT: Final = (
    "This Facebook login may not write private messages. Link the account again and allow messages."
)


class FacebookComments:
    """Comments for everybody."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """Comment once; it comes back through the chat with this id."""
        made = await self._api.post(f"{ref}/comments", message=text)
        return comment_id(ref, made["id"])


class FacebookReplier:
    """Answers below a comment; whoever wrote it is notified by Facebook."""

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        """Answer once; it comes back through the chat with this id."""
        made = await self._api.post(f"{spelled(ref, message_id)}/comments", message=text)
        return comment_id(ref, made["id"])


class FacebookPrivateReplier:
    """Answers a comment with a message that only its author reads: one per comment, for seven days.

    Facebook refuses a second one by itself, but there is no repeat key: a lost answer is RetryLater(unknown).
    A login that was not allowed messages is good for all else, so that is Refused and no Reconnect.
    """

    def __init__(self, session: Session[Config]) -> None:
        self._api = Api(session)
        self._page_id = session.config.page_id

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        """Answer once and return the message's id; Refused as `PrivateReplier` says."""
        if len(text) > LONGEST_PRIVATE:
            raise Refused(TOO_LONG, code="too_long")
        try:
            sent = await self._api.post(
                f"{self._page_id}/messages",
                recipient=json.dumps({"comment_id": spelled(ref, message_id)}),
                message=json.dumps({"text": text}),
            )
        except Lacking:
            raise Refused(MAY_NOT, code=NO_MESSAGES) from None
        return str(sent["message_id"])
