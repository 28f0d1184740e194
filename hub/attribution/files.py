"""A run's file: the credits of all models and windows in one Parquet, written whole or not at all. Blocks.

A row is one step of an order's money (entry 'sale', 'refund', 'cancel', or 'order' in millionths) and one
touch (None: nobody led to it) in one window, with a column for each model: `first`, …, and for the models
that weigh channels one for each key, as `markov_source`. Rows with entry 'touch' are all touches there were.
Beside it lies a JSON file of the removal effects that were learned, for questions that are answered live.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from hub.attribution.reckoning import Reckoning, connect, dicts, quoted, sql
from hub.attribution.words import (
    BY_CHANNEL,
    KEYS,
    MODELS,
    UNKNOWN,
    WATCHED,
    WINDOWS,
    By,
    Model,
    Query,
    Window,
)

if TYPE_CHECKING:
    import duckdb

Tell = Callable[[str, int], None]
"""Told what is being done, and how many percent are done."""
Load = Callable[["duckdb.DuckDBPyConnection"], None]
"""Makes the three relations."""


SCRATCH: Final = "reckoning-"
"""Folders of work under way begin with this."""


def column(model: Model, by: By) -> str:
    """Where a model's credits are in the file."""
    return f"{model}_{by}" if model in BY_CHANNEL else model


COLUMNS: Final[dict[str, tuple[Model, By]]] = {
    column(model, by): (model, by) for model in MODELS for by in (KEYS if model in BY_CHANNEL else KEYS[:1])
}


@dataclass
class Written:
    """What is in a file."""

    orders: int
    touches: int
    from_at: datetime | None
    to_at: datetime | None
    size: int
    notes: list[str] = field(default_factory=list)


def write(load: Load, events: str, target: Path, tell: Tell) -> Written:
    """Reckon everything and put it at `target` in one move; repeating it replaces the file.

    `events`: the relation of viewer events, as SQL.
    """
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=target.parent) as folder:
        spill = Path(folder)
        with connect(spill) as con:
            tell("Reading touches and orders.", 0)
            load(con)
            reckoning = Reckoning(con)
            reckoning.watch(events)
            for number, window in enumerate(WINDOWS):
                tell(f"Crediting touches of the window {window}.", 10 + 20 * number)
                put_window(reckoning, window, spill / f"{number}.parquet")
            tell("Writing the file.", 90)
            keys, nothing = ", ".join(KEYS), ", ".join(f"NULL::BIGINT AS {name}" for name in COLUMNS)
            copy(con, sql("touched").format(keys=keys, columns=nothing), spill / "touched.parquet")
            whole = spill / "whole.parquet"
            copy(con, f"FROM read_parquet({quoted(spill / '*.parquet')})", whole)
            [facts] = dicts(con.execute(FACTS))
        beside(target).write_text(json.dumps(learned(reckoning)))
        size = settle(whole, target)
    times = {name: aware(facts[name]) for name in ("from_at", "to_at")}
    return Written(facts["orders"], facts["touches"], times["from_at"], times["to_at"], size, reckoning.notes)


FACTS: Final = """
    SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM touch) AS touches,
        (SELECT min("at") FROM (SELECT "at" FROM touch UNION ALL SELECT "at" FROM orders)) AS from_at,
        (SELECT max("at") FROM (SELECT "at" FROM touch UNION ALL SELECT "at" FROM order_money)) AS to_at
"""


def put_window(reckoning: Reckoning, window: Window, file: Path) -> None:
    """All models of one window."""
    con = reckoning.con
    reckoning.look_back(window)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE part (name VARCHAR, order_no INTEGER, counts BOOLEAN, n BIGINT,"
        " touch_no INTEGER, amount BIGINT)"
    )
    add = "INSERT INTO part SELECT $1, order_no, counts, n, touch_no, amount FROM"
    for name, (model, by) in COLUMNS.items():
        if model == "markov" and not reckoning.learned(by):
            con.execute(f"{add} part WHERE name = 'linear'", [name])
            continue
        reckoning.split(model, by)
        con.execute(f"{add} credit", [name])
    sums = ", ".join(f"coalesce(sum(amount) FILTER (WHERE name = '{c}'), 0)::BIGINT AS {c}" for c in COLUMNS)
    wide = sql("wide").format(window=window, keys=", ".join(KEYS), columns=", ".join(COLUMNS), sums=sums)
    copy(con, wide, file)


def copy(con: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write the rows of a query."""
    con.execute(f"COPY ({query}) TO {quoted(file)} (FORMAT parquet, COMPRESSION zstd)")


def settle(whole: Path, target: Path) -> int:
    """Make a finished file the one at `target`; a crash leaves the old one or the new one. Its size."""
    for path in (whole, beside(target)):
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    whole.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return target.stat().st_size


def sweep(folder: Path, before: float) -> None:
    """Remove what killed processes left in a folder: work that nobody has touched since `before`."""
    for left in folder.glob(f"{SCRATCH}*"):
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < before:
                shutil.rmtree(left, ignore_errors=True)


def beside(target: Path) -> Path:
    """The file of learned effects."""
    return target.with_suffix(".json")


def learned(reckoning: Reckoning) -> dict[str, dict[str, int]]:
    """As JSON: effects in billionths by window and key."""
    return {f"{window} {by}": known for (window, by), known in reckoning.effects.items() if known}


def effects_of(target: Path) -> dict[tuple[Window, By], dict[str, int]]:
    """The effects that a run learned; nothing where the file is gone or only half there."""
    try:
        kept = json.loads(beside(target).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    pairs = [(name.split(" "), known) for name, known in kept.items()]
    return {(cast("Window", window), cast("By", by)): known for (window, by), known in pairs}


def answer(file: Path, query: Query) -> tuple[Model, list[dict[str, object]]]:
    """Rows of sql/summary.sql, out of a run's file; the model that was really used."""
    name = column(query.model, query.by)
    asked = {"window": query.window, "show_id": query.show_id}
    words = {"unknown": UNKNOWN, "watched": WATCHED, "file": quoted(file)}
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=file.parent) as folder, connect(Path(folder)) as con:
        reckoning = Reckoning(con)
        for text in ("from_file", "watched_in_file"):
            con.execute(sql(text).format(key=query.by, column=name, **words), asked)
        used: Model = query.model
        if query.model == "markov" and (query.window, query.by) not in effects_of(file):
            used = "linear"
        return used, reckoning.summary(query)


def forget(file: Path, persons: Sequence[str], nobody: str) -> int:
    """Write the file anew with a name of nobody for these persons; how many rows had them."""
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=file.parent) as folder, connect(Path(folder)) as con:
        con.execute("CREATE TABLE gone AS SELECT unnest($1::VARCHAR[]) AS person", [list(persons)])
        rows = f"FROM read_parquet({quoted(file)})"
        count = con.execute(f"SELECT count(*) {rows} SEMI JOIN gone USING (person)").fetchone()
        if not count or not count[0]:
            return 0
        whole = Path(folder) / "whole.parquet"
        renamed = f"CASE WHEN person IN (FROM gone) THEN {quoted(nobody)} ELSE person END AS person"
        copy(con, f"SELECT * REPLACE ({renamed}) {rows}", whole)
        settle(whole, file)
    return int(count[0])


def aware(at: datetime | None) -> datetime | None:
    """As the hub writes times."""
    return at.replace(tzinfo=UTC) if at else None
