"""One look at somebody's handles: what is known of them, and whether the evidence may change who is who."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, false, or_, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.customers.graph import MOST_ACCOUNTS, RANKS
from hub.customers.handles import Evidence, Handle, Person, name_words
from hub.customers.models import Identity
from hub.db import run

LOCKS: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(v, 0)) FROM unnest(CAST(:values AS text[])) AS v"
)
EVIDENCE: Final = text(
    """
    SELECT CASE WHEN a_id = :main THEN b_id ELSE a_id END AS other, kind, strength, min(at) AS at
    FROM identity_edge
    WHERE (a_id = :main OR b_id = :main) AND kind <> 'staff' AND revoked_at IS NULL
    GROUP BY 1, 2, 3 LIMIT 500
    """
)
SHARED_BY: Final = text(
    "SELECT count(*) FROM identity_edge WHERE (a_id = :node OR b_id = :node) AND strength = 'proof'"
)
FULL: Final = 4 * MOST_ACCOUNTS
"""So many accounts with one key need no further proof that it is shared."""

Tie = tuple[UUID, str]
"""The other end, and the strength."""
Standing = tuple[int, datetime]
"""How much evidence counts: the rank of its kind, and when it happened. Less is more."""


@dataclass
class Meeting:
    """One call of `Customers.meet`. `handles`: the one they came with first. `signed_in`: whom they are."""

    brand_id: UUID
    person: Person
    evidence: Evidence
    handles: list[Handle]
    hashes: dict[Handle, str]
    nodes: dict[Handle, Identity]
    signed_in: bool = False

    @property
    def main(self) -> Identity | None:
        """The node they came with; None when it is new."""
        return self.nodes.get(self.handles[0])

    def strength(self, handle: Handle) -> str:
        """What the evidence says of a handle: that it is theirs, or only that it was mentioned."""
        own = handle.kind in ("email", "platform_user") and not self.signed_in
        return "proof" if own and self.evidence.proof else "hint"

    def kind(self, handle: Handle) -> str:
        """The kind of evidence that ties a handle: a browser proves nothing else than that it was used."""
        return "cookie" if handle.kind == "visitor" else self.evidence.kind

    def names(self, node: Identity) -> bool:
        """Whether what they call themselves is this node's name: anybody can type an address that its owner
        has signed in with, and must not become the owner by it."""
        return node.verified_at is None or self.signed_in or self.person.verified

    def standing(self, handle: Handle) -> Standing:
        """How much it counts."""
        return RANKS[self.kind(handle)], self.evidence.at


def handles_of(person: Person) -> list[Handle]:
    """All of them, the one they came with first."""
    return [*person.handles(), *person.mentions()]


async def lock_fingerprints(session: AsyncSession, hashes: Iterable[str]) -> None:
    """In one order for everybody, so that nobody waits in a circle."""
    if values := sorted(set(hashes)):
        await run(session, LOCKS, {"values": values})


async def find(
    session: AsyncSession,
    brand_id: UUID,
    hashes: dict[Handle, str],
    customer_id: UUID | None = None,
    node_id: UUID | None = None,
) -> list[Identity]:
    """The nodes of these handles, all of who is signed in, and one by its id."""
    pairs = [(handle.kind, value) for handle, value in hashes.items()]
    known = tuple_(col(Identity.kind), col(Identity.value_hash)).in_(pairs) if pairs else false()
    theirs = col(Identity.customer_id) == customer_id if customer_id else false()
    theirs = col(Identity.id) == node_id if node_id else theirs
    query = (
        select(Identity)
        .where(and_(col(Identity.brand_id) == brand_id, or_(known, theirs)))
        .order_by(col(Identity.id))
    )
    return list(await session.exec(query.execution_options(populate_existing=True)))


def main_of(nodes: Sequence[Identity]) -> Identity | None:
    """The node of who is signed in: the address they proved, else their oldest account."""
    order = ("email", "account", "platform_user", "phone")
    found = [node for node in nodes if node.kind in order]
    return min(
        found, key=lambda node: (node.verified_at is None, order.index(node.kind), node.id), default=None
    )


async def ties_of(session: AsyncSession, node: Identity) -> dict[Tie, Standing]:
    """The evidence there is around a node: the strongest and oldest for each neighbour."""
    ties: dict[Tie, Standing] = {}
    for row in await run(session, EVIDENCE, {"main": node.id}):
        tie, standing = (row.other, row.strength), (RANKS[row.kind], row.at)
        ties[tie] = min(ties.get(tie, standing), standing)
    return ties


async def full(session: AsyncSession, node: Identity) -> bool:
    """Whether a shared key has so many accounts that one more says nothing."""
    if node.state != "shared":
        return False
    return int((await run(session, SHARED_BY, {"node": node.id})).scalar_one()) >= FULL


def untied(meeting: Meeting, ties: dict[Tie, Standing]) -> list[Handle]:
    """The handles whose tie to the main one is new, or stronger or older than what is known."""
    main, found = meeting.main, []
    for handle in meeting.handles[1:]:
        node = meeting.nodes.get(handle)
        if node is None:
            found.append(handle)
            continue
        strength = meeting.strength(handle)
        if node.state != "ok" and strength == "hint":
            # One more who mentions what is everybody's says nothing: in a drop it would be looked at, and the
            # brand locked, for each of its buyers.
            continue
        known = ties.get((node.id, "proof")) if strength == "proof" else None
        known = known or (ties.get((node.id, "hint")) if strength == "hint" else None)
        home = main is not None and strength == "hint" and node.customer_id == main.customer_id
        if not home and (known is None or known > meeting.standing(handle)):
            found.append(handle)
    return found


def asks_for_ties(meeting: Meeting) -> bool:
    """Whether the evidence there is has to be read: not for a guest with an address and their own browser."""
    main = meeting.main
    if main is None:
        return False
    others = meeting.handles[1:]
    abroad = (meeting.nodes[one].customer_id != main.customer_id for one in others if one in meeting.nodes)
    proof = any(meeting.strength(one) == "proof" for one in others)
    return proof or any(abroad) or renamed(meeting, main)


def decides(meeting: Meeting, ties: dict[Tie, Standing], new: Sequence[Handle]) -> bool:
    """Whether it may change who is who, so that the people around have to be worked out anew."""
    main = meeting.main
    if main is None:
        return any(handle in meeting.nodes for handle in new)
    if not main.met or (meeting.person.verified and main.verified_at is None):
        return True
    if any(handle in meeting.nodes for handle in new):
        return True
    proofs = [handle for handle in new if meeting.strength(handle) == "proof"]
    around = {other for other, strength in ties if strength == "proof"}
    if proofs and (main.state != "ok" or len(around) + len(proofs) > MOST_ACCOUNTS):
        return True
    return bool(around) and renamed(meeting, main)


def renamed(meeting: Meeting, main: Identity) -> bool:
    """Whether they call themselves something else now, where names say who is who."""
    if not meeting.names(main) or (main.kind != "platform_user" and main.verified_at is None):
        return False
    return name_words(meeting.person.name) not in (frozenset(), name_words(main.name))
