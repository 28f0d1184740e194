"""The history of prices: every price that was shown, and the lowest of a time before.

The rule it serves is article 6a of directive 98/6/EC: whoever announces a reduction names the lowest price of
the 30 days before it. A price counts while anybody could see it: those of drafts and archived things do not.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

SHOWN = """
    SELECT variant.id AS variant_id, variant.brand_id, variant.currency, variant.price_minor
    FROM variant JOIN product ON product.id = variant.product_id
    WHERE product.id = ANY(:products) AND product.state = 'active' AND NOT variant.archived
    UNION ALL
    SELECT price.variant_id, price.brand_id, price.currency, price.price_minor
    FROM price JOIN variant ON variant.id = price.variant_id JOIN product ON product.id = variant.product_id
    WHERE product.id = ANY(:products) AND product.state = 'active' AND NOT variant.archived
      AND price.currency <> variant.currency
"""
CLOSE = text(
    f"""
    WITH shown AS ({SHOWN})
    UPDATE price_history AS was SET ends_at = greatest(was.starts_at, CAST(:at AS timestamptz))
    FROM variant
    WHERE variant.id = was.variant_id AND variant.product_id = ANY(:products)
      AND was.offer_id IS NULL AND was.ends_at IS NULL
      AND NOT EXISTS (SELECT FROM shown WHERE shown.variant_id = was.variant_id
          AND shown.currency = was.currency AND shown.price_minor = was.price_minor)
    """  # noqa: S608  a constant
)
OPEN = text(
    f"""
    WITH shown AS ({SHOWN})
    INSERT INTO price_history (id, brand_id, variant_id, currency, price_minor, starts_at)
    SELECT gen_random_uuid(), brand_id, variant_id, currency, price_minor, CAST(:at AS timestamptz) FROM shown
    ON CONFLICT (variant_id, currency) WHERE offer_id IS NULL AND ends_at IS NULL DO NOTHING
    """  # noqa: S608  a constant
)
NOTE_BASE = text(
    """
    WITH closed AS (
        UPDATE price_history SET ends_at = greatest(starts_at, CAST(:starts_at AS timestamptz))
        WHERE variant_id = :variant_id AND currency = :currency AND offer_id IS NULL AND ends_at IS NULL)
    SELECT brand_id FROM variant WHERE id = :variant_id
    """
)
INSERT = text(
    """
    INSERT INTO price_history
        (id, brand_id, variant_id, currency, price_minor, offer_id, starts_at, ends_at)
    SELECT gen_random_uuid(), brand_id, id, CAST(:currency AS text), CAST(:price_minor AS bigint),
        CAST(:offer_id AS uuid), CAST(:starts_at AS timestamptz), CAST(:ends_at AS timestamptz)
    FROM variant WHERE id = :variant_id
    ON CONFLICT (offer_id, variant_id, currency, price_minor) WHERE offer_id IS NOT NULL
    DO UPDATE SET ends_at = excluded.ends_at
    """
)
END = text(
    """
    UPDATE price_history SET ends_at = greatest(starts_at, CAST(:at AS timestamptz))
    WHERE offer_id = :offer_id AND (ends_at IS NULL OR ends_at > CAST(:at AS timestamptz))
    """
)
LOWEST = text(
    """
    SELECT min(price_minor) FROM price_history
    WHERE variant_id = :variant_id AND currency = :currency
      AND starts_at < CAST(:before AS timestamptz)
      AND (ends_at IS NULL OR ends_at > greatest(starts_at, CAST(:since AS timestamptz)))
    """
)


async def follow(session: AsyncSession, products: Collection[UUID], at: datetime) -> None:
    """After any edit: what these products show from now on is in the history, what they no longer show ends.

    Repeatable; a price that did not change goes on in its row.
    """
    values = {"products": [*products], "at": at}
    await run(session, CLOSE, values)
    await run(session, OPEN, values)


async def note(
    session: AsyncSession,
    variant_id: UUID,
    currency: str,
    price_minor: int,
    offer_id: UUID | None,
    starts_at: datetime,
    ends_at: datetime | None,
) -> None:
    """A price is shown from `starts_at` until just before `ends_at` (None: until something ends it).

    Without an offer it takes the place of the base price there was. With one it stands beside it, and saying
    it again moves its end. Repeatable.
    """
    values = {
        "variant_id": variant_id,
        "currency": currency,
        "price_minor": price_minor,
        "offer_id": offer_id,
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    if offer_id is None:
        await run(session, NOTE_BASE, values)
    await run(session, INSERT, values)


async def end(session: AsyncSession, offer_id: UUID, at: datetime) -> None:
    """No price of this offer is shown from `at` on. Repeatable; an earlier end stays."""
    await run(session, END, {"offer_id": offer_id, "at": at})


async def lowest(
    session: AsyncSession, variant_id: UUID, currency: str, before: datetime, days: int = 30
) -> int | None:
    """The lowest price shown at any moment of the `days` before `before`, offers included.

    None when none was shown in that time: the thing is new, or was off sale.
    """
    values = {
        "variant_id": variant_id,
        "currency": currency,
        "before": before,
        "since": before - timedelta(days=days),
    }
    found: int | None = (await run(session, LOWEST, values)).scalar_one_or_none()
    return found
