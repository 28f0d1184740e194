"""One person, as every room can find them: what `export` and `erase` of each room are given.

In each room that keeps personal data, `personal.py` has two plain functions:

    async def export(session: AsyncSession, who: Who) -> Rows
    async def erase(session: AsyncSession, who: Who) -> Counts

`export` returns rows by the name of their table, readable by the person (sealed values opened, no secrets of
the shop, no row of anybody else). `erase` removes or blanks them and returns how many rows of which table;
it may be repeated, also after half of it was done. Neither commits. All are listed in `hub/privacy/rooms.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table: what is handed out."""
Counts = dict[str, int]
"""Rows by table: what was removed or blanked."""


def nobody() -> str:
    """A visitor that never was. Not a UUIDv7: it must not tell when."""
    return f"nobody-{uuid4().hex}"


@dataclass(frozen=True)
class Who:
    """Somebody, by every handle they have here. `repr` shows nothing of it: it is all personal.

    `customer_ids`: the person's row and those merged into it. `visitor_ids`: browsers that are theirs alone
    (`Viewer.id`, which is `viewer_id` of carts, holds and orders), and what claims call them. A browser that
    somebody else bought with, too, is not among them. `hashes`: `value_hash` of their nodes. `authors`:
    (platform, author id) in chats. `emails`, `phones` and `names` (also handles) are as they were
    typed, for free text and files; only names may be somebody else's, too. `order_ids` are theirs;
    `order_refs` what shops call those orders.
    `nobody` takes the place of a visitor id where a row stays, so that counts of people stay right.
    `folder`: the data folder. `open`: opens a sealed column.
    """

    brand_id: UUID
    customer_ids: tuple[UUID, ...] = field(default=(), repr=False)
    visitor_ids: tuple[str, ...] = field(default=(), repr=False)
    hashes: tuple[str, ...] = field(default=(), repr=False)
    authors: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    emails: tuple[str, ...] = field(default=(), repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)
    order_ids: tuple[UUID, ...] = field(default=(), repr=False)
    order_refs: tuple[str, ...] = field(default=(), repr=False)
    nobody: str = field(default_factory=nobody, repr=False)
    folder: Path = field(default=Path("data"), repr=False)
    open: Callable[[bytes], str] = field(default=bytes.decode, repr=False)

    def values(self, *names: str) -> Mapping[str, Any]:
        """For statements: `:brand`, and of `customers`, `visitors`, `hashes`, `orders` (lists, for
        `= ANY(:customers)`), `platforms` with `author_ids` (side by side, for unnest) and `nobody` those that
        are asked for."""
        known: dict[str, Any] = {
            "customers": list(self.customer_ids),
            "visitors": list(self.visitor_ids),
            "hashes": list(self.hashes),
            "orders": list(self.order_ids),
            "platforms": [platform for platform, _ in self.authors],
            "author_ids": [author for _, author in self.authors],
            "nobody": self.nobody,
        }
        return {"brand": self.brand_id} | {name: known[name] for name in names}

    def joined(self, other: Who) -> Who:
        """With what was found of them later."""
        both: dict[str, Any] = {
            one.name: tuple(dict.fromkeys((*getattr(self, one.name), *getattr(other, one.name))))
            for one in fields(self)
            if isinstance(getattr(self, one.name), tuple)
        }
        return replace(self, **both)

    def dumped(self) -> str:
        """As text, to be sealed: a repeated erasure must still know what it looks for."""
        kept = {
            one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("folder", "open")
        }
        return json.dumps(kept, default=str)

    @classmethod
    def loaded(cls, dumped: str, folder: Path, open: Callable[[bytes], str]) -> Who:  # noqa: A002
        """What `dumped` wrote."""
        kept = json.loads(dumped)
        return cls(
            brand_id=UUID(kept["brand_id"]),
            customer_ids=tuple(UUID(one) for one in kept["customer_ids"]),
            visitor_ids=tuple(kept["visitor_ids"]),
            hashes=tuple(kept["hashes"]),
            authors=tuple((platform, author) for platform, author in kept["authors"]),
            emails=tuple(kept["emails"]),
            phones=tuple(kept["phones"]),
            names=tuple(kept["names"]),
            order_ids=tuple(UUID(one) for one in kept["order_ids"]),
            order_refs=tuple(kept["order_refs"]),
            nobody=kept["nobody"],
            folder=folder,
            open=open,
        )
