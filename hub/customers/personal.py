"""Who somebody is: to hand out, and to forget. The last room of an erasure: it leads to all the others.

Orders, touches and sessions have let go of the person before this is called.
"""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

PEOPLE: Final = """
    SELECT id, name, email_sealed, phone_sealed, merged_into, member_since, created_at FROM customer
    WHERE brand_id = :brand AND id = ANY(:customers) ORDER BY created_at
"""
NODES: Final = """
    SELECT kind, value_sealed, hint, source, state, verified_at, name, created_at FROM identity
    WHERE brand_id = :brand AND customer_id = ANY(:customers) ORDER BY created_at
"""
CHANGES: Final = """
    SELECT kind, why, at, undone_at FROM person_change
    WHERE brand_id = :brand AND (customer_id = ANY(:customers) OR other_id = ANY(:customers)) ORDER BY at
"""
# Others' handles that were first seen with this person's row have a home of their own from now on.
REHOME: Final = """
    UPDATE identity SET home_id = customer_id
    WHERE brand_id = :brand AND home_id = ANY(:customers) AND customer_id <> ALL(:customers)
"""
FORGET: Final = {
    "suggestion": """
        DELETE FROM suggestion WHERE brand_id = :brand AND (a = ANY(:customers) OR b = ANY(:customers))
    """,
    "person_change": """
        DELETE FROM person_change
        WHERE brand_id = :brand AND (customer_id = ANY(:customers) OR other_id = ANY(:customers))
    """,
    "identity": "DELETE FROM identity WHERE brand_id = :brand AND customer_id = ANY(:customers)",
    "merges": """
        UPDATE customer SET merged_into = NULL WHERE brand_id = :brand AND merged_into = ANY(:customers)
    """,
    "customer": "DELETE FROM customer WHERE brand_id = :brand AND id = ANY(:customers)",
}
"""In this order: what names people, then the people. Evidence goes with the handles it joins."""


async def export(session: AsyncSession, who: Who) -> Rows:
    """The person, their handles, and what was changed about who they are."""
    return {
        "customer": await rows_of(session, who, PEOPLE, "customers"),
        "identity": await rows_of(session, who, NODES, "customers"),
        "person_change": await rows_of(session, who, CHANGES, "customers"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """The person's rows go: an order of theirs is nobody's."""
    await done(session, who, REHOME, "customers")
    return {name: await done(session, who, statement, "customers") for name, statement in FORGET.items()}
