"""What a show sells, as the parser wants it: one statement, read with every batch of messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.claims.parser import Catalogue, Item, choice_of
from hub.claims.reading import words_of
from hub.claims.words import PLEASANTRIES
from hub.db import run

SOLD: Final = text(
    """
    SELECT product.id, product.title, own.number, own.word, coalesce(rules.most, 10) AS most,
        json_agg(json_build_array(variant.id, variant.title, variant.options) ORDER BY variant.position,
            variant.id) AS variants
    FROM show_product AS placed
    JOIN product ON product.id = placed.product_id AND product.state = 'active'
    JOIN variant ON variant.product_id = product.id AND NOT variant.archived
    LEFT JOIN claim_word AS own ON own.show_id = placed.show_id AND own.product_id = placed.product_id
    LEFT JOIN claim_rules AS rules ON rules.show_id = placed.show_id
    WHERE placed.show_id = :show_id AND coalesce(rules.enabled, true)
    GROUP BY product.id, product.title, own.number, own.word, rules.most, placed.position
    ORDER BY placed.position, product.id
    """
)


async def catalogue_of(session: AsyncSession, show_id: UUID) -> Catalogue:
    """Empty where nothing is sold, or claims are switched off."""
    rows = (await run(session, SOLD, {"show_id": show_id})).all()
    if not rows:
        return Catalogue()
    numbers = numbered([row.number for row in rows])
    return Catalogue(
        tuple(item_of(row, number) for row, number in zip(rows, numbers, strict=True)), rows[0].most
    )


def item_of(row: Any, number: int) -> Item:
    """A product and its variants."""
    return Item(
        row.id,
        row.title,
        number,
        frozenset({row.word}) if row.word else frozenset(),
        title_words(row.title),
        tuple(
            choice_of(UUID(one), title, [str(value) for value in (options or {}).values()])
            for one, title, options in row.variants
        ),
    )


def title_words(title: str) -> frozenset[str]:
    """Those of a name that mean something."""
    return frozenset(word for word in words_of(title[:100]) if word.isalpha() and word not in PLEASANTRIES)


def numbered(given: Iterable[int | None]) -> list[int]:
    """Staff's numbers, and 1, 2, 3 … in show order for the rest, passing over staff's."""
    given = [*given]
    taken: Collection[int] = {one for one in given if one is not None}
    free = (one for one in range(1, len(given) + len(taken) + 2) if one not in taken)
    return [one if one is not None else next(free) for one in given]
