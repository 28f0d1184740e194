"""What a person is called and reached by, worked out from their nodes: nothing is lost when people join.

Verified over typed, an account's word over a form's, the newest name and address, the first day as a member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.customers.models import Identity


@dataclass(frozen=True)
class Facts:
    """What is written on the person's row. Addresses are sealed."""

    name: str | None = None
    email_sealed: bytes | None = field(default=None, repr=False)
    phone_sealed: bytes | None = field(default=None, repr=False)
    member_since: datetime | None = None


def facts_of(nodes: Sequence[Identity]) -> Facts:
    """The facts that survive. Nodes of one person, in any order."""
    named = [node for node in nodes if node.name]
    since = [node.member_since for node in nodes if node.member_since]
    return Facts(
        name=max(named, key=name_rank).name if named else None,
        email_sealed=newest(nodes, "email"),
        phone_sealed=newest(nodes, "phone"),
        member_since=min(since) if since else None,
    )


def newest(nodes: Sequence[Identity], kind: str) -> bytes | None:
    """The sealed address of this kind to write to."""
    found = [node for node in nodes if node.kind == kind and node.value_sealed]
    return max(found, key=address_rank).value_sealed if found else None


def name_rank(node: Identity) -> tuple[bool, bool, datetime, str]:
    """Who signed in knows their own name best; then the platform; then who wrote last."""
    return (
        node.verified_at is not None,
        node.kind == "platform_user",
        node.named_at or node.created_at,
        node.name or "",
    )


def address_rank(node: Identity) -> tuple[bool, bool, datetime, str]:
    """Verified, then one that is theirs alone, then the newest."""
    return (
        node.verified_at is not None,
        node.state == "ok",
        node.named_at or node.created_at,
        node.value_hash,
    )
