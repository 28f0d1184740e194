"""Finds everything by which a person can be found: the first step of an export and of an erasure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.carts.addresses import Address
from hub.claims.intake import viewer_of
from hub.customers.handles import email_handle, phone_handle
from hub.db import run
from hub.privacy.who import Who
from hub.secrets import Vault

SHORTEST_NAME: Final = 3
"""What is shorter stands in too many other words."""

FAMILY: Final = text(
    """
    WITH RECURSIVE up AS (
        SELECT id, merged_into FROM customer WHERE brand_id = :brand AND id = ANY(:customers)
        UNION
        SELECT customer.id, customer.merged_into FROM customer JOIN up ON customer.id = up.merged_into
    ), down AS (
        SELECT id FROM up
        UNION
        SELECT customer.id FROM customer JOIN down ON customer.merged_into = down.id
    )
    SELECT customer.id, customer.name, customer.email_sealed, customer.phone_sealed
    FROM customer JOIN down USING (id) ORDER BY customer.id
    """
)
NODES: Final = text(
    """
    SELECT kind, value_hash, value_sealed, state, name FROM identity
    WHERE brand_id = :brand AND customer_id = ANY(:customers)
    """
)
ORDERS: Final = text(
    """
    SELECT id, channel, external_id, viewer_id, buyer_name, buyer_email_sealed, address_sealed FROM orders
    WHERE brand_id = :brand AND customer_id = ANY(:customers) ORDER BY id
    """
)
OTHERS: Final = text(
    """
    SELECT node.value_hash FROM identity AS node
    WHERE node.brand_id = :brand AND node.value_hash = ANY(:hashes) AND (
        node.customer_id <> ALL(:customers) OR node.kind = 'phone' AND EXISTS (
            SELECT FROM identity_edge AS edge
            JOIN identity AS other ON other.id IN (edge.a_id, edge.b_id) AND other.id <> node.id
            WHERE node.id IN (edge.a_id, edge.b_id) AND edge.revoked_at IS NULL
                AND other.customer_id <> ALL(:customers)))
    """
)
"""Of these hashes, those that lead to somebody else, too: an address they typed is not theirs by that."""
BROWSERS: Final = text(
    """
    WITH theirs AS (
        SELECT visitor_id FROM touch WHERE brand_id = :brand AND customer_id = ANY(:customers)
        UNION
        SELECT viewer_id FROM orders
        WHERE brand_id = :brand AND customer_id = ANY(:customers) AND viewer_id IS NOT NULL
    )
    SELECT visitor_id,
        EXISTS (SELECT FROM touch WHERE touch.visitor_id = theirs.visitor_id AND brand_id = :brand
                AND customer_id <> ALL(:customers))
        OR EXISTS (SELECT FROM orders WHERE viewer_id = theirs.visitor_id AND brand_id = :brand
                AND customer_id <> ALL(:customers)) AS shared
    FROM theirs WHERE visitor_id NOT LIKE 'order:%' ORDER BY visitor_id
    """
)
AUTHORS: Final = text(
    """
    SELECT platform, author_id, author_name AS name FROM (
        SELECT platform, author_id, author_name FROM message WHERE brand_id = :brand
        UNION SELECT platform, author_id, author_name FROM claim WHERE brand_id = :brand
        UNION SELECT platform, author_id, author_name FROM moderation_action WHERE brand_id = :brand
        UNION SELECT platform, author_id, NULL FROM chat_mute WHERE brand_id = :brand
        UNION SELECT platform, author_id, NULL FROM claim_block WHERE brand_id = :brand
    ) AS said WHERE author_id IS NOT NULL
    """
)


KINDS: Final = {"email": "emails", "phone": "phones", "visitor": "visitors"}
"""Of nodes: where their values belong among the clues."""


@dataclass
class Clues:
    """What was found so far; sets, because everything is found more than once."""

    customers: list[UUID] = field(default_factory=list)
    visitors: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    everybodys: set[str] = field(default_factory=set)
    """Hashes and values of nodes that several people use: those are the others' as well."""
    authors: set[tuple[str, str]] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    typed: dict[str, str] = field(default_factory=dict)
    """What they wrote into orders, as they wrote it, with the hash that the graph has of it."""
    names: set[str] = field(default_factory=set)
    orders: list[UUID] = field(default_factory=list)
    refs: set[str] = field(default_factory=set)


class Finding:
    """Reads; changes nothing."""

    def __init__(self, vault: Vault, data: Path) -> None:
        self._vault = vault
        self._data = data

    def again(self, dumped: bytes) -> Who:
        """Somebody who was found before (`Who.dumped`, sealed)."""
        return Who.loaded(self._vault.open(dumped), self._data, self._vault.open)

    def sealed(self, who: Who) -> bytes:
        """To be kept until the work is done."""
        return self._vault.seal(who.dumped())

    async def who(
        self,
        session: AsyncSession,
        brand_id: UUID,
        customer_ids: Sequence[UUID],
        visitors: Iterable[str] = (),
    ) -> Who:
        """The person behind these rows, with all that was merged into them or they into.

        `visitors`: browsers known to be theirs from elsewhere.
        """
        found = Clues()
        await self._person(session, brand_id, customer_ids, found)
        values = {"brand": brand_id, "customers": found.customers}
        await self._nodes(session, values, found)
        await self._orders(session, values, found)
        await self._others(session, values, found)
        for row in await run(session, BROWSERS, values):
            (found.everybodys if row.shared else found.visitors).add(row.visitor_id)
        found.visitors.update(visitors)
        found.visitors -= found.everybodys
        await self._authors(session, brand_id, found)
        return Who(
            brand_id=brand_id,
            customer_ids=tuple(found.customers),
            visitor_ids=tuple(sorted(found.visitors)),
            hashes=tuple(sorted(found.hashes - found.everybodys)),
            authors=tuple(sorted(found.authors)),
            emails=tuple(sorted(self._own(found.emails, found))),
            phones=tuple(sorted(self._own(found.phones, found))),
            names=tuple(sorted(name for name in found.names if len(name) >= SHORTEST_NAME)),
            order_ids=tuple(found.orders),
            order_refs=tuple(sorted(found.refs)),
            folder=self._data,
            open=self._vault.open,
        )

    def _own(self, values: set[str], found: Clues) -> set[str]:
        """Without what several people use."""
        return {
            one
            for one in values
            if not {one, one.lower(), self._vault.fingerprint(one.lower())} & found.everybodys
        }

    async def _person(
        self, session: AsyncSession, brand_id: UUID, customer_ids: Sequence[UUID], found: Clues
    ) -> None:
        for row in await run(session, FAMILY, {"brand": brand_id, "customers": list(customer_ids)}):
            found.customers.append(row.id)
            if row.name:
                found.names.add(row.name)
            self._email(row.email_sealed, found)
            if row.phone_sealed:
                found.phones.add(self._vault.open(bytes(row.phone_sealed)))

    async def _nodes(self, session: AsyncSession, values: dict[str, Any], found: Clues) -> None:
        for row in await run(session, NODES, values):
            value = self._vault.open(bytes(row.value_sealed)) if row.value_sealed else ""
            if row.state != "ok":
                found.everybodys |= {row.value_hash, value}
                continue
            found.hashes.add(row.value_hash)
            if row.name:
                found.names.add(row.name)
            if row.kind == "platform_user" and ":" in value:
                platform, _, author = value.partition(":")
                found.authors.add((platform, author))
            elif value and row.kind in KINDS:
                getattr(found, KINDS[row.kind]).add(value)

    async def _orders(self, session: AsyncSession, values: dict[str, Any], found: Clues) -> None:
        for row in await run(session, ORDERS, values):
            found.orders.append(row.id)
            if row.external_id:
                found.refs.add(row.external_id)
            if row.buyer_name:
                found.names.add(row.buyer_name)
            self._email(row.buyer_email_sealed, found)
            if row.address_sealed:
                self._address(row.address_sealed, found)

    async def _others(self, session: AsyncSession, values: dict[str, Any], found: Clues) -> None:
        """Take out what is somebody else's: a friend's address for an order's letters, a family's phone."""
        hashes = found.hashes | set(found.typed.values())
        theirs = set((await run(session, OTHERS, values | {"hashes": sorted(hashes)})).scalars())
        found.everybodys |= theirs | {one for one, hashed in found.typed.items() if hashed in theirs}

    async def _authors(self, session: AsyncSession, brand_id: UUID, found: Clues) -> None:
        """Chats know the platform's ids, the graph only their hashes: so every id is hashed and compared."""
        rows = (await run(session, AUTHORS, {"brand": brand_id})).all()
        # In a thread: a brand has everybody who ever wrote in its chats.
        await asyncio.to_thread(self._pick, rows, found)
        found.visitors.update(viewer_of(platform, author) for platform, author in found.authors)

    def _pick(self, rows: Sequence[Any], found: Clues) -> None:
        for platform, author, name in rows:
            theirs = author in found.visitors if platform == "own" else self._is_node(platform, author, found)
            if theirs or (platform, author) in found.authors:
                found.authors.add((platform, author))
                if name:
                    found.names.add(name)

    def _is_node(self, platform: str, author: str, found: Clues) -> bool:
        return self._vault.fingerprint(f"{platform}:{author}") in found.hashes

    def _email(self, sealed: bytes | None, found: Clues) -> None:
        if sealed:
            email = self._vault.open(bytes(sealed)).strip()
            found.emails.add(email)
            # Sign-in codes are kept by this hash, whether or not the graph has the address.
            found.hashes.add(self._vault.fingerprint(email.lower()))
            handle = email_handle(email)
            found.typed[email] = self._vault.fingerprint(handle.value if handle else email.lower())

    def _address(self, sealed: bytes, found: Clues) -> None:
        try:
            address = Address.model_validate_json(self._vault.open(bytes(sealed)))
        except ValidationError:
            return
        if handle := phone_handle(address.phone, address.country):
            found.phones.add(address.phone)
            found.typed[address.phone] = self._vault.fingerprint(handle.value)
