"""What clicks say of a person: those that led to their visits, or brought the same advert's click.

A click itself names nobody. An advert's id of a click is one person's, and is kept with the visit as well.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.privacy.who import Counts, Rows, Who

SHORTEST = 8
"""A shorter id of a click is nobody's own."""
THEIRS = f"""
    link_click.brand_id = :brand AND (link_click.id IN (
        SELECT click_id FROM touch WHERE brand_id = :brand AND click_id IS NOT NULL
        AND (customer_id = ANY(:customers) OR visitor_id = ANY(:visitors))
    ) OR CAST(link_click.click_ids AS text) <> '{{}}' AND EXISTS (
        SELECT FROM jsonb_each_text(CAST(link_click.click_ids AS jsonb)) AS mine
        WHERE length(mine.value) >= {SHORTEST} AND mine.value IN (
            SELECT theirs.value FROM touch, jsonb_each_text(CAST(touch.click_ids AS jsonb)) AS theirs
            WHERE touch.brand_id = :brand
            AND (touch.customer_id = ANY(:customers) OR touch.visitor_id = ANY(:visitors)))
    ))
"""  # noqa: S608 - constants of ours
READ = text(
    f"""
    SELECT link_click.at, link.code, link.title, link_click.who, link_click.device, link_click.referrer_host,
        link_click.click_ids, link_click.share_tokens
    FROM link_click JOIN tracked_link link ON link.id = link_click.link_id
    WHERE {THEIRS} ORDER BY link_click.at
    """  # noqa: S608 - a constant of ours
)
BLANK = text(
    f"""
    UPDATE link_click SET device = 'other', network_hash = NULL, referrer_host = NULL,
        click_ids = '{{}}', share_tokens = '{{}}'
    WHERE {THEIRS}
    """  # noqa: S608 - a constant of ours
)


async def export(session: AsyncSession, who: Who) -> Rows:
    """The clicks that led to the person's visits."""
    rows = await run(session, READ, who.values("customers", "visitors"))
    return {"link_click": [dict(row) for row in rows.mappings()]}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """They stay as numbers: with what, from which network and by which advert is gone. Repeatable.

    To be asked before the room of visits: it is their touches that lead here.
    """
    return {"link_click": (await run(session, BLANK, who.values("customers", "visitors"))).rowcount}
