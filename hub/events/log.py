"""The event log on disk: Parquet files of each show, and what DuckDB reads of them.

    data/events/<brand>/<show>/<first>-<last>-<token>.parquet    numbers in the stream
    data/events/<brand>/<show>/apart-….jsonl                     events of versions we do not know

Everything here blocks and may take a while: call it in a thread. An event may stand in several files of a
show, never twice in one; `view` shows each once. `at` is a word of DuckDB's own: in SQL it is written `"at"`.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hub.events.schema import ViewerEvent

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Rows = Sequence[tuple[int, ViewerEvent]]
"""(number in the stream, event)."""

COLUMNS: Final[Mapping[str, str]] = {
    "v": "INTEGER",
    "id": "UUID",
    "brand_id": "UUID",
    "show_id": "UUID",
    "viewer_id": "VARCHAR",
    "visit": "UUID",
    "kind": "VARCHAR",
    "at": "TIMESTAMPTZ",
    "show_ms": "BIGINT",
    "source": "VARCHAR",
    "platform": "VARCHAR",
    "product_id": "UUID",
    "variant_id": "UUID",
    "offer_id": "UUID",
    "hold_id": "UUID",
    "order_id": "UUID",
    "quantity": "BIGINT",
    "value_minor": "BIGINT",
    "currency": "VARCHAR",
    "data": "VARCHAR",
}
"""Name → DuckDB's type, as `view` shows them; a file has the number `seq` besides."""
NAMES: Final = ", ".join(f'"{name}"' for name in COLUMNS)
FORGOTTEN: Final = "forgotten-"
"""How an id begins that stands for somebody who was forgotten."""
ONCE: Final = (
    "QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq, "
    f"coalesce(starts_with(viewer_id, '{FORGOTTEN}'), false) DESC) = 1"
)
"""Of an event that stands in several files, the one acknowledged first; forgotten rather than not."""
TURN_SECONDS: Final = 0.05
"""Between two looks whether it is our turn."""


@dataclass(frozen=True)
class Sealed:
    """A file that is whole and on the disk. `path` is within the log's folder."""

    path: str
    first_seq: int
    last_seq: int
    rows: int
    sha256: str


class EventLog:
    """`folder` is the data folder's `events`."""

    def __init__(self, folder: Path, *, threads: int = 2, memory: str = "1GB") -> None:
        self.folder = folder
        self._threads = threads
        self._memory = memory

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB of its own, in memory, that leaves room for others. Close it."""
        import duckdb

        connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
        connection.execute(f"SET threads = {self._threads}")
        connection.execute(f"SET memory_limit = '{self._memory}'")
        connection.execute("SET TimeZone = 'UTC'")
        spill = self.folder.parent / "tmp"
        connection.execute(f"SET temp_directory = {quoted(str(spill))}")
        return connection

    def place(self, brand_id: UUID, show_id: UUID) -> Path:
        """Where a show's files are."""
        return self.folder / str(brand_id) / str(show_id)

    def files(self, brand_id: UUID, show_id: UUID) -> list[Path]:
        """A show's files, oldest numbers first."""
        return sorted(self.place(brand_id, show_id).glob("*.parquet"))

    def all_files(self) -> dict[str, Path]:
        """Of every show of every brand, by their paths within the folder."""
        found = self.folder.glob("*/*/*.parquet")
        return {str(path.relative_to(self.folder)): path for path in found}

    def shows(self, brand_id: UUID) -> list[UUID]:
        """Shows of a brand that have files."""
        found = (self.folder / str(brand_id)).glob("*/*.parquet")
        return sorted({UUID(path.parent.name) for path in found})

    def view(self, brand_id: UUID, show_ids: Sequence[UUID] | None = None, *, ordered: bool = False) -> str:
        """SQL of a relation: every event of these shows (None: all of the brand's) once, in `COLUMNS`.

        It is in parentheses, to stand after FROM. `ordered` by time costs seconds where there are millions,
        and an aggregate has no use for it.
        """
        shows = self.shows(brand_id) if show_ids is None else show_ids
        single: list[Path] = []
        parts: list[str] = []
        for show in shows:
            files = self.files(brand_id, show)
            if len(files) > 1:
                parts.append(f"SELECT {NAMES} FROM {reading(files)} {ONCE}")  # noqa: S608 - names of ours
            else:
                single += files
        if single:
            parts.append(f"SELECT {NAMES} FROM {reading(single)}")  # noqa: S608 - names of ours
        if not parts:
            nothing = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in COLUMNS.items())
            parts = [f"SELECT {nothing} WHERE false"]
        whole = " UNION ALL ".join(f"({part})" for part in parts)
        return f'({whole} ORDER BY "at", id)' if ordered else f"({whole})"

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The log to ourselves, among all processes: sealing, tidying and forgetting take turns.

        Nobody then holds events in hand that a file written meanwhile would lack.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".turn").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @asynccontextmanager
    async def async_turn(self) -> AsyncIterator[None]:
        """The same for whoever must not block."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".turn").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(TURN_SECONDS)
            yield

    def write(self, brand_id: UUID, show_id: UUID, rows: Rows) -> Sealed:
        """A new file of a show. When this returns, a power cut does not harm it."""
        import pyarrow.parquet as pq

        once: dict[UUID, tuple[int, ViewerEvent]] = {}
        for row in rows:
            once.setdefault(row[1].id, row)
        kept = sorted(once.values(), key=lambda row: (row[1].at, row[1].id))
        numbers = [seq for seq, _ in rows]
        place = self.place(brand_id, show_id)
        place.mkdir(parents=True, exist_ok=True)
        draft = place / f".{secrets.token_hex(8)}.draft"
        pq.write_table(table_of(kept), draft, compression="zstd")
        return self.adopt(draft, min(numbers), max(numbers), len(kept))

    def adopt(self, draft: Path, first: int, last: int, rows: int) -> Sealed:
        """A draft takes its place among the files."""
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        path = draft.with_name(f"{first:016d}-{last:016d}-{secrets.token_hex(4)}.parquet")
        draft.rename(path)
        sync(draft.parent)
        return Sealed(str(path.relative_to(self.folder)), first, last, rows, digest)

    def keep_apart(self, brand_id: UUID, show_id: UUID, lines: Sequence[tuple[int, bytes]]) -> None:
        """Events that we cannot read, as they came: whoever can finds them here."""
        place = self.place(brand_id, show_id)
        place.mkdir(parents=True, exist_ok=True)
        draft = place / f".{secrets.token_hex(8)}.draft"
        with draft.open("w") as file:
            for seq, payload in lines:
                file.write(json.dumps({"seq": seq, "said": payload.decode("utf-8", "replace")}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(place / f"apart-{lines[0][0]:016d}-{secrets.token_hex(4)}.jsonl")
        sync(place)

    def apart(self, brand_id: UUID, show_id: UUID) -> Iterator[tuple[int, bytes]]:
        """What was kept apart: (number, payload)."""
        for path in sorted(self.place(brand_id, show_id).glob("apart-*.jsonl")):
            for line in path.read_text().splitlines():
                kept = json.loads(line)
                yield int(kept["seq"]), str(kept["said"]).encode()

    def merge(
        self, brand_id: UUID, show_id: UUID, *, forget: Mapping[str, str] | None = None
    ) -> Merged | None:
        """All files of a show as one, each event once, by time; None when there is nothing to merge.

        `forget`: viewers' ids → what stands in their place. The old files are still there: `remove` them.
        """
        for draft in self.place(brand_id, show_id).glob(".*.draft"):
            draft.unlink()  # of whoever died while writing it: it is our turn
        files = self.files(brand_id, show_id)
        if not files or (len(files) == 1 and not forget):
            return None
        draft = files[0].with_name(f".{secrets.token_hex(8)}.draft")
        names, source = f"{NAMES}, seq", reading(files)
        with self.connect() as db:
            if forget:
                db.execute("CREATE TABLE forget (viewer VARCHAR PRIMARY KEY, instead VARCHAR)")
                db.executemany("INSERT INTO forget VALUES (?, ?)", [*forget.items()])
                names = names.replace('"viewer_id"', "coalesce(instead, viewer_id) AS viewer_id")
                names = names.replace('"visit"', "CASE WHEN instead IS NULL THEN visit END AS visit")
                source = f"{source} LEFT JOIN forget ON viewer = viewer_id"
            query = f'SELECT {names} FROM {source} {ONCE} ORDER BY "at", id'  # noqa: S608 - names of ours
            db.execute(f"COPY ({query}) TO {quoted(str(draft))} (FORMAT parquet, COMPRESSION zstd)")
            first, last, rows = db.execute(
                f"SELECT min(seq), max(seq), count(DISTINCT id) FROM {reading(files)}"  # noqa: S608
            ).fetchall()[0]
        sealed = self.adopt(draft, first, last, rows)
        return Merged(sealed, [str(path.relative_to(self.folder)) for path in files])

    def export(self, brand_id: UUID, show_id: UUID, path: Path) -> None:
        """A show's events by time as one file; what kind is said by its name: .parquet or .csv."""
        how = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet, COMPRESSION zstd"
        with self.connect() as db:
            view = self.view(brand_id, [show_id], ordered=True)
            db.execute(f"COPY (SELECT * FROM {view}) TO {quoted(str(path))} ({how})")  # noqa: S608

    def count_of(self, brand_id: UUID, show_id: UUID, viewers: Sequence[str]) -> int:
        """How many rows of a show's files are of these viewers, read or not."""
        files = self.files(brand_id, show_id)
        if not files:
            return 0
        with self.connect() as db:
            query = f"SELECT count(*) FROM {reading(files)} WHERE viewer_id IN (SELECT unnest(?))"  # noqa: S608
            return int(db.execute(query, [[*viewers]]).fetchall()[0][0])

    def rewrite(self, brand_id: UUID, show_id: UUID, forget: set[str]) -> tuple[int, Merged | None]:
        """Nothing of these viewers is left in a show's files: how many events that changed, and the new file.

        Each viewer becomes an id that means nothing, the same for all of their events. Take your turn before.
        """
        self._forget_apart(brand_id, show_id, forget)
        changed = self.count_of(brand_id, show_id, [*forget])
        if not changed:
            return 0, None
        instead = {viewer: f"{FORGOTTEN}{secrets.token_hex(12)}" for viewer in forget}
        merged = self.merge(brand_id, show_id, forget=instead)
        if merged:
            self.remove(merged.replaced)
        return changed, merged

    def _forget_apart(self, brand_id: UUID, show_id: UUID, forget: set[str]) -> None:
        """What we cannot read we cannot blank: it goes."""
        for path in self.place(brand_id, show_id).glob("apart-*.jsonl"):
            lines = path.read_text().splitlines(keepends=True)
            kept = [line for line in lines if not any(viewer in line for viewer in forget)]
            if len(kept) < len(lines):
                draft = path.with_name(f".{secrets.token_hex(8)}.draft")
                draft.write_text("".join(kept))
                draft.rename(path)

    def described(self, path: Path) -> Sealed:
        """A file that is there already."""
        with self.connect() as db:
            numbers = f"SELECT min(seq), max(seq), count(*) FROM {reading([path])}"  # noqa: S608
            first, last, rows = db.execute(numbers).fetchall()[0]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Sealed(str(path.relative_to(self.folder)), first or 0, last or 0, rows, digest)

    def of_viewers(self, brand_id: UUID, viewers: Sequence[str]) -> list[dict[str, str]]:
        """All events of these viewers, by time; only what is set, as text."""
        with self.connect() as db:
            view = self.view(brand_id, ordered=True)
            query = f"SELECT * FROM {view} WHERE viewer_id IN (SELECT unnest(?))"  # noqa: S608
            rows = db.execute(query, [[*viewers]]).fetchall()
        return [
            {name: str(value) for name, value in zip(COLUMNS, row, strict=True) if value is not None}
            for row in rows
        ]

    def remove(self, paths: Sequence[str]) -> None:
        """Files whose events stand in another one."""
        for path in paths:
            (self.folder / path).unlink(missing_ok=True)
        for place in {(self.folder / path).parent for path in paths}:
            if place.exists():
                sync(place)


@dataclass(frozen=True)
class Merged:
    """A file that stands for others, which may go."""

    sealed: Sealed
    replaced: list[str]


def reading(files: Sequence[Path]) -> str:
    """SQL: these files as one relation, whatever version wrote each."""
    listed = ", ".join(quoted(str(path)) for path in files)
    return f"read_parquet([{listed}], union_by_name = true)"


def quoted(words: str) -> str:
    """A literal of SQL."""
    return "'" + words.replace("'", "''") + "'"


def sync(folder: Path) -> None:
    """A renamed or removed file is so after a power cut, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def table_of(rows: Rows) -> pa.Table:
    """Events as Arrow columns."""
    import pyarrow as pa

    plain: dict[str, pa.DataType] = {
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "VARCHAR": pa.string(),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    }

    def column(name: str, kind: str) -> pa.Array:
        values: list[Any] = [getattr(event, name) for _, event in rows]
        if kind != "UUID":
            return pa.array(values, plain[kind])
        stored = pa.array([value and value.bytes for value in values], pa.binary(16))
        return pa.ExtensionArray.from_storage(pa.uuid(), stored)

    columns = {name: column(name, kind) for name, kind in COLUMNS.items()}
    return pa.table(columns | {"seq": pa.array([seq for seq, _ in rows], pa.int64())})
