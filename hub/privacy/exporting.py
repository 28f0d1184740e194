"""A copy of everything that is kept about a person: a ZIP with JSON per area and a page to read it by.

It lies sealed in the data folder, and is opened for whoever may have it, for a week.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import NotFound
from hub.privacy.finding import Finding
from hub.privacy.models import RightsRequest
from hub.privacy.personal import FOLDER
from hub.privacy.rooms import ROOMS
from hub.privacy.who import Rows
from hub.secrets import Vault

KEPT: Final = timedelta(days=7)
STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#18181b}"
    "table{border-collapse:collapse;width:100%;display:block;overflow-x:auto;margin:0 0 1.5rem}"
    "th,td{border:1px solid #d4d4d8;padding:.25rem .5rem;text-align:left;vertical-align:top;font-size:14px}"
)


UNPROVED: Final = text(
    """
    SELECT hint FROM identity AS node
    WHERE customer_id = :person AND kind = 'email' AND state = 'ok' AND verified_at IS NULL
        AND (met OR EXISTS (SELECT FROM identity_edge WHERE node.id IN (a_id, b_id) AND strength = 'proof'
                AND revoked_at IS NULL))
    ORDER BY id LIMIT 1
    """
)


async def unproved(session: AsyncSession, customer_id: UUID) -> str | None:
    """Why somebody must not have the copy by themselves; None when nothing is in the way.

    Anybody can type another's address into a shop, and it counts as theirs until its owner signs in with it:
    what was bought with it must not be handed out on the strength of that.
    """
    hint = (await run(session, UNPROVED, {"person": customer_id})).scalar_one_or_none()
    if hint is None:
        return None
    return (
        f"Orders with the address {hint} are counted as yours, and nobody has signed in with it. Write to the"
        " shop: they make the copy for you."
    )


class Exporting:
    """The job, and the way to its file."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, finding: Finding, data: Path) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._finding = finding
        self._data = data

    async def run(self, request_id: UUID) -> None:
        """The job. Repeated, it writes the same file anew; one transaction per room, for its progress."""
        async with self._db.session() as session:
            request = await self._request(session, request_id)
            if request.state not in ("queued", "working"):
                return
            if request.asked_by is None and (why := await unproved(session, request.customer_id)):
                request.state, request.problem = "failed", why
                return
            request.state, request.step, request.steps = "working", 0, len(ROOMS) + 1
            brand = await session.get(Brand, request.brand_id)
            who = await self._finding.who(session, request.brand_id, [request.customer_id])
        areas: dict[str, Rows] = {}
        for area in ROOMS:
            async with self._db.session() as session:
                areas[area.name] = await area.export(session, who)
                (await self._request(session, request_id)).step += 1
        now = self._clock()
        packed = await asyncio.to_thread(zipped, areas, brand.name if brand else "", now)
        path = self._data / FOLDER / f"{request_id}.sealed"
        await asyncio.to_thread(self._write, path, packed)
        async with self._db.session() as session:
            request = await self._request(session, request_id)
            request.state, request.step = "done", request.steps
            request.done_at, request.expires_at = now, now + KEPT
            request.file_path = f"{FOLDER}/{path.name}"
            request.proof = {"rows": {name: counted(rows) for name, rows in areas.items()}}

    async def opened(self, request: RightsRequest) -> bytes:
        """The ZIP. NotFound `export_gone` when there is none (any more)."""
        over = request.expires_at is None or request.expires_at <= self._clock()
        path = self._data / (request.file_path or "")
        if request.state != "done" or over or not path.is_file():
            raise NotFound("export_gone", "This copy is not there any more. Ask for a new one.")
        return await asyncio.to_thread(self._open, path)

    async def _request(self, session: AsyncSession, request_id: UUID) -> RightsRequest:
        request = await session.get(RightsRequest, request_id, with_for_update=True)
        if request is None or request.kind != "export":
            raise NotFound("request_unknown", "There is no such request.")
        return request

    def _write(self, path: Path, packed: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.touch(mode=0o600)
        beside.write_bytes(self._vault.seal(base64.b64encode(packed).decode()))
        beside.replace(path)

    def _open(self, path: Path) -> bytes:
        return base64.b64decode(self._vault.open(path.read_bytes()))


def counted(rows: Rows) -> dict[str, int]:
    """How many rows of which table."""
    return {table: len(found) for table, found in rows.items()}


def zipped(areas: Mapping[str, Rows], brand: str, at: datetime) -> bytes:
    """JSON per area, and index.html over all of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("index.html", page_of(areas, brand, at))
        for name, rows in areas.items():
            packed.writestr(f"{name}.json", json.dumps(rows, indent=1, ensure_ascii=False, default=str))
    return out.getvalue()


def page_of(areas: Mapping[str, Rows], brand: str, at: datetime) -> str:
    """For people. Everything in it is escaped: it holds what anybody wrote anywhere."""
    titles = {area.name: area.title for area in ROOMS}
    title = f"Your data at {escape(brand)}"
    begin = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>Everything that was kept about you on {at:%Y-%m-%d %H:%M} UTC. The same is in "
        "the JSON files beside this page, for programs. Card numbers never come to us.</p>"
    )
    said = [begin]
    for name, rows in areas.items():
        said.append(f"<h2>{escape(titles.get(name, name))}</h2>")
        filled = {table: found for table, found in rows.items() if found}
        if not filled:
            said.append("<p>Nothing.</p>")
        said += [f"<h3>{escape(table)}</h3>{table_of(found)}" for table, found in filled.items()]
    return "".join(said)


def table_of(rows: list[dict[str, Any]]) -> str:
    """Rows as a table; every column any of them has."""
    columns = [*dict.fromkeys(name for row in rows for name in row)]
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell_of(row.get(name)))}</td>" for name in columns) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def cell_of(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
