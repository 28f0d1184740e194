"""What the platform lets programs do about messages and people.

Functions instead of a class: a verb the platform does not have is left out of `MODERATION`, and the hub then
does what it can by itself and says so.
"""

from __future__ import annotations

from typing import Any

from connectors._template.api import Calls, Config
from connectors.base import Moderation, Session
from connectors.errors import Refused


async def delete(session: Session[Config], ref: str, message_id: str) -> None:
    """For everybody. Repeatable: a message that is gone is what we wanted."""
    await unless_gone(session, "DELETE", f"chats/{ref}/messages/{message_id}")


async def hide(session: Session[Config], ref: str, message_id: str) -> None:
    """For all but its author."""
    await unless_gone(session, "POST", f"chats/{ref}/messages/{message_id}/hide")


async def timeout(session: Session[Config], ref: str, author_id: str, seconds: int) -> None:
    """The platform takes a day at most; more is cut to that rather than refused in the middle of a show."""
    body = {"seconds": min(seconds, 86_400)}
    await Calls(session)("PUT", f"chats/{ref}/bans/{author_id}", json=body, urgent=True)


async def ban(session: Session[Config], ref: str, author_id: str) -> None:
    """Until somebody takes it back. PUT: the same twice is one ban."""
    await Calls(session)("PUT", f"chats/{ref}/bans/{author_id}", json={}, urgent=True)


async def unban(session: Session[Config], ref: str, author_id: str) -> None:
    """Ends a timeout, too. Somebody who is not banned is no error."""
    await unless_gone(session, "DELETE", f"chats/{ref}/bans/{author_id}")


async def unless_gone(session: Session[Config], method: str, path: str) -> None:
    """One call whose 404 means that it is done already."""
    how: dict[str, Any] = {"urgent": True}
    try:
        await Calls(session)(method, path, **how)
    except Refused as refused:
        if refused.code != "404":
            raise


MODERATION = Moderation(delete=delete, hide=hide, timeout=timeout, ban=ban, unban=unban)
