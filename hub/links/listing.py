"""The brand's links as the studio lists them, with what each brought; and the same as a file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Money
from hub.db import Database, run
from hub.links.overlay import shown
from hub.links.posts import LinkPosts, Posted
from hub.links.service import Links
from hub.orders.export import harmless, line_of
from hub.shows.profiles import profiles_of

AT_A_TIME: Final = 200
PAGE: Final = text(
    """
    WITH page AS MATERIALIZED (
        SELECT link.*, show.title AS show_title, show.slug, target.name AS target_name,
            coalesce(nullif(target.platform, ''), target.connector) AS platform,
            product.title AS product_title, offer.title AS offer_title
        FROM tracked_link link
        LEFT JOIN show ON show.id = link.show_id
        LEFT JOIN show_target target ON target.id = link.target_id
        LEFT JOIN product ON product.id = link.product_id
        LEFT JOIN offer ON offer.id = link.offer_id
        WHERE link.brand_id = :brand_id
          AND (CAST(:link_id AS uuid) IS NULL OR link.id = CAST(:link_id AS uuid))
          AND (CAST(:show_id AS uuid) IS NULL OR link.show_id = CAST(:show_id AS uuid))
          AND (CAST(:placement AS text) IS NULL OR link.placement = CAST(:placement AS text))
          AND (CAST(:archived AS boolean) IS NULL
               OR (link.archived_at IS NOT NULL) = CAST(:archived AS boolean))
          AND (CAST(:words AS text) IS NULL OR concat_ws(' ', link.title, link.code, link.host, show.title,
               target.name, product.title, link.utm_source, link.utm_campaign, link.utm_content)
               ILIKE CAST(:words AS text))
          AND (CAST(:before AS uuid) IS NULL OR link.id < CAST(:before AS uuid))
        ORDER BY link.id DESC LIMIT :limit
    ), click AS (
        SELECT link_id, count(*) FILTER (WHERE who = 'person') AS persons,
            count(*) FILTER (WHERE who = 'bot') AS bots, count(*) FILTER (WHERE who = 'preview') AS previews
        FROM link_click WHERE link_id IN (SELECT id FROM page) GROUP BY link_id
    ), came AS (
        SELECT link_id, count(*) AS touches FROM touch
        WHERE brand_id = :brand_id AND link_id IN (SELECT id FROM page) GROUP BY link_id
    ), sold AS (
        SELECT link_id, json_agg(json_build_object('currency', currency, 'orders', orders,
            'revenue_minor', revenue_minor) ORDER BY currency) AS sales
        FROM (
            SELECT touch.link_id, orders.currency, count(*) AS orders,
                sum(orders.total_minor - orders.refunded_minor)::bigint AS revenue_minor
            FROM orders JOIN touch ON touch.id = orders.last_touch_id
            WHERE orders.brand_id = :brand_id AND orders.state IN ('paid', 'refunded') AND NOT orders.test
              AND touch.link_id IN (SELECT id FROM page)
            GROUP BY touch.link_id, orders.currency
        ) AS each GROUP BY link_id
    )
    SELECT page.*, coalesce(click.persons, 0) AS persons, coalesce(click.bots, 0) AS bots,
        coalesce(click.previews, 0) AS previews, coalesce(came.touches, 0) AS touches,
        coalesce(sold.sales, '[]') AS sales
    FROM page LEFT JOIN click ON click.link_id = page.id LEFT JOIN came ON came.link_id = page.id
    LEFT JOIN sold ON sold.link_id = page.id ORDER BY page.id DESC
    """
)
"""Last touch; what was given back is taken off. An order that was paid back whole still counts as one."""
COLUMNS: Final = (
    *("code", "address", "title", "show", "target", "product", "offer", "host", "placement", "destination"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id", "clicks", "bots"),
    *("previews", "touches", "orders", "revenue", "currency", "cost", "cost_currency", "created_at"),
    *("archived_at", "id"),
)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which links. `words` are looked for in all that names one; `archived` None: both kinds."""

    words: str | None = None
    show_id: UUID | None = None
    placement: str | None = None
    archived: bool | None = False


class Sales(BaseModel):
    """What a link sold in one currency, by last touch: orders, and their totals less refunds."""

    currency: str
    orders: int
    revenue_minor: int


class PostOut(BaseModel):
    """Where a link is posted. `delivery` is what became of the last time; `problem` a sentence for staff."""

    id: UUID
    target_id: UUID
    target_name: str
    platform: str
    how: str
    every_minutes: int | None
    message: str
    state: str
    next_at: datetime | None
    last_at: datetime | None
    times: int
    delivery: str | None
    problem: str | None

    @classmethod
    def of(cls, found: Posted, url: str) -> PostOut:
        """From the tables; a profile that was changed since has lost its link."""
        post, target, delivery = found.post, found.target, found.delivery
        problem = post.reason or (delivery.reason if delivery and delivery.state == "failed" else None)
        if post.how == "overlay" and post.state == "done":
            layers = {one.name: one.layers for one in profiles_of(found.show)}.get(target.profile or "", [])
            problem = (
                None if shown(layers, url) else "Its profile was changed since. Show the link there again."
            )
        elif (
            problem is None and post.state == "waiting" and found.show.state == "live" and not target.chat_ref
        ):
            problem = f"The chat of {target.name} is not open yet."
        columns = {
            "target_id",
            "id",
            "how",
            "every_minutes",
            "message",
            "state",
            "next_at",
            "last_at",
            "times",
        }
        return cls(
            **post.model_dump(include=columns),
            target_name=target.name,
            platform=target.platform or target.connector,
            delivery=delivery.state if delivery else None,
            problem=problem,
        )


class LinkOut(BaseModel):
    """A link and what it brought. `url` is the short address; `lands_on` the page, without tags."""

    id: UUID
    code: str
    url: str
    lands_on: str
    title: str
    show_id: UUID | None
    show_title: str | None
    target_id: UUID | None
    target_name: str | None
    platform: str | None
    product_id: UUID | None
    product_title: str | None
    offer_id: UUID | None
    offer_title: str | None
    host: str | None
    placement: str
    destination: str | None
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str | None
    utm_term: str | None
    utm_id: str | None
    cost_minor: int | None
    currency: str | None
    created_at: datetime
    archived_at: datetime | None
    persons: int
    bots: int
    previews: int
    touches: int
    sales: list[Sales]
    posts: list[PostOut]


class LinkList:
    """Reads the list."""

    def __init__(self, db: Database, links: Links, posts: LinkPosts, site_url: str) -> None:
        self._db = db
        self._links = links
        self._posts = posts
        self._site = site_url

    async def page(
        self,
        session: AsyncSession,
        brand_id: UUID,
        wanted: Filter,
        *,
        before: UUID | None = None,
        limit: int = AT_A_TIME,
        link_id: UUID | None = None,
    ) -> list[LinkOut]:
        """Newest first, those older than `before`."""
        words = (
            wanted.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            if wanted.words
            else None
        )
        values = {
            "brand_id": brand_id,
            "link_id": link_id,
            "show_id": wanted.show_id,
            "placement": wanted.placement,
            "archived": wanted.archived,
            "words": f"%{words}%" if words else None,
            "before": before,
            "limit": limit,
        }
        rows = [dict(row) for row in (await run(session, PAGE, values)).mappings()]
        posts: dict[UUID, list[PostOut]] = {}
        for found in await self._posts.of_links(session, [row["id"] for row in rows]) if rows else ():
            out = PostOut.of(found, self._links.url(found.link.code))
            posts.setdefault(found.post.link_id, []).append(out)
        return [self._out(row, posts.get(row["id"], [])) for row in rows]

    async def one(self, session: AsyncSession, brand_id: UUID, link_id: UUID) -> LinkOut:
        """One of them, archived or not."""
        await session.flush()
        [out] = await self.page(session, brand_id, Filter(archived=None), link_id=link_id)
        return out

    async def csv(self, brand_id: UUID, wanted: Filter) -> AsyncIterator[str]:
        """For a spreadsheet, a line per link and currency; with a byte order mark, as it would else guess."""
        yield "\ufeff" + line_of(COLUMNS)
        async for link in self._every(brand_id, wanted):
            for cells in cells_of(link):
                yield line_of([cells[name] for name in COLUMNS])

    async def json(self, brand_id: UUID, wanted: Filter) -> AsyncIterator[str]:
        """One JSON array, a link at a time; amounts in minor units."""
        before = "["
        async for link in self._every(brand_id, wanted):
            yield before + json.dumps(link.model_dump(mode="json"), ensure_ascii=False)
            before = ",\n"
        yield "]\n" if before != "[" else "[]\n"

    async def _every(self, brand_id: UUID, wanted: Filter) -> AsyncIterator[LinkOut]:
        """Page by page, each in a transaction of its own: a slow reader holds no connection."""
        before: UUID | None = None
        while True:
            async with self._db.session() as session:
                found = await self.page(session, brand_id, wanted, before=before)
            for link in found:
                yield link
            if len(found) < AT_A_TIME:
                return
            before = found[-1].id

    def _out(self, row: dict[str, Any], posts: list[PostOut]) -> LinkOut:
        place = row["destination"] or f"/watch/{row['slug']}"
        lands_on = self._site + place if place.startswith("/") else place
        return LinkOut(**row, url=self._links.url(row["code"]), lands_on=lands_on, posts=posts)


def cells_of(link: LinkOut) -> list[dict[str, str]]:
    """One link by column, once per currency it sold in. Amounts as decimal numbers, to be added up."""

    def money(minor: int | None, currency: str | None) -> str:
        return Money(amount=minor, currency=currency).decimal() if minor is not None and currency else ""

    words = {name: str(getattr(link, name) or "") for name in COLUMNS if hasattr(link, name)}
    known = {name: harmless(value) for name, value in words.items()} | {
        "address": link.url,
        "show": harmless(link.show_title or ""),
        "target": harmless(link.target_name or ""),
        "product": harmless(link.product_title or ""),
        "offer": harmless(link.offer_title or ""),
        "clicks": str(link.persons),
        "bots": str(link.bots),
        "previews": str(link.previews),
        "touches": str(link.touches),
        "orders": "0",
        "revenue": "",
        "currency": "",
        "cost": money(link.cost_minor, link.currency),
        "cost_currency": link.currency or "",
        "created_at": link.created_at.isoformat(),
        "archived_at": link.archived_at.isoformat() if link.archived_at else "",
    }
    sold = [
        {
            "orders": str(one.orders),
            "revenue": money(one.revenue_minor, one.currency),
            "currency": one.currency,
            # What a link cost, it cost once: a column that is added up must not count it twice.
            **({"cost": "", "cost_currency": ""} if number else {}),
        }
        for number, one in enumerate(link.sales)
    ]
    return [known | one for one in sold or [{}]]
