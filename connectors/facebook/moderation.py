"""What a Page may do about comments and people. All of it is repeatable."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

from connectors.base import Moderation, Session
from connectors.errors import Refused
from connectors.facebook.api import Api, Config
from connectors.facebook.comments import spelled
from connectors.facebook.videos import GONE

UNSEEN = frozenset({GONE, "210"})
"""A comment that is gone, a person who is gone or has blocked the Page: nothing is left to be done."""


async def delete(session: Session[Config], chat: str, message_id: str) -> None:
    """Take a comment from everybody."""
    await _unless_gone(Api(session).delete(spelled(chat, message_id)))


async def hide(session: Session[Config], chat: str, message_id: str) -> None:
    """Leave a comment to its author and the author's friends."""
    await _unless_gone(Api(session).post(spelled(chat, message_id), is_hidden="true"))


async def unhide(session: Session[Config], chat: str, message_id: str) -> None:
    """Show it again."""
    await _unless_gone(Api(session).post(spelled(chat, message_id), is_hidden="false"))


async def ban(session: Session[Config], chat: str, author_id: str) -> None:
    """Block a person from the whole Page, not from this chat alone."""
    blocked = Api(session).post(f"{session.config.page_id}/blocked", psid=json.dumps([author_id]))
    answer = await _unless_gone(blocked)
    if isinstance(answer, dict) and answer.get(author_id) is False:
        raise Refused("Facebook did not block this person and gave no reason.")


async def unban(session: Session[Config], chat: str, author_id: str) -> None:
    """Let the person in again."""
    await _unless_gone(Api(session).delete(f"{session.config.page_id}/blocked", psid=author_id))


async def _unless_gone(done: Awaitable[Any]) -> Any:
    try:
        return await done
    except Refused as refused:
        if refused.code not in UNSEEN:
            raise
    return None


MODERATION = Moderation(delete=delete, hide=hide, unhide=unhide, ban=ban, unban=unban)
