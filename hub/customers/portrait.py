"""One person as staff see them: facts, handles, why they are one, what was changed, who else they may be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.customers.models import Customer, Identity, IdentityEdge, PersonChange
from hub.customers.words import because, handle_words
from hub.db import run
from hub.errors import NotFound
from hub.privacy.masks import mask_email, mask_name, mask_phone
from hub.secrets import Vault

SUGGESTED: Final = text(
    """
    SELECT suggestion.id, suggestion.a, suggestion.b, confidence, reasons, suggestion.created_at,
        one.name AS a_name, two.name AS b_name,
        (SELECT coalesce(array_agg(hint ORDER BY id), '{}') FROM identity
         WHERE customer_id = one.id AND kind IN ('email', 'phone', 'platform_user')) AS a_hints,
        (SELECT coalesce(array_agg(hint ORDER BY id), '{}') FROM identity
         WHERE customer_id = two.id AND kind IN ('email', 'phone', 'platform_user')) AS b_hints
    FROM suggestion JOIN customer AS one ON one.id = suggestion.a
    JOIN customer AS two ON two.id = suggestion.b
    WHERE suggestion.brand_id = :brand AND suggestion.state = 'open'
        AND one.merged_into IS NULL AND two.merged_into IS NULL
        AND (CAST(:person AS uuid) IS NULL OR CAST(:person AS uuid) IN (a, b))
        AND (CAST(:at AS numeric) IS NULL
            OR (confidence, suggestion.id) < (CAST(:at AS numeric), CAST(:id AS uuid)))
    ORDER BY confidence DESC, suggestion.id DESC LIMIT :limit
    """
)


class NodeOut(BaseModel):
    """A handle. `words` name it in a sentence; `value` only for who may see addresses."""

    id: UUID
    kind: str
    words: str
    hint: str
    value: str | None
    source: str
    state: str
    met: bool
    verified_at: datetime | None
    name: str | None
    since: datetime


class EvidenceOut(BaseModel):
    """Why two handles are one person's. `joins`: it does so now; `hint`s only suggest."""

    id: UUID
    a_id: UUID
    b_id: UUID
    kind: str
    strength: str
    words: str
    at: datetime
    revoked_at: datetime | None


class ChangeOut(BaseModel):
    """What was changed about who this is. `undoable`: a button can take it back."""

    id: UUID
    kind: str
    why: str
    author: str | None
    at: datetime
    other_id: UUID | None
    undone_at: datetime | None
    undoable: bool


class SuggestionOut(BaseModel):
    """Two people who may be one, with the reasons in sentences; `confidence` from 0 to 1."""

    id: UUID
    a: UUID
    b: UUID
    confidence: Decimal
    reasons: list[str]
    created_at: datetime
    a_name: str | None
    b_name: str | None
    a_hints: list[str]
    b_hints: list[str]


class PersonOut(BaseModel):
    """A person. `id` is who they are now, whichever of their ids was asked for; `ids` are all of them."""

    id: UUID
    ids: list[UUID]
    name: str | None
    email: str | None
    phone: str | None
    member_since: datetime | None
    created_at: datetime
    nodes: list[NodeOut]
    evidence: list[EvidenceOut]
    changes: list[ChangeOut]
    suggestions: list[SuggestionOut]


async def portrait(
    session: AsyncSession, vault: Vault, brand_id: UUID, asked: UUID, *, in_the_open: bool
) -> PersonOut:
    """The person behind an id. NotFound `person_unknown`."""
    found = await session.get(Customer, asked)
    if found is None or found.brand_id != brand_id:
        raise NotFound("person_unknown", "There is no such person.")
    person = await session.get_one(Customer, found.merged_into) if found.merged_into else found
    aliases = select(Customer.id).where(col(Customer.merged_into) == person.id).order_by(col(Customer.id))
    ids = [person.id, *await session.exec(aliases)]
    query = select(Identity).where(col(Identity.customer_id) == person.id).order_by(col(Identity.id))
    nodes = list(await session.exec(query))
    email, phone = (opened(vault, one) for one in (person.email_sealed, person.phone_sealed))
    return PersonOut(
        id=person.id,
        ids=ids,
        name=person.name if in_the_open else mask_name(person.name),
        email=email if in_the_open else mask_email(email),
        phone=phone if in_the_open else mask_phone(phone),
        member_since=person.member_since,
        created_at=person.created_at,
        nodes=[node_out(vault, node, in_the_open) for node in nodes],
        evidence=await evidence_of(session, nodes),
        changes=await changes_of(session, brand_id, ids),
        suggestions=await suggestions(session, brand_id, person.id, in_the_open=in_the_open),
    )


def opened(vault: Vault, sealed: bytes | None) -> str | None:
    """A sealed text, if there is one."""
    return vault.open(sealed) if sealed else None


def node_out(vault: Vault, node: Identity, in_the_open: bool) -> NodeOut:
    """A handle, as far as who asks may see it."""
    shown = in_the_open and node.kind in ("email", "phone", "platform_user")
    return NodeOut(
        id=node.id,
        kind=node.kind,
        words=handle_words(node.kind, node.hint, node.source),
        hint=node.hint,
        value=opened(vault, node.value_sealed) if shown else None,
        source=node.source,
        state=node.state,
        met=node.met,
        verified_at=node.verified_at,
        name=node.name if in_the_open else mask_name(node.name),
        since=node.created_at,
    )


async def evidence_of(session: AsyncSession, nodes: Sequence[Identity]) -> list[EvidenceOut]:
    """All that ties these handles to each other or to others, the newest first."""
    mine = {node.id: node for node in nodes}
    a, b = col(IdentityEdge.a_id), col(IdentityEdge.b_id)
    query = select(IdentityEdge).where(or_(a.in_(mine), b.in_(mine))).order_by(col(IdentityEdge.at).desc())
    edges = (await session.exec(query.limit(200))).all()
    beyond = {end for edge in edges for end in (edge.a_id, edge.b_id)} - mine.keys()
    others = (
        (await session.exec(select(Identity).where(col(Identity.id).in_(beyond)))).all() if beyond else []
    )
    known = mine | {node.id: node for node in others}
    return [evidence_out(edge, known[edge.a_id], known[edge.b_id]) for edge in edges]


def evidence_out(edge: IdentityEdge, a: Identity, b: Identity) -> EvidenceOut:
    """One piece, in words; the account is named first."""
    first, second = sorted((a, b), key=lambda node: node.kind != "platform_user")
    words = [handle_words(node.kind, node.hint, node.source) for node in (first, second)]
    return EvidenceOut(
        id=edge.id,
        a_id=edge.a_id,
        b_id=edge.b_id,
        kind=edge.kind,
        strength=edge.strength,
        words=because(edge.kind, words[0], words[1], first.source, edge.note),
        at=edge.at,
        revoked_at=edge.revoked_at,
    )


async def changes_of(session: AsyncSession, brand_id: UUID, ids: Sequence[UUID]) -> list[ChangeOut]:
    """What was changed about who this is, the newest first."""
    query = select(PersonChange).where(
        col(PersonChange.brand_id) == brand_id,
        or_(col(PersonChange.customer_id).in_(ids), col(PersonChange.other_id).in_(ids)),
    )
    rows = (
        await session.exec(query.order_by(col(PersonChange.at).desc(), col(PersonChange.id)).limit(100))
    ).all()
    return [
        ChangeOut(
            id=row.id,
            kind=row.kind,
            why=row.why,
            author=row.author,
            at=row.at,
            other_id=row.other_id,
            undone_at=row.undone_at,
            undoable=row.undone_at is None and undoable(row),
        )
        for row in rows
    ]


def undoable(row: PersonChange) -> bool:
    """Whether `Changes.undo` knows how."""
    joined = row.kind in ("merged", "confirmed") and row.edge_id is not None
    return joined or row.kind == "dismissed" or (row.kind == "split" and "revoked" in row.before)


async def suggestions(
    session: AsyncSession,
    brand_id: UUID,
    person: UUID | None = None,
    *,
    in_the_open: bool,
    before: tuple[Decimal, UUID] | None = None,
    limit: int = 50,
) -> list[SuggestionOut]:
    """What a person is asked to decide, the surest first; of one person, or of all."""
    at, last = before or (None, None)
    values = {"brand": brand_id, "person": person, "at": at, "id": last, "limit": min(max(limit, 1), 200)}
    rows = [
        SuggestionOut.model_validate(dict(row)) for row in (await run(session, SUGGESTED, values)).mappings()
    ]
    if in_the_open:
        return rows
    return [
        row.model_copy(update={"a_name": mask_name(row.a_name), "b_name": mask_name(row.b_name)})
        for row in rows
    ]
