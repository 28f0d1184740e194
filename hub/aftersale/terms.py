"""A brand's own rules after the sale, and the return terms a host must say aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.models import AftersaleTerms, TermsSaid
from hub.carts.models import ShopTerms
from hub.clock import Clock
from hub.db import run
from hub.errors import NotFound

PROMPTS = text(
    """
    SELECT product.id AS product_id, product.title, max(variant.price_minor) AS price_minor,
           min(variant.currency) AS currency,
           coalesce(nullif(product.return_policy, ''), shop_terms.return_policy, '') AS policy,
           said.said_at, member.name AS said_by
    FROM show_product
    JOIN show ON show.id = show_product.show_id
    JOIN product ON product.id = show_product.product_id
    JOIN variant ON variant.product_id = product.id AND NOT variant.archived
    JOIN brand ON brand.id = show.brand_id
    LEFT JOIN aftersale_terms AS terms ON terms.brand_id = show.brand_id
    LEFT JOIN shop_terms ON shop_terms.brand_id = show.brand_id
    LEFT JOIN terms_said AS said ON said.show_id = show.id AND said.product_id = product.id
    LEFT JOIN member ON member.id = said.member_id
    WHERE show.id = :show_id AND show.brand_id = :brand_id
    GROUP BY product.id, shop_terms.return_policy, said.said_at, member.name, terms.high_value_minor,
             show_product.position
    HAVING max(variant.price_minor) > terms.high_value_minor OR said.said_at IS NOT NULL
    ORDER BY show_product.position, product.id
    """
)


@dataclass(frozen=True)
class Prompt:
    """Say the return terms of this product; `said_at` and `said_by` once somebody ticked it."""

    product_id: UUID
    title: str
    price_minor: int
    currency: str
    policy: str
    said_at: datetime | None
    said_by: str | None


async def terms_of(session: AsyncSession, brand_id: UUID) -> AftersaleTerms:
    """What holds for this brand."""
    return await session.get(AftersaleTerms, brand_id) or AftersaleTerms(brand_id=brand_id)


async def shop_terms_of(session: AsyncSession, brand_id: UUID) -> ShopTerms:
    """What its checkout says."""
    return await session.get(ShopTerms, brand_id) or ShopTerms(brand_id=brand_id)


class Terms:
    """Settings, and the prompts that follow from them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def change(
        self, session: AsyncSession, brand_id: UUID, change: Mapping[str, object]
    ) -> AftersaleTerms:
        """Some fields of the brand's rules; invoices that were issued stay as they are."""
        made = insert(AftersaleTerms).values(AftersaleTerms(brand_id=brand_id).model_dump())
        await run(session, made.on_conflict_do_nothing(index_elements=["brand_id"]))
        query = select(AftersaleTerms).where(col(AftersaleTerms.brand_id) == brand_id).with_for_update()
        terms = (await session.exec(query)).one()
        for name, value in change.items():
            setattr(terms, name, value)
        terms.updated_at = self._clock()
        await session.flush()
        return terms

    async def prompts(self, session: AsyncSession, brand_id: UUID, show_id: UUID) -> list[Prompt]:
        """Products of a show that cost more than the brand's threshold, and whether their terms were said."""
        rows = await run(session, PROMPTS, {"show_id": show_id, "brand_id": brand_id})
        return [Prompt(**row) for row in rows.mappings()]

    async def said(
        self, session: AsyncSession, brand_id: UUID, show_id: UUID, product_id: UUID, member_id: UUID
    ) -> list[Prompt]:
        """Tick it. The first tick counts; the prompts as they are now."""
        if product_id not in {prompt.product_id for prompt in await self.prompts(session, brand_id, show_id)}:
            raise NotFound("prompt_unknown", "There is no such reminder in this show.")
        await run(
            session,
            insert(TermsSaid)
            .values(
                show_id=show_id,
                product_id=product_id,
                brand_id=brand_id,
                member_id=member_id,
                said_at=self._clock(),
            )
            .on_conflict_do_nothing(index_elements=["show_id", "product_id"]),
        )
        return await self.prompts(session, brand_id, show_id)
