"""What staff say about who is who: join, part, take either back. Each has a reason and is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.customers.graph import labels_of
from hub.customers.models import Customer, Identity, IdentityEdge, PersonChange, Suggestion
from hub.customers.region import WEAK, lock_brand, node_of
from hub.customers.weave import Because, reweave
from hub.db import run
from hub.errors import BadInput, Conflict, NotFound
from hub.ids import new_id

COUNTS: Final = text(
    """
    SELECT (SELECT count(*) FROM orders WHERE identity_id = ANY(:nodes)) AS orders,
        (SELECT count(*) FROM touch WHERE identity_id = ANY(:nodes)) AS visits,
        (SELECT count(*) FROM shopper_session WHERE identity_id = ANY(:nodes)) AS sign_ins,
        (SELECT count(*) FROM saved_method WHERE identity_id = ANY(:nodes)) AS cards,
        (SELECT count(*) FROM passkey WHERE identity_id = ANY(:nodes)) AS passkeys
    """
)
Counts = dict[str, int]


class Changes:
    """Changes of who is who. `author` is the member of staff; every verb needs a reason."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def merge(
        self, session: AsyncSession, brand_id: UUID, pair: tuple[UUID, UUID], *, reason: str, author: str
    ) -> UUID:
        """Two people are one: whom they are now. NotFound `person_unknown`, Conflict `same_person`."""
        await lock_brand(session, brand_id)
        one, two = [await self._person(session, brand_id, person) for person in pair]
        if one == two:
            raise Conflict("same_person", "These two are one person already.")
        edges = await self._joining(session, brand_id, (one, two), reason)
        session.add_all(edges)
        await session.flush()
        seeds = {end for edge in edges for end in (edge.a_id, edge.b_id)}
        outcome = await reweave(session, brand_id, seeds, Because(reason, edges[0].id, author), self._clock)
        await session.exec(
            update(Suggestion)
            .where(col(Suggestion.a) == min(one, two), col(Suggestion.b) == max(one, two))
            .values(state="confirmed", author=author, decided_at=self._clock())
        )
        return outcome.people[edges[0].a_id]

    async def preview(
        self, session: AsyncSession, brand_id: UUID, person: UUID, nodes: Collection[UUID]
    ) -> Counts:
        """What would go along with these handles."""
        person = await self._person(session, brand_id, person)
        chosen, _ = await self._sides(session, person, nodes)
        return dict((await run(session, COUNTS, {"nodes": [one.id for one in chosen]})).mappings().one())

    async def split(
        self,
        session: AsyncSession,
        brand_id: UUID,
        person: UUID,
        nodes: Collection[UUID],
        *,
        reason: str,
        author: str,
    ) -> UUID:
        """These handles are another person's: who that is. What is found later does not join them again."""
        await lock_brand(session, brand_id)
        person = await self._person(session, brand_id, person)
        chosen, rest = await self._sides(session, person, nodes)
        revoked = await self._between(session, chosen, rest, author)
        made: list[UUID] = []
        for side in (chosen, rest):
            # What belonged together goes on doing so, even where what held it together has gone.
            own = [one for one in side if one.kind not in WEAK]
            edges = [self._edge(brand_id, (own[0].id, other.id), reason) for other in own[1:]]
            session.add_all(edges)
            made += [edge.id for edge in edges]
        await session.flush()
        seeds = [one.id for one in (*chosen, *rest)]
        outcome = await reweave(session, brand_id, seeds, Because(reason, log=False), self._clock)
        other = outcome.people[chosen[0].id]
        kept = outcome.people[next(one.id for one in rest if one.kind not in WEAK)]
        undo = {"revoked": [str(one) for one in revoked], "made": [str(one) for one in made]}
        self._log(session, brand_id, "split", (kept, other), reason, author, before=undo)
        return other

    async def undo(
        self, session: AsyncSession, brand_id: UUID, change_id: UUID, *, reason: str, author: str
    ) -> UUID:
        """Take a change back: who is who is as it was before. Whom it was about.

        Conflict `not_undoable`, or `still_joined` when other evidence says the same.
        """
        await lock_brand(session, brand_id)
        query = select(PersonChange).where(
            col(PersonChange.id) == change_id, col(PersonChange.brand_id) == brand_id
        )
        change = (await session.exec(query.with_for_update())).first()
        if change is None:
            raise NotFound("change_unknown", "There is no such change.")
        if change.undone_at:
            return change.customer_id
        if change.kind == "split" and "revoked" in change.before:
            seeds = await self._restore(session, change)
            await reweave(session, brand_id, seeds, Because(reason, log=False), self._clock)
        elif change.kind in ("merged", "confirmed") and change.edge_id:
            await self._take_back(session, brand_id, change.edge_id, reason, author)
        elif change.kind == "dismissed" and change.other_id:
            await self._reopen(session, brand_id, (change.customer_id, change.other_id))
        else:
            raise Conflict("not_undoable", "This can't be taken back here. Join or split the people instead.")
        change.undone_at = self._clock()
        pair = (change.customer_id, change.other_id)
        self._log(session, brand_id, "undone", pair, reason, author, before={"change": str(change.id)})
        return change.customer_id

    async def unlink(
        self, session: AsyncSession, brand_id: UUID, edge_id: UUID, *, reason: str, author: str
    ) -> None:
        """One piece of evidence is wrong. Conflict `still_joined` when other evidence says the same."""
        await lock_brand(session, brand_id)
        edges = await self._take_back(session, brand_id, edge_id, reason, author)
        ends = [await session.get_one(Identity, end) for end in (edges[0].a_id, edges[0].b_id)]
        pair = (ends[0].customer_id, ends[1].customer_id)
        undo = {"revoked": [str(edge.id) for edge in edges], "made": []}
        self._log(session, brand_id, "split", pair, reason, author, before=undo)

    async def confirm(
        self, session: AsyncSession, brand_id: UUID, suggestion_id: UUID, *, reason: str, author: str
    ) -> UUID:
        """A suggestion is right: whom the two are now."""
        found = await self._suggestion(session, brand_id, suggestion_id)
        words = reason or " ".join(found.reasons)
        kept = await self.merge(session, brand_id, (found.a, found.b), reason=words, author=author)
        found.state, found.author, found.decided_at = "confirmed", author, self._clock()
        return kept

    async def dismiss(
        self, session: AsyncSession, brand_id: UUID, suggestion_id: UUID, *, reason: str, author: str
    ) -> None:
        """A suggestion is wrong, and is not made again."""
        found = await self._suggestion(session, brand_id, suggestion_id)
        found.state, found.author, found.decided_at = "dismissed", author, self._clock()
        self._log(session, brand_id, "dismissed", (found.a, found.b), reason, author)

    async def _person(self, session: AsyncSession, brand_id: UUID, person: UUID) -> UUID:
        query = select(Customer).where(col(Customer.id) == person, col(Customer.brand_id) == brand_id)
        found = (await session.exec(query.execution_options(populate_existing=True))).first()
        if found is None:
            raise NotFound("person_unknown", "There is no such person.")
        return found.merged_into or found.id

    async def _joining(
        self, session: AsyncSession, brand_id: UUID, pair: tuple[UUID, UUID], reason: str
    ) -> list[IdentityEdge]:
        """What says that two people are one: of accounts both have on a platform each is named, so that the
        rules don't hold one of them back. One source for all: they are taken back together."""
        query = select(Identity).where(col(Identity.customer_id).in_(pair)).order_by(col(Identity.id))
        nodes = (await session.exec(query.execution_options(populate_existing=True))).all()
        firsts: dict[tuple[UUID, str], UUID] = {}
        for node in nodes:
            for label in labels_of(node_of(node)):
                firsts.setdefault((node.customer_id, label), node.id)
        one, two = pair
        both_have = {label for who, label in firsts if who == one} & {
            label for who, label in firsts if who == two
        }
        ends = {(firsts[one, label], firsts[two, label]) for label in both_have}
        if not ends:
            ends = {(await self._end(session, brand_id, one), await self._end(session, brand_id, two))}
        source = str(new_id())
        return [self._edge(brand_id, both, reason, source) for both in sorted(ends)]

    async def _end(self, session: AsyncSession, brand_id: UUID, person: UUID) -> UUID:
        """The node that stands for a person: their oldest own; one is made for who has none."""
        query = select(Identity).where(col(Identity.customer_id) == person).order_by(col(Identity.id))
        nodes = (await session.exec(query)).all()
        own = [one for one in nodes if one.kind not in WEAK]
        if own:
            return next((one for one in own if one.home_id == person), own[0]).id
        made = Identity(
            brand_id=brand_id,
            customer_id=person,
            home_id=person,
            kind="account",
            value_hash=f"person:{person}",
            hint="An account of ours",
            source="own",
            met=True,
        )
        session.add(made)
        await session.flush()
        return made.id

    async def _sides(
        self, session: AsyncSession, person: UUID, nodes: Collection[UUID]
    ) -> tuple[list[Identity], list[Identity]]:
        """The chosen handles and the others; browsers and cards follow theirs unless they are chosen."""
        query = select(Identity).where(col(Identity.customer_id) == person).order_by(col(Identity.id))
        mine = list(await session.exec(query.execution_options(populate_existing=True)))
        chosen = [one for one in mine if one.id in nodes]
        rest = [one for one in mine if one.id not in nodes]
        if len(chosen) != len(set(nodes)):
            raise NotFound(
                "handle_unknown", "One of these handles is no longer this person's. Load the page again."
            )
        if not any(one.kind not in WEAK for one in chosen) or not any(one.kind not in WEAK for one in rest):
            raise BadInput(
                "nothing_to_split", "Choose some of the handles that go, and leave some that stay."
            )
        return sorted(chosen, key=lambda one: one.kind in WEAK), rest

    async def _between(
        self, session: AsyncSession, chosen: Sequence[Identity], rest: Sequence[Identity], author: str
    ) -> list[UUID]:
        """Revoke what ties the two sides; browsers and cards that were not chosen go where they belong."""
        goes = [one.id for one in chosen]
        stays = [one.id for one in rest if one.kind not in WEAK]
        a, b = col(IdentityEdge.a_id), col(IdentityEdge.b_id)
        query = select(IdentityEdge).where(
            or_(a.in_(goes) & b.in_(stays), b.in_(goes) & a.in_(stays)),
            col(IdentityEdge.revoked_at).is_(None),
        )
        edges = (await session.exec(query)).all()
        for edge in edges:
            edge.revoked_at, edge.revoked_by = self._clock(), author
        return [edge.id for edge in edges]

    async def _restore(self, session: AsyncSession, change: PersonChange) -> list[UUID]:
        """Give evidence its say again, and take what held the two sides together."""
        revoked = [UUID(one) for one in change.before["revoked"]]
        made = [UUID(one) for one in change.before["made"]]
        query = (
            select(IdentityEdge)
            .where(col(IdentityEdge.id).in_([*revoked, *made]))
            .order_by(col(IdentityEdge.id))
        )
        edges = (await session.exec(query)).all()
        for edge in edges:
            taken = edge.id in made
            edge.revoked_at = self._clock() if taken else None
            edge.revoked_by = change.author if taken else None
        await session.flush()
        return sorted({end for edge in edges for end in (edge.a_id, edge.b_id)})

    async def _take_back(
        self, session: AsyncSession, brand_id: UUID, edge_id: UUID, reason: str, author: str
    ) -> list[IdentityEdge]:
        """Revoke a piece of evidence, and all that says the same: the one asked for is the first."""
        query = select(IdentityEdge).where(
            col(IdentityEdge.id) == edge_id, col(IdentityEdge.brand_id) == brand_id
        )
        edge = (await session.exec(query)).first()
        if edge is None:
            raise NotFound("evidence_unknown", "There is no such evidence.")
        same = (col(IdentityEdge.a_id) == edge.a_id) & (col(IdentityEdge.b_id) == edge.b_id)
        same &= col(IdentityEdge.kind) != "staff"
        if edge.kind == "staff":
            # What staff said at once is taken back at once.
            same = (col(IdentityEdge.source_type) == "staff") & (
                col(IdentityEdge.source_id) == edge.source_id
            )
        live = col(IdentityEdge.revoked_at).is_(None) & (col(IdentityEdge.brand_id) == brand_id)
        revoked = list((await session.exec(select(IdentityEdge).where(same, live))).all())
        for one in revoked:
            one.revoked_at, one.revoked_by = self._clock(), author
        await session.flush()
        seeds = {end for one in (edge, *revoked) for end in (one.a_id, one.b_id)}
        outcome = await reweave(session, brand_id, seeds, Because(reason, log=False), self._clock)
        if outcome.people[edge.a_id] == outcome.people[edge.b_id]:
            raise Conflict(
                "still_joined",
                "Other evidence still says that they are one. Split the person instead: choose what goes.",
            )
        return [edge, *(one for one in revoked if one.id != edge.id)]

    async def _reopen(self, session: AsyncSession, brand_id: UUID, pair: tuple[UUID, UUID]) -> None:
        await session.exec(
            update(Suggestion)
            .where(
                col(Suggestion.brand_id) == brand_id,
                col(Suggestion.a) == min(pair),
                col(Suggestion.b) == max(pair),
            )
            .values(state="open", author=None, decided_at=None)
        )

    async def _suggestion(self, session: AsyncSession, brand_id: UUID, suggestion_id: UUID) -> Suggestion:
        # The brand first, as everywhere: who joins people locks it and then what hangs on them.
        await lock_brand(session, brand_id)
        query = select(Suggestion).where(
            col(Suggestion.id) == suggestion_id, col(Suggestion.brand_id) == brand_id
        )
        found = (await session.exec(query.with_for_update())).first()
        if found is None:
            raise NotFound("suggestion_unknown", "There is no such suggestion.")
        if found.state != "open":
            raise Conflict("decided", "This was decided already.")
        return found

    def _edge(
        self, brand_id: UUID, ends: tuple[UUID, UUID], reason: str, source: str | None = None
    ) -> IdentityEdge:
        return IdentityEdge(
            brand_id=brand_id,
            a_id=min(ends),
            b_id=max(ends),
            kind="staff",
            strength="proof",
            source_type="staff",
            source_id=source or str(new_id()),
            note=reason,
            at=self._clock(),
            created_at=self._clock(),
        )

    def _log(
        self,
        session: AsyncSession,
        brand_id: UUID,
        kind: str,
        pair: tuple[UUID, UUID | None],
        reason: str,
        author: str,
        before: Mapping[str, object] | None = None,
    ) -> None:
        session.add(
            PersonChange(
                brand_id=brand_id,
                customer_id=pair[0],
                other_id=pair[1],
                kind=kind,
                why=reason,
                author=author,
                before=dict(before or {}),
                at=self._clock(),
            )
        )
