"""Deleting messages, and banning people from a live chat.

YouTube lists no bans and lifts them by their own id only. Whoever is banned already is given the same ban
again, so that its id is found by banning once more, whatever we have forgotten.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from connectors.base import Session
from connectors.errors import Refused
from connectors.youtube.api import Api
from connectors.youtube.config import Config

T = TypeVar("T")
NOBODY = frozenset({"liveChatUserNotFound", "invalidChannelId", "bannedUserChannelIdRequired"})
NOT_THERE = frozenset({"liveChatMessageNotFound", "liveChatBanNotFound", "invalidLiveChatBanId", "404"})


async def delete(session: Session[Config], chat: str, message_id: str) -> None:
    """Take a message from everybody. Repeatable."""
    await _unless(NOT_THERE, Api(session).call("liveChatMessages.delete", weight="urgent", id=message_id))


async def timeout(session: Session[Config], chat: str, author_id: str, seconds: int) -> None:
    """Silence somebody for a while. Repeatable: the time then begins anew."""
    await _unless(NOBODY, _ban(session, chat, author_id, seconds))


async def ban(session: Session[Config], chat: str, author_id: str) -> None:
    """Silence somebody for good. Repeatable."""
    await _unless(NOBODY, _ban(session, chat, author_id, None))


async def unban(session: Session[Config], chat: str, author_id: str) -> None:
    """Let somebody speak again, banned or timed out. Repeatable."""
    ban_id = await _unless(NOBODY, _ban(session, chat, author_id, None))
    if ban_id is not None:
        await _unless(NOT_THERE, Api(session).call("liveChatBans.delete", weight="urgent", id=ban_id))


async def _ban(session: Session[Config], chat: str, author_id: str, seconds: int | None) -> str:
    snippet = {
        "liveChatId": chat,
        "type": "permanent",
        "bannedUserDetails": {"channelId": author_id},
    }
    if seconds is not None:
        snippet |= {"type": "temporary", "banDurationSeconds": str(max(1, seconds))}
    made = await Api(session).call(
        "liveChatBans.insert", weight="urgent", part="snippet", body={"snippet": snippet}
    )
    return str(made["id"])


async def _unless(codes: frozenset[str], call: Awaitable[T]) -> T | None:
    """What a call gives; None where the platform has nobody and nothing by that name."""
    try:
        return await call
    except Refused as refused:
        if refused.code not in codes:
            raise
        return None
