"""What an account may do about comments on its live. Both ways are repeatable."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from connectors.base import Moderation, Session
from connectors.errors import Refused
from connectors.instagram.api import Api, Config
from connectors.instagram.errors import GONE


async def delete(session: Session[Config], chat: str, message_id: str) -> None:
    """Take a comment from everybody."""
    await _unless_gone(Api(session).call("DELETE", message_id))


async def hide(session: Session[Config], chat: str, message_id: str) -> None:
    """Leave a comment to its author."""
    await _unless_gone(Api(session).call("POST", message_id, params={"hide": "true"}))


async def unhide(session: Session[Config], chat: str, message_id: str) -> None:
    """Show it again."""
    await _unless_gone(Api(session).call("POST", message_id, params={"hide": "false"}))


async def _unless_gone(done: Awaitable[Any]) -> None:
    try:
        await done
    except Refused as refused:
        if refused.code != GONE:
            raise


MODERATION = Moderation(delete=delete, hide=hide, unhide=unhide)
