"""Who is this? One customer per person, found again by every handle they ever came with.

Orders call `meet` in hot transactions, before they lock anything else. Usually it reads and writes by key;
only where evidence may change who is who are the people around it worked out anew (`hub/customers/weave.py`),
one brand's at a time. Locks, in this order: fingerprints (sorted), the brand, nodes, people, orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock, wall_clock
from hub.customers.handles import Evidence, Handle, Known, Person
from hub.customers.meeting import (
    Meeting,
    asks_for_ties,
    decides,
    find,
    full,
    handles_of,
    lock_fingerprints,
    main_of,
    ties_of,
    untied,
)
from hub.customers.models import Customer, Identity, IdentityEdge
from hub.customers.region import lock_brand
from hub.customers.survivor import facts_of
from hub.customers.weave import Because, reweave
from hub.customers.words import because, handle_words
from hub.db import run
from hub.errors import Unavailable
from hub.ids import new_id
from hub.secrets import Vault
from hub.visits.models import Touch

__all__ = ["Customers", "Evidence", "Handle", "Known", "Person"]


class Customers:
    """The identity graph, as orders, sign-ins and claims use it."""

    def __init__(self, vault: Vault, clock: Clock = wall_clock) -> None:
        self._vault = vault
        self._clock = clock

    async def recognise(
        self, session: AsyncSession, brand_id: UUID, person: Person, evidence: Evidence | None = None
    ) -> Customer:
        """The one customer this person is; made if new, joined if two turn out to be one."""
        known = await self.meet(session, brand_id, person, evidence)
        return (await session.exec(select(Customer).where(col(Customer.id) == known.customer_id))).one()

    async def meet(
        self,
        session: AsyncSession,
        brand_id: UUID,
        person: Person,
        evidence: Evidence | None = None,
        *,
        customer_id: UUID | None = None,
        node_id: UUID | None = None,
    ) -> Known:
        """The same, with the node they came with: what they do is written down with both.

        `customer_id`: who is signed in. They are who they are; what they typed only suggests. `node_id`: the
        node they are known by already, which `person` has more handles of.
        """
        meeting = await self._look(session, brand_id, person, evidence, customer_id, node_id)
        main = meeting.main
        ties = await ties_of(session, main) if main and asks_for_ties(meeting) else {}
        new = untied(meeting, ties)
        if decides(meeting, ties, new):
            return await self._weave(session, meeting, new)
        if main is None:
            return await self._begin(session, meeting, new)
        return await self._go_on(session, meeting, main, new)

    async def lock(
        self, session: AsyncSession, brands: Iterable[UUID], people: Iterable[Person], nodes: Iterable[UUID]
    ) -> None:
        """What may be locked for several people, at once, for a transaction that meets them one by one: the
        second may need the brand when the first has a node already."""
        query = select(Identity.value_hash).where(col(Identity.id).in_(list(nodes)))
        hashes = list(await session.exec(query))
        hashes += [self._vault.fingerprint(one.value) for person in people for one in handles_of(person)]
        await lock_fingerprints(session, hashes)
        for brand_id in sorted(set(brands)):
            await lock_brand(session, brand_id)

    async def claim_visits(
        self, session: AsyncSession, brand_id: UUID, known: Known, visitor_id: str
    ) -> None:
        """The visits of the browser that ordered are this customer's, unless they were another's."""
        await session.exec(
            update(Touch)
            .where(
                col(Touch.brand_id) == brand_id,
                col(Touch.visitor_id) == visitor_id,
                col(Touch.customer_id).is_(None),
            )
            .values(customer_id=known.customer_id, identity_id=known.node_id)
        )

    async def set_member(self, session: AsyncSession, customer_id: UUID, member: bool) -> datetime | None:
        """Join the brand's members, or leave them: since when. Joining twice keeps the first day.

        It is written on the handle they signed in with, so that it goes where that goes.
        """
        nodes = await self._nodes(session, customer_id, lock=True)
        query = select(Customer).where(col(Customer.id) == customer_id).with_for_update(key_share=True)
        customer = (await session.exec(query)).one()
        since = (customer.member_since or self._clock()) if member else None
        for node in ([one for one in nodes if one.verified_at] or nodes[:1]) if member else nodes:
            node.member_since = since
        customer.member_since = since
        return since

    async def visitors_of(self, session: AsyncSession, customer_id: UUID) -> list[str]:
        """The browsers a person used: their `Viewer.id`s."""
        person = await self.now(session, customer_id)
        nodes = await self._nodes(session, person)
        sealed = [node.value_sealed for node in nodes if node.kind == "visitor" and node.value_sealed]
        touched = select(Touch.visitor_id).where(
            col(Touch.customer_id) == person, col(Touch.visitor_id).not_like("order:%")
        )
        return sorted({self._vault.open(one) for one in sealed} | set(await session.exec(touched.distinct())))

    async def ids_of(self, session: AsyncSession, customer_id: UUID) -> list[UUID]:
        """Every id that answers with this person: their own and those merged into it."""
        person = await self.now(session, customer_id)
        query = select(Customer.id).where(
            or_(col(Customer.id) == person, col(Customer.merged_into) == person)
        )
        return list(await session.exec(query.order_by(col(Customer.id))))

    async def now(self, session: AsyncSession, customer_id: UUID) -> UUID:
        """Who somebody is now: themselves, or whom they turned out to be."""
        query = select(Customer.merged_into).where(col(Customer.id) == customer_id)
        return (await session.exec(query)).first() or customer_id

    async def _nodes(self, session: AsyncSession, customer_id: UUID, *, lock: bool = False) -> list[Identity]:
        query = select(Identity).where(col(Identity.customer_id) == customer_id).order_by(col(Identity.id))
        if lock:
            query = query.with_for_update(key_share=True)
        return list(await session.exec(query.execution_options(populate_existing=True)))

    async def _look(
        self,
        session: AsyncSession,
        brand_id: UUID,
        person: Person,
        evidence: Evidence | None,
        customer_id: UUID | None,
        node_id: UUID | None,
    ) -> Meeting:
        handles = handles_of(person)
        hashes = {handle: self._vault.fingerprint(handle.value) for handle in handles}
        # Two orders of one new person at the same instant must not become two customers.
        await lock_fingerprints(session, hashes.values())
        found = await find(session, brand_id, hashes, customer_id, node_id)
        by_value = {(node.kind, node.value_hash): node for node in found}
        nodes = {one: by_value[at] for one in handles if (at := (one.kind, hashes[one])) in by_value}
        own = next((node for node in found if node.id == node_id), None)
        if customer_id:
            theirs = [node for node in found if node.customer_id == customer_id]
            own = main_of(theirs) or await self._account(session, brand_id, customer_id)
            main = next((one for one in handles if nodes.get(one) is own), Handle(own.kind, str(own.id)))
            nodes[main] = own
            handles = [main, *(one for one in handles if one != main)]
        elif not person.handles():
            # Nothing to find them by again; but what they do must hang on a node.
            main = Handle("account", f"once:{new_id()}")
            hashes[main] = self._vault.fingerprint(main.value)
            handles = [main, *handles]
        said = evidence or Evidence("order", "seen", digest(hashes.values()), self._clock())
        return Meeting(brand_id, person, said, handles, hashes, nodes, signed_in=customer_id is not None)

    async def _account(self, session: AsyncSession, brand_id: UUID, customer_id: UUID) -> Identity:
        """The node of who is signed in and has no other, or was joined to somebody this very moment."""
        person = await self.now(session, customer_id)
        if own := main_of(await self._nodes(session, person)):
            return own
        own = Identity(
            brand_id=brand_id,
            customer_id=person,
            home_id=person,
            kind="account",
            value_hash=self._vault.fingerprint(f"customer:{person}"),
            hint=Handle("account", "").hint,
            source="own",
            met=True,
            created_at=self._clock(),
        )
        session.add(own)
        await session.flush()
        return own

    async def _begin(self, session: AsyncSession, meeting: Meeting, new: Sequence[Handle]) -> Known:
        """Somebody we never met."""
        customer = Customer(brand_id=meeting.brand_id, created_at=self._clock())
        main = self._node(meeting, meeting.handles[0], customer.id)
        self._name(meeting, main)
        nodes = [main, *(self._node(meeting, handle, customer.id) for handle in new)]
        facts = facts_of(nodes)
        customer.name, customer.email_sealed = facts.name, facts.email_sealed
        customer.phone_sealed = facts.phone_sealed
        session.add(customer)
        session.add_all(nodes)
        await self._tie(session, meeting, main, new, nodes[1:])
        return Known(customer.id, main.id)

    async def _go_on(
        self, session: AsyncSession, meeting: Meeting, main: Identity, new: Sequence[Handle]
    ) -> Known:
        """Somebody we know, and nothing changes who they are. Their node stays put until this commits.

        Who is signed in may type two addresses on two devices at once: no fingerprint makes one wait for the
        other, so the node does.
        """
        alone = meeting.signed_in
        held = select(Identity.customer_id).where(col(Identity.id) == main.id)
        held = held.with_for_update(read=not alone, key_share=alone)
        customer_id = (await session.exec(held)).first()
        if customer_id is None:
            raise erased_just_now()
        before = main.name
        self._name(meeting, main)
        made = [self._node(meeting, handle, customer_id) for handle in new]
        session.add_all(made)
        await self._tie(session, meeting, main, new, made)
        if main.name != before or any(node.kind in ("email", "phone") for node in made):
            facts = facts_of(await self._nodes(session, customer_id))
            values = {
                "name": facts.name,
                "email_sealed": facts.email_sealed,
                "phone_sealed": facts.phone_sealed,
            }
            await session.exec(update(Customer).where(col(Customer.id) == customer_id).values(**values))
        return Known(customer_id, main.id)

    async def _weave(self, session: AsyncSession, meeting: Meeting, new: Sequence[Handle]) -> Known:
        """The evidence may change who is who."""
        await lock_brand(session, meeting.brand_id)
        known = {node.id for node in meeting.nodes.values()}
        query = select(Identity).where(col(Identity.id).in_(known)).order_by(col(Identity.id))
        again = list(await session.exec(query.execution_options(populate_existing=True)))
        if len(again) < len(known):
            raise erased_just_now()
        main = meeting.main
        if main is None:
            customer = Customer(brand_id=meeting.brand_id, created_at=self._clock())
            main = self._node(meeting, meeting.handles[0], customer.id)
            session.add_all([customer, main])
        main.met = True
        if meeting.person.verified and main.verified_at is None:
            main.verified_at = meeting.evidence.at
        self._name(meeting, main)
        kept = [one for one in new if one not in meeting.nodes or not await full(session, meeting.nodes[one])]
        ends = [meeting.nodes.get(one) or self._node(meeting, one, main.customer_id) for one in kept]
        session.add_all(ends)
        edge_id = await self._tie(session, meeting, main, kept, ends)
        why = Because(self._why(meeting, main, ends), edge_id)
        outcome = await reweave(
            session, meeting.brand_id, [main.id, *(end.id for end in ends)], why, self._clock
        )
        return Known(outcome.people[main.id], main.id)

    def _node(self, meeting: Meeting, handle: Handle, customer_id: UUID) -> Identity:
        """A new node. Of all but the one they came with it is only known that they were mentioned."""
        first = handle == meeting.handles[0]
        own = handle.kind in ("email", "phone", "visitor", "platform_user")
        verified = first and meeting.person.verified
        return Identity(
            brand_id=meeting.brand_id,
            customer_id=customer_id,
            home_id=customer_id,
            kind=handle.kind,
            value_hash=meeting.hashes[handle],
            value_sealed=self._vault.seal(handle.value) if own else None,
            hint=handle.hint,
            source=(meeting.person.platform or "own") if handle.kind != "visitor" else "own",
            state="ignored" if handle.ignored else "ok",
            met=first,
            verified_at=meeting.evidence.at if verified else None,
            loose_hash=self._hashed(f"loose:{handle.kind}", handle.loose),
            created_at=self._clock(),
        )

    def _name(self, meeting: Meeting, node: Identity) -> None:
        """How they call themselves, if nothing newer is known; the same for what they are alike by."""
        person, at = meeting.person, meeting.evidence.at
        name = (person.name or "").strip() if meeting.names(node) else ""
        if name and (node.named_at is None or (at, name) > (node.named_at, node.name or "")):
            node.name, node.named_at = name, at
            node.likeness_hash = self._hashed("like", person.likeness()) or node.likeness_hash

    def _hashed(self, kind: str, value: str | None) -> str | None:
        return self._vault.fingerprint(f"{kind}:{value}") if value else None

    async def _tie(
        self,
        session: AsyncSession,
        meeting: Meeting,
        main: Identity,
        handles: Sequence[Handle],
        ends: Sequence[Identity],
    ) -> UUID | None:
        """Write the evidence down; the id of the first new one. What was revoked before stays so."""
        await session.flush()
        said, rows = meeting.evidence, []
        for handle, end in zip(handles, ends, strict=True):
            row = IdentityEdge(
                brand_id=meeting.brand_id,
                a_id=min(main.id, end.id),
                b_id=max(main.id, end.id),
                kind=meeting.kind(handle),
                strength=meeting.strength(handle),
                source_type=said.source_type,
                source_id=said.source_id,
                note=said.note,
                at=said.at,
                created_at=self._clock(),
            )
            rows.append(row.model_dump())
        if not rows:
            return None
        found = await run(
            session,
            insert(IdentityEdge).values(rows).on_conflict_do_nothing().returning(col(IdentityEdge.id)),
        )
        return next(iter(found.scalars()), None)

    def _why(self, meeting: Meeting, main: Identity, ends: Sequence[Identity]) -> str:
        proofs = [end for end in ends if end.kind not in ("visitor", "payment", "phone")] or list(ends)
        if not proofs:
            return f"Somebody signed in with {handle_words(main.kind, main.hint, main.source)}."
        a, b = (handle_words(one.kind, one.hint, one.source) for one in (main, proofs[0]))
        return because(meeting.evidence.kind, a, b, meeting.person.platform or "own", meeting.evidence.note)


def erased_just_now() -> Unavailable:
    """Who was found has been forgotten since; the next try meets somebody new."""
    return Unavailable("busy", "Very much is going on. Try again in a moment.", retry_after=1)


def digest(hashes: Iterable[str]) -> str:
    """One word for a set of handles: evidence that names no source is the same when it says the same."""
    return sha256("|".join(sorted(hashes)).encode()).hexdigest()
