"""The part of the graph that one piece of evidence can change, read from the tables, and its lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.customers.graph import Link, Node
from hub.customers.handles import name_words
from hub.customers.models import Identity, IdentityEdge
from hub.db import run

WEAK: Final = ("visitor", "payment")
"""They lead to a person and to nothing beyond."""

LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:mark, 0))")
NEXT_TO: Final = text(
    """
    SELECT b_id AS id FROM identity_edge WHERE a_id = ANY(:ids)
    UNION SELECT a_id FROM identity_edge WHERE b_id = ANY(:ids)
    """
)
REACHED: Final = text(
    """
    WITH RECURSIVE reached(id) AS (
        SELECT unnest(CAST(:seeds AS uuid[]))
        UNION
        SELECT next.id FROM reached JOIN identity AS node ON node.id = reached.id
        CROSS JOIN LATERAL (
            SELECT b_id AS id FROM identity_edge WHERE a_id = node.id
            UNION ALL SELECT a_id FROM identity_edge WHERE b_id = node.id
        ) AS next
        WHERE node.kind NOT IN ('visitor', 'payment') AND (node.state = 'ok' OR node.id = ANY(:seeds))
    )
    SELECT id FROM reached
    """
)


@dataclass(frozen=True)
class Region:
    """`rows`: nodes that may change. `outer`: whom weak nodes also lead to; they stay whose they are."""

    rows: dict[UUID, Identity]
    outer: dict[UUID, Identity]
    edges: list[IdentityEdge]

    def nodes(self, seeds: Collection[UUID]) -> list[Node]:
        """For `graph.people`. Of a shared node that is no seed not everything was read: it stays shared."""
        inner = [
            node_of(row, fixed=row.state if row.state != "ok" and row.id not in seeds else None)
            for row in self.rows.values()
        ]
        return inner + [node_of(row, fixed=row.state) for row in self.outer.values()]

    def links(self) -> list[Link]:
        """For `graph.people`: of what is outer, only what ties it to a weak node."""
        return [
            link_of(edge)
            for edge in self.edges
            if {edge.a_id, edge.b_id} <= self.rows.keys() or edge.strength == "hint"
        ]


def node_of(row: Identity, fixed: str | None = None) -> Node:
    """As the rules see it."""
    return Node(
        id=row.id,
        key=f"{row.kind}:{row.value_hash}",
        kind=row.kind,
        home=row.home_id,
        platform=row.source if row.kind == "platform_user" else None,
        met=row.met,
        ignored=row.state == "ignored",
        verified=row.verified_at is not None,
        name=name_words(row.name),
        fixed=fixed,
    )


def link_of(edge: IdentityEdge) -> Link:
    """As the rules see it. A join that staff took back is no bar to what is found later."""
    return Link(
        id=edge.id,
        a=edge.a_id,
        b=edge.b_id,
        kind=edge.kind,
        proof=edge.strength == "proof",
        at=edge.at,
        source=(edge.source_type, edge.source_id),
        revoked=edge.revoked_at is not None,
    )


async def lock_brand(session: AsyncSession, brand_id: UUID) -> None:
    """One change of who is who at a time. Taken before any row is locked, and after fingerprints."""
    await run(session, LOCK, {"mark": f"people:{brand_id}"})


async def read_region(session: AsyncSession, seeds: Iterable[UUID]) -> tuple[Region, set[UUID]]:
    """Everything that evidence about `seeds` can change, and the seeds it was read with.

    Neighbours of a seed are seeds too: whether a key is shared depends on who its neighbours are.
    """
    wanted = set(seeds)
    wanted |= {row.id for row in await run(session, NEXT_TO, {"ids": list(wanted)})}
    reached = [row.id for row in await run(session, REACHED, {"seeds": list(wanted)})]
    rows = await read_nodes(session, reached)
    ends = [node.id for node in rows.values() if node.state == "ok" or node.id in wanted]
    query = select(IdentityEdge).where(
        or_(col(IdentityEdge.a_id).in_(ends), col(IdentityEdge.b_id).in_(ends))
    )
    edges = list(await session.exec(query.execution_options(populate_existing=True)))
    beyond = {end for edge in edges for end in (edge.a_id, edge.b_id)} - rows.keys()
    outer = await read_nodes(session, beyond) if beyond else {}
    return Region(rows, outer, edges), wanted


async def read_nodes(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Identity]:
    """Rows by id."""
    query = select(Identity).where(col(Identity.id).in_(ids)).order_by(col(Identity.id))
    return {row.id: row for row in await session.exec(query.execution_options(populate_existing=True))}
