"""Works out anew who is who where the evidence has changed, and brings every table in line: one transaction.

Whoever calls has the brand's lock (`lock_brand`). Rows are locked in this order: nodes, people, orders by id,
whatever else hangs on a node. An order that is being placed keeps its node (FOR SHARE) until it is written,
so that it never stays behind with a person who has gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.customers import graph
from hub.customers.models import Customer, Identity, PersonChange
from hub.customers.region import Region, read_region
from hub.customers.suggesting import suggest_held
from hub.customers.survivor import facts_of
from hub.customers.words import handle_words
from hub.db import run

FOLLOWERS: Final = ("orders", "touch", "shopper_session", "saved_method", "passkey")
"""Tables that say which node somebody did something with; `customer_id` follows from it."""

ADOPT: Final = (
    "UPDATE {table} SET identity_id = node.id FROM (SELECT DISTINCT ON (home_id) home_id, id FROM identity"
    " WHERE home_id = ANY(:people) ORDER BY home_id, kind IN ('visitor', 'payment'), id) AS node"
    " WHERE {table}.identity_id IS NULL AND {table}.customer_id = node.home_id"
)
LOCK_ORDERS: Final = text(
    "SELECT id FROM orders WHERE identity_id = ANY(:nodes) ORDER BY id FOR NO KEY UPDATE"
)
FOLLOW: Final = (
    "UPDATE {table} SET customer_id = node.customer_id FROM identity AS node"
    " WHERE node.id = ANY(:nodes) AND {table}.identity_id = node.id"
    " AND {table}.customer_id IS DISTINCT FROM node.customer_id"
)
COUPONS: Final = text(
    """
    UPDATE offer_use SET customer_id = orders.customer_id FROM orders
    WHERE orders.identity_id = ANY(:nodes) AND offer_use.order_id = orders.id
        AND offer_use.customer_id IS NOT NULL AND offer_use.customer_id <> orders.customer_id
    """
)
MOVED_ON: Final = text("UPDATE customer SET merged_into = :kept WHERE merged_into = ANY(:gone)")


@dataclass(frozen=True)
class Because:
    """What makes a change: a sentence, the evidence, and the member of staff if it was one."""

    why: str
    edge_id: UUID | None = None
    author: str | None = None
    log: bool = True


@dataclass
class Outcome:
    """Who is who now. `people`: person by node, of all that was looked at; `before`: the same, before."""

    before: dict[UUID, UUID] = field(default_factory=dict)
    people: dict[UUID, UUID] = field(default_factory=dict)

    @property
    def moved(self) -> list[UUID]:
        """Nodes that belong to somebody else than before."""
        return [node for node, person in self.people.items() if self.before[node] != person]


async def reweave(
    session: AsyncSession, brand_id: UUID, seeds: Collection[UUID], because: Because, clock: Clock
) -> Outcome:
    """Work out the people around `seeds` and write them down. Repeatable: the second time changes nothing."""
    region, wanted = await read_region(session, seeds)
    nodes = region.nodes(wanted)
    found = graph.people(nodes, region.links())
    outcome = Outcome(before={row.id: row.customer_id for row in region.rows.values()})
    outcome.people = await place(session, brand_id, region, found, nodes, clock)
    quarantined = write_states(region, found)
    moved = outcome.moved
    for node_id in sorted(moved):
        region.rows[node_id].customer_id = outcome.people[node_id]
    await session.flush()
    if moved:
        await follow(session, moved, sorted({outcome.before[node] for node in moved}))
    await settle(session, region, outcome)
    if because.log:
        await write_down(session, brand_id, outcome, because, clock)
    for row in quarantined:
        session.add(quarantine_of(row, because, clock))
    await suggest_held(session, brand_id, region, found, outcome.people, clock)
    await session.flush()
    return outcome


async def place(
    session: AsyncSession,
    brand_id: UUID,
    region: Region,
    found: graph.Graph,
    nodes: list[graph.Node],
    clock: Clock,
) -> dict[UUID, UUID]:
    """Which person each node is. Parts that hang on an outer node are whoever that is."""
    placed: dict[UUID, UUID] = {}
    parts = []
    for part in found.parts:
        fixed = [region.outer[node].customer_id for node in part if node in region.outer]
        if fixed:
            placed |= {node: fixed[0] for node in part if node in region.rows}
        else:
            parts.append(part)
    known = {node.id: node for node in nodes}
    homes = graph.persons(parts, known)
    for part, home in zip(parts, homes, strict=True):
        if home is None:
            home = await new_home(session, brand_id, region, part, {one for one in homes if one}, clock)
        placed |= dict.fromkeys(part, home)
    return placed


async def new_home(
    session: AsyncSession,
    brand_id: UUID,
    region: Region,
    part: frozenset[UUID],
    taken: set[UUID],
    clock: Clock,
) -> UUID:
    """A person of their own for nodes that were made with somebody else's; they keep it for good."""
    customer = Customer(brand_id=brand_id, created_at=clock())
    session.add(customer)
    await session.flush()
    for node in part:
        if region.rows[node].home_id in taken:
            region.rows[node].home_id = customer.id
    return customer.id


def write_states(region: Region, found: graph.Graph) -> list[Identity]:
    """Set what each node is now; the ones that are newly shared."""
    fresh = []
    for row in region.rows.values():
        state = found.states[row.id]
        if state == "shared" and row.state == "ok":
            fresh.append(row)
        row.state = state
    return fresh


async def follow(session: AsyncSession, moved: list[UUID], before: list[UUID]) -> None:
    """Everything that was done with these nodes belongs to whom the nodes belong to."""
    for table in FOLLOWERS:
        await run(session, text(ADOPT.format(table=table)), {"people": before})
    values = {"nodes": moved}
    await run(session, LOCK_ORDERS, values)
    for table in FOLLOWERS:
        await run(session, text(FOLLOW.format(table=table)), values)
    await run(session, COUPONS, values)


async def settle(session: AsyncSession, region: Region, outcome: Outcome) -> None:
    """The people's own rows: what they are called, and who turned out to be whom."""
    alive = set(outcome.people.values())
    homes = {row.home_id for row in region.rows.values()}
    affected = alive | homes | set(outcome.before.values())
    # Of who was only met through a shared browser not all nodes were read; nothing of theirs has changed.
    affected -= {row.customer_id for row in region.outer.values()}
    query = select(Customer).where(col(Customer.id).in_(affected)).order_by(col(Customer.id))
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    for customer in (await session.exec(locked)).all():
        if customer.id in alive:
            settle_one(customer, [row for row in region.rows.values() if row.customer_id == customer.id])
        elif kept := survivor_of(customer.id, region, outcome):
            # What they were called is on their nodes: it comes back with them.
            customer.name = customer.email_sealed = customer.phone_sealed = customer.member_since = None
            customer.merged_into = kept
            await run(session, MOVED_ON, {"kept": kept, "gone": [customer.id]})


def settle_one(customer: Customer, nodes: list[Identity]) -> None:
    """Somebody's facts, from all their nodes."""
    facts = facts_of(nodes)
    customer.merged_into = None
    customer.name, customer.member_since = facts.name, facts.member_since
    customer.email_sealed, customer.phone_sealed = facts.email_sealed, facts.phone_sealed


def survivor_of(gone: UUID, region: Region, outcome: Outcome) -> UUID | None:
    """Whom somebody who is no longer there turned out to be: where the nodes went that were theirs."""
    own = [row.id for row in region.rows.values() if row.home_id == gone]
    were = [node for node, person in outcome.before.items() if person == gone]
    first = min(own or were, default=None)
    return outcome.people[first] if first else None


async def write_down(
    session: AsyncSession, brand_id: UUID, outcome: Outcome, because: Because, clock: Clock
) -> None:
    """The audit: who was joined to whom, who was parted from whom, and why."""
    said: set[tuple[str, UUID, UUID]] = set()
    alive = set(outcome.people.values())
    for node in sorted(outcome.moved):
        was, now = outcome.before[node], outcome.people[node]
        # Somebody who goes on being there has been parted from what moved.
        kind, one, other = ("split", was, now) if was in alive else ("merged", now, was)
        if (kind, one, other) in said:
            continue
        said.add((kind, one, other))
        session.add(
            PersonChange(
                brand_id=brand_id,
                customer_id=one,
                other_id=other,
                kind=kind,
                why=because.why,
                edge_id=because.edge_id,
                author=because.author,
                before=nodes_by_person(outcome.before, {was, now}),
                at=clock(),
            )
        )


def nodes_by_person(before: Mapping[UUID, UUID], people: set[UUID]) -> dict[str, object]:
    """Whose each node was, as the audit keeps it."""
    return {"people": {str(node): str(person) for node, person in before.items() if person in people}}


def quarantine_of(row: Identity, because: Because, clock: Clock) -> PersonChange:
    """The audit's line about a key that several people use."""
    handle = handle_words(row.kind, row.hint, row.source)
    return PersonChange(
        brand_id=row.brand_id,
        customer_id=row.customer_id,
        kind="quarantined",
        why=f"{handle[:1].upper()}{handle[1:]} is used by several people: it joins nobody any more.",
        edge_id=because.edge_id,
        author=because.author,
        before={"node": str(row.id)},
        at=clock(),
    )
