"""What somebody said in chats, and what was done about it: to hand out, and to forget.

A message stays as an empty one: the numbers of a feed have no holes, and counts stay right.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

THEIRS: Final = "unnest(CAST(:platforms AS text[]), CAST(:author_ids AS text[])) AS theirs(platform, author)"
SAID: Final = f"""
    SELECT message.show_id, message.platform, author_id, author_name, author_picture, badges, text, kind,
           amount_minor, currency, sent_at, received_at, deleted, hidden
    FROM message JOIN {THEIRS} ON (message.platform, author_id) = (theirs.platform, theirs.author)
    WHERE brand_id = :brand ORDER BY received_at, id
"""  # noqa: S608 - words of ours
MODERATED: Final = f"""
    SELECT show_id, moderation_action.platform, verb, seconds, author_name, excerpt, created_at
    FROM moderation_action
    JOIN {THEIRS} ON (moderation_action.platform, author_id) = (theirs.platform, theirs.author)
    WHERE brand_id = :brand ORDER BY created_at
"""  # noqa: S608
MUTED: Final = f"""
    SELECT chat_mute.platform, author_id, until FROM chat_mute
    JOIN {THEIRS} ON (chat_mute.platform, author_id) = (theirs.platform, theirs.author)
    WHERE brand_id = :brand
"""  # noqa: S608
ANSWERS: Final = f"""
    UPDATE message AS answer SET reply_to = 'erased:' || message.id
    FROM message JOIN {THEIRS} ON (message.platform, message.author_id) = (theirs.platform, theirs.author)
    WHERE message.brand_id = :brand AND answer.show_id = message.show_id
      AND answer.reply_to = message.external_id
"""  # noqa: S608
RELAYED: Final = f"""
    UPDATE delivery SET text = '', answers = NULL
    FROM message JOIN {THEIRS} ON (message.platform, author_id) = (theirs.platform, theirs.author)
    WHERE message.brand_id = :brand AND delivery.show_id = message.show_id
      AND (delivery.message_id = message.id OR delivery.answers = message.external_id)
"""  # noqa: S608
BLANK: Final = f"""
    UPDATE message SET author_id = :nobody, author_name = NULL, author_picture = NULL, badges = '[]',
           text = '', fragments = '[]', external_id = 'erased:' || id, deleted = true
    FROM {THEIRS} WHERE brand_id = :brand AND (message.platform, author_id) = (theirs.platform, theirs.author)
"""  # noqa: S608
FORGET_ACTS: Final = f"""
    UPDATE moderation_action SET author_id = :nobody, author_name = NULL, excerpt = ''
    FROM {THEIRS}
    WHERE brand_id = :brand AND (moderation_action.platform, author_id) = (theirs.platform, theirs.author)
"""  # noqa: S608
UNMUTE: Final = f"""
    DELETE FROM chat_mute USING {THEIRS}
    WHERE brand_id = :brand AND (chat_mute.platform, author_id) = (theirs.platform, theirs.author)
"""  # noqa: S608
MENTION: Final = text(
    r"""
    UPDATE message SET text = regexp_replace(text, :pattern, '@…', 'gi'), fragments = '[]'
    WHERE brand_id = :brand AND text ~* :pattern
    """
)
MENTION_SENT: Final = text(
    """
    UPDATE delivery SET text = regexp_replace(text, :pattern, '@…', 'gi')
    WHERE brand_id = :brand AND text ~* :pattern
    """
)


async def export(session: AsyncSession, who: Who) -> Rows:
    """Messages, moderation of them, and mutes."""
    names = ("platforms", "author_ids")
    return {
        "message": await rows_of(session, who, SAID, *names),
        "moderation_action": await rows_of(session, who, MODERATED, *names),
        "chat_mute": await rows_of(session, who, MUTED, *names),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Empty their messages, forget who was moderated, and take their name out of others' mentions."""
    names = ("platforms", "author_ids")
    answered = await done(session, who, ANSWERS, *names)
    relayed = await done(session, who, RELAYED, *names)
    counts = {
        "message": await done(session, who, BLANK, *names, "nobody"),
        "moderation_action": await done(session, who, FORGET_ACTS, *names, "nobody"),
        "chat_mute": await done(session, who, UNMUTE, *names),
        "delivery": relayed,
    }
    mentions = answered
    for name in who.names if who.authors else ():
        values = {"brand": who.brand_id, "pattern": rf"@{re.escape(name)}\M"}
        mentions += (await run(session, MENTION, values)).rowcount
        counts["delivery"] += (await run(session, MENTION_SENT, values)).rowcount
    counts["mentions"] = mentions
    return counts
