"""What the channel itself may do about messages and people: delete, time out, ban, unban."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.base import Moderation, Session
from connectors.errors import Refused, RetryLater
from connectors.twitch.api import Config, Helix, optional

LONGEST = 1_209_600
"""Seconds: two weeks."""
GONE = ("404",)
BANNED_ALREADY = "already banned"
NOT_BANNED = "not banned"


async def delete(session: Session[Config], chat: str, message_id: str) -> None:
    """Takes a message from everybody. Twitch refuses those of the channel itself and of moderators.

    After six hours Twitch no longer knows a message, which is taken for gone.
    """
    with optional(), settled(codes=GONE):
        await _helix(session).delete_chat_message(chat, chat, token_for=chat, message_id=message_id)


async def timeout(session: Session[Config], chat: str, author_id: str, seconds: int) -> None:
    """Silences somebody and takes their messages away; again, it begins anew. At most two weeks."""
    for_seconds = min(max(1, seconds), LONGEST)
    with optional(), settled(BANNED_ALREADY):
        await _helix(session).post_ban_user(chat, chat, chat, author_id, duration=for_seconds)


async def ban(session: Session[Config], chat: str, author_id: str) -> None:
    """Silences somebody until they are unbanned."""
    with optional(), settled(BANNED_ALREADY):
        await _helix(session).post_ban_user(chat, chat, chat, author_id)


async def unban(session: Session[Config], chat: str, author_id: str) -> None:
    """Ends a ban or a timeout."""
    with optional(), settled(NOT_BANNED):
        await _helix(session).delete_unban_user(chat, chat, chat, author_id)


MODERATION: Moderation[Config] = Moderation(delete=delete, timeout=timeout, ban=ban, unban=unban)


def _helix(session: Session[Config]) -> Helix:
    # The part of the allowance that is kept back is kept for this.
    return Helix(session, urgent=True)


@contextmanager
def settled(said: str | None = None, *, codes: tuple[str, ...] = ()) -> Iterator[None]:
    """A no that means "it is so already" is none; somebody else's change at the same moment is waited for."""
    try:
        yield
    except Refused as refused:
        if refused.code == "409":
            raise RetryLater("Somebody else is moderating this person on Twitch right now.", 1.0) from None
        if refused.code not in codes and not (said and said in refused.reason):
            raise
