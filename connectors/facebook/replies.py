"""Writing under a live video as the Page. Facebook has no repeat key: a lost answer is RetryLater(unknown).

Whether a lost comment was made is seen by reading: it comes back as ours. `ref` is the chat's: post or live
video, Facebook takes either.
"""

from __future__ import annotations

from connectors.base import Session
from connectors.facebook.api import Api, Config
from connectors.facebook.comments import comment_id, spelled


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
