"""What people agreed to: rows that are only ever added, and what follows from them for one person.

A person may have said different things in different places. The most restrictive of the newest counts. A
browser that sends Global Privacy Control has said no to ads, whatever was clicked in it; that no reaches the
person on their other browsers, too, until they say yes there in so many words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, cast
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.consent.models import ConsentChoice
from hub.consent.texts import NEWS, NEWS_VERSION
from hub.db import run
from hub.orders.models import Order

Purpose = Literal["analytics", "ads", "email"]
Source = Literal["banner", "gpc", "checkout", "account", "staff", "import"]
PURPOSES: Final[tuple[Purpose, ...]] = ("analytics", "ads", "email")
AGAIN: Final = timedelta(days=1)
"""Who says the same twice within a day has said it once: requests are repeated."""

NODES: Final = text("""
WITH RECURSIVE known(id) AS (
    SELECT c.id FROM customer c WHERE c.brand_id = :brand AND c.id = :customer
    UNION
    SELECT t.customer_id FROM touch t WHERE t.brand_id = :brand AND t.visitor_id = :visitor
        AND t.customer_id IS NOT NULL AND CAST(:customer AS UUID) IS NULL
), same(id) AS (
    SELECT id FROM known
    UNION
    SELECT CASE WHEN c.id = same.id THEN c.merged_into ELSE c.id END
    FROM same JOIN customer c ON c.brand_id = :brand AND c.merged_into IS NOT NULL
        AND (c.id = same.id OR c.merged_into = same.id)
)
SELECT id::text AS node, true AS person FROM same
UNION
SELECT t.visitor_id, false FROM touch t JOIN same ON t.customer_id = same.id WHERE t.brand_id = :brand
UNION
SELECT o.viewer_id, false FROM orders o JOIN same ON o.customer_id = same.id
    WHERE o.brand_id = :brand AND o.viewer_id IS NOT NULL
""")
"""The person's rows (whoever they were merged with), and the browsers they came with. A browser that is asked
about by itself stands for whoever ordered from it."""

NOT_FOR_ADS: Final = """
    UPDATE ad_ids SET gclid = NULL, fbp = NULL, fbc = NULL, ttp = NULL, ttclid = NULL, ip_sealed = NULL,
        user_agent_sealed = NULL
    WHERE brand_id = :brand AND visitor_id = ANY(:visitors)
"""
NOT_MEASURED: Final = """
    UPDATE ad_ids SET ga_client = NULL, ga_sessions = '{}'
    WHERE brand_id = :brand AND visitor_id = ANY(:visitors)
"""
NOTHING_LEFT: Final = """
    DELETE FROM ad_ids WHERE brand_id = :brand AND visitor_id = ANY(:visitors)
        AND coalesce(ga_client, gclid, fbp, fbc, ttp, ttclid) IS NULL AND CAST(ga_sessions AS text) = '{}'
        AND ip_sealed IS NULL AND user_agent_sealed IS NULL
"""
LOCKS: Final = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended('consent:' || visitor, 0))
    FROM unnest(CAST(:visitors AS text[])) AS visitor
    """
)


@dataclass(frozen=True)
class Allowed:
    """What may be done with somebody's data; nothing until they said yes. `gpc`: their browser said no."""

    analytics: bool = False
    ads: bool = False
    email: bool = False
    gpc: bool = False


class ConsentBook:
    """Writes choices down, and reads what they come to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def of(
        self,
        session: AsyncSession,
        brand_id: UUID,
        visitor_id: str | None = None,
        customer_id: UUID | None = None,
    ) -> Allowed:
        """What this browser, this person, or this person in this browser allows."""
        rows = await self.choices(session, brand_id, visitor_id, customer_id)
        newest = [row for node in by_node(rows).values() for row in node.values()]
        heard = standing(newest, visitor_id)
        gpc = any(
            row.gpc and (visitor_id is None or row.visitor_id == visitor_id)
            for row in heard
            if row.purpose == "ads"
        )
        granted = {
            purpose: {row.granted for row in heard if row.purpose == purpose} == {True}
            for purpose in PURPOSES
        }
        return Allowed(granted["analytics"], granted["ads"] and not gpc, granted["email"], gpc)

    async def hold(self, session: AsyncSession, visitor_ids: Collection[str]) -> None:
        """Until this transaction ends, what these browsers refuse waits: for whoever asks what is allowed and
        then keeps something because of it."""
        # In one order for everybody, so that nobody waits in a circle.
        await run(session, LOCKS, {"visitors": sorted(visitor_ids)})

    async def choices(
        self,
        session: AsyncSession,
        brand_id: UUID,
        visitor_id: str | None = None,
        customer_id: UUID | None = None,
    ) -> Sequence[ConsentChoice]:
        """Everything the person said, in whatever browser and under whatever name; oldest first."""
        visitors, customers = {visitor_id} - {None}, {customer_id} - {None}
        nodes = await run(session, NODES, {"brand": brand_id, "visitor": visitor_id, "customer": customer_id})
        for row in nodes.mappings():
            if row["person"]:
                customers.add(UUID(row["node"]))
            else:
                visitors.add(row["node"])
        query = (
            select(ConsentChoice)
            .where(
                col(ConsentChoice.brand_id) == brand_id,
                or_(
                    col(ConsentChoice.visitor_id).in_(visitors),
                    col(ConsentChoice.customer_id).in_(customers),
                ),
            )
            .order_by(col(ConsentChoice.at), col(ConsentChoice.id))
        )
        return (await session.exec(query)).all()

    async def note(
        self,
        session: AsyncSession,
        brand_id: UUID,
        said: Mapping[Purpose, bool],
        *,
        source: Source,
        visitor_id: str | None = None,
        customer_id: UUID | None = None,
        version: int = 0,
        proof: Mapping[str, Any] | None = None,
        gpc: bool = False,
    ) -> list[ConsentChoice]:
        """Write down what somebody said; what they said within a day already is obeyed, not written again.

        `version` is that of the text they were shown; `proof` names its language and what was clicked.
        """
        before = await self._said(session, brand_id, visitor_id, customer_id)
        now = self._clock()
        written = []
        for purpose, granted in said.items():
            last = before.get(purpose)
            known = (granted, source, gpc, version)
            if (
                last
                and (last.granted, last.source, last.gpc, last.version) == known
                and now - last.at < AGAIN
            ):
                continue
            row = ConsentChoice(
                brand_id=brand_id,
                visitor_id=visitor_id,
                customer_id=customer_id,
                purpose=purpose,
                granted=granted,
                source=source,
                gpc=gpc,
                version=version,
                proof=dict(proof or {}),
                at=now,
            )
            written.append(row)
        session.add_all(written)
        await session.flush()
        refused = [purpose for purpose, granted in said.items() if not granted]
        await self._obey(session, brand_id, refused, visitor_id, customer_id)
        return written

    async def _obey(
        self,
        session: AsyncSession,
        brand_id: UUID,
        refused: Collection[str],
        visitor_id: str | None,
        customer_id: UUID | None,
    ) -> None:
        """What a no takes with it at once: what advertisers call the person's browsers."""
        statements = [NOT_FOR_ADS] * ("ads" in refused) + [NOT_MEASURED] * ("analytics" in refused)
        if not statements:
            return
        rows = await run(session, NODES, {"brand": brand_id, "visitor": visitor_id, "customer": customer_id})
        visitors = {str(row["node"]) for row in rows.mappings() if not row["person"]}
        visitors |= {visitor_id} if visitor_id else set()
        await self.hold(session, visitors)
        for statement in (*statements, NOTHING_LEFT):
            await run(session, text(statement), {"brand": brand_id, "visitors": sorted(visitors)})

    async def wants_news(self, session: AsyncSession, order: Order) -> None:
        """Who ordered ticked the box: it is said in their browser, and with their name once it is known.

        Anybody can type another's address: whoever writes to it lets its owner confirm first.
        """
        await self.note(
            session,
            order.brand_id,
            {"email": True},
            source="checkout",
            visitor_id=order.viewer_id,
            customer_id=order.customer_id,
            version=NEWS_VERSION,
            proof={"asked": NEWS, "clicked": "box", "order": str(order.id)},
        )

    async def heard_gpc(
        self, session: AsyncSession, brand_id: UUID, visitor_id: str, customer_id: UUID | None = None
    ) -> None:
        """The browser sent `Sec-GPC: 1`. Written once for browser and person, until they say more."""
        last = (await self._said(session, brand_id, visitor_id, customer_id)).get("ads")
        if last is None or not last.gpc:
            proof = {"header": "Sec-GPC: 1"}
            await self.note(
                session,
                brand_id,
                {"ads": False},
                source="gpc",
                visitor_id=visitor_id,
                customer_id=customer_id,
                proof=proof,
                gpc=True,
            )

    async def carry_over(self, session: AsyncSession, brand_id: UUID, old: str, new: str) -> None:
        """One browser has another id from now on: what was said in it is said under that one, too."""
        for purpose, last in (await self._said(session, brand_id, old, None)).items():
            proof = last.proof | {"same_browser": True}
            await self.note(
                session,
                brand_id,
                {purpose: last.granted},
                source=cast(Source, last.source),
                visitor_id=new,
                version=last.version,
                proof=proof,
                gpc=last.gpc,
            )

    async def _said(
        self, session: AsyncSession, brand_id: UUID, visitor_id: str | None, customer_id: UUID | None
    ) -> dict[Purpose, ConsentChoice]:
        """The newest of exactly this browser and this person, by purpose."""
        query = (
            select(ConsentChoice)
            .where(col(ConsentChoice.brand_id) == brand_id, col(ConsentChoice.visitor_id) == visitor_id)
            .order_by(col(ConsentChoice.at), col(ConsentChoice.id))
        )
        if visitor_id is None or customer_id is not None:
            query = query.where(col(ConsentChoice.customer_id) == customer_id)
        return {cast(Purpose, row.purpose): row for row in await session.exec(query)}


def by_node(rows: Iterable[ConsentChoice]) -> dict[str | UUID, dict[str, ConsentChoice]]:
    """The newest choice of each browser and each person, by purpose. `rows`: oldest first."""
    found: dict[str | UUID, dict[str, ConsentChoice]] = {}
    for row in rows:
        for node in (row.visitor_id, row.customer_id):
            if node is not None:
                found.setdefault(node, {})[row.purpose] = row
    return found


def standing(newest: Iterable[ConsentChoice], visitor_id: str | None) -> list[ConsentChoice]:
    """Without the signals of *other* browsers that a later yes of the person outweighs."""
    rows = [*newest]
    yes = [row.at for row in rows if row.purpose == "ads" and row.granted and row.customer_id is not None]
    last_yes = max(yes, default=None)
    return [
        row
        for row in rows
        if not (
            row.source == "gpc"
            and row.visitor_id != visitor_id
            and last_yes is not None
            and row.at < last_yes
        )
    ]
