"""Whom we forgot: keyed hashes that let us forget them again, and tell nothing to anybody else.

A mark is a keyed hash of a node's hash, with a key of its own: it stands in no other table, so a tombstone
leads to nobody who is not there. Each is kept twice: as a row, and as a file beside the database, because a
database that is put back from a backup has lost the rows that were made since.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.privacy.models import Erasure
from hub.secrets import Vault

FOLDER: Final = "erasures"
KNOWN: Final = text(
    """
    SELECT max(at) FROM erasure
    WHERE brand_id = :brand AND node_hashes && CAST(:marks AS varchar[])
    """
)


@dataclass(frozen=True)
class Tombstone:
    """One erasure, as it is kept in a file."""

    request_id: UUID
    brand_id: UUID
    node_hashes: tuple[str, ...]
    visitor_ids: tuple[str, ...]
    at: datetime

    def row(self) -> Erasure:
        """As it is kept in the table."""
        return Erasure(
            brand_id=self.brand_id,
            request_id=self.request_id,
            node_hashes=list(self.node_hashes),
            visitor_ids=list(self.visitor_ids),
            at=self.at,
        )


class Marks:
    """Makes marks, and asks by them whether somebody was forgotten."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._key = vault.signing_key("erasure")

    def mark(self, value: str) -> str:
        """The mark of a node's hash or of a visitor."""
        return hmac.new(self._key, value.encode(), sha256).hexdigest()

    def marks(self, values: Iterable[str]) -> tuple[str, ...]:
        """Sorted, so that their order tells nothing."""
        return tuple(sorted({self.mark(value) for value in values}))

    async def forgotten(
        self, session: AsyncSession, brand_id: UUID, handles: Sequence[str]
    ) -> datetime | None:
        """When somebody with one of these handles (as the graph spells them) was erased; the last time."""
        marks = self.marks(self._vault.fingerprint(one) for one in handles)
        if not marks:
            return None
        found: datetime | None = (
            await run(session, KNOWN, {"brand": brand_id, "marks": list(marks)})
        ).scalar_one()
        return found


class Tombstones(Marks):
    """Keeps tombstones in a folder of the data folder."""

    def __init__(self, vault: Vault, data: Path) -> None:
        super().__init__(vault)
        self.folder = data / FOLDER

    async def write(self, stone: Tombstone) -> None:
        """Keep it in a file, durable before this returns. Repeatable."""
        await asyncio.to_thread(self._write, stone)

    async def read(self, folder: Path | None = None) -> list[Tombstone]:
        """Every tombstone in a folder of files; ours unless another is named."""
        return await asyncio.to_thread(read_folder, folder or self.folder)

    def _write(self, stone: Tombstone) -> None:
        folder = self.folder / str(stone.brand_id)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{stone.request_id}.json"
        beside = path.with_suffix(".part")
        kept = {
            "request_id": str(stone.request_id),
            "brand_id": str(stone.brand_id),
            "node_hashes": stone.node_hashes,
            "visitor_ids": stone.visitor_ids,
            "at": stone.at.isoformat(),
        }
        with beside.open("w") as out:
            json.dump(kept, out)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_folder(folder: Path) -> list[Tombstone]:
    """Oldest first. A half-written file (.part) is of an erasure that had not begun."""
    found = []
    for path in folder.glob("*/*.json"):
        kept = json.loads(path.read_text())
        found.append(
            Tombstone(
                request_id=UUID(kept["request_id"]),
                brand_id=UUID(kept["brand_id"]),
                node_hashes=tuple(kept["node_hashes"]),
                visitor_ids=tuple(kept["visitor_ids"]),
                at=datetime.fromisoformat(kept["at"]),
            )
        )
    return sorted(found, key=lambda stone: (stone.at, stone.request_id))
