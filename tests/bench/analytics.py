"""Analytics over many rows: the funnel and the retention curve of 10 million viewer events, beside PostgreSQL
with the same events in the same run; and every attribution model over a million touches."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import text

from hub.attribution import files
from hub.attribution.extract import Scope, extract, load
from hub.attribution.reckoning import COLUMNS, Reckoning, connect
from hub.attribution.runs import Runs
from hub.attribution.service import Attribution
from hub.attribution.words import KEYS, MODELS, WINDOWS, Model, Query
from hub.clock import wall_clock
from hub.db import Database
from hub.db import run as execute
from hub.engines.postgres import Postgres
from hub.events.log import EventLog
from hub.migrate import migrate
from tests.bench.analytics_data import (
    BRAND,
    EVENTS,
    FUNNEL,
    POSTGRES_FUNNEL,
    POSTGRES_RETENTION,
    RETENTION,
    make_events,
    make_touches,
    put_attribution,
    put_events,
)
from tests.bench.rows import CannotMeasure, Row, median, row

RUNS: Final = 3
FUNNEL_BAR: Final = 1.0
RETENTION_BAR: Final = 2.0
MODEL_BAR: Final = 10.0
LIVE_TOUCHES: Final = 10_000
LIVE_BAR: Final = 0.3
"""Somebody has changed the model and looks at the page."""


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of runs, rows)."""
    part = 10 if quick else 1
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder:
        return RUNS, asyncio.run(measure(Path(folder), EVENTS // part, 1_000_000 // part))


async def measure(folder: Path, events: int, touches: int) -> list[Row]:
    """All rows; one PostgreSQL serves both halves."""
    log = EventLog(folder / "events")
    await asyncio.to_thread(make_events, log, events)
    await asyncio.to_thread(make_touches, folder, touches)
    postgres = Postgres(folder)
    child = await postgres.start()
    try:
        await migrate(postgres.url)
        return [
            *await of_events(log, postgres.url, events),
            *await of_live(folder / "live", postgres.url),
            *await of_models(folder, postgres.url, touches),
        ]
    finally:
        await child.stop()


async def of_events(log: EventLog, url: str, events: int) -> list[Row]:
    """Funnel and retention, ours and PostgreSQL's; their answers must be the same."""
    loaded = await put_events(log, url)
    case = f"{events:,} viewer events"
    view = log.view(BRAND)
    questions = (
        ("funnel by show", FUNNEL, POSTGRES_FUNNEL, FUNNEL_BAR),
        ("retention curve", RETENTION, POSTGRES_RETENTION, RETENTION_BAR),
    )
    found = []
    connection = await asyncpg.connect(url)
    # What a report would be given: room for its sorts, and every core there is.
    await connection.execute("SET work_mem = '256MB'")
    try:
        for name, ours, peers, bar in questions:
            mine, theirs = [], []
            for _ in range(RUNS):
                took, answer = await asyncio.to_thread(timed, asked, log, ours.format(events=view))
                begun = time.perf_counter()
                other = [tuple(line) for line in await connection.fetch(peers, timeout=1200)]
                theirs.append(time.perf_counter() - begun)
                mine.append(took)
                if answer != other:
                    raise CannotMeasure(f"DuckDB and PostgreSQL disagree about the {name}.")
            value = median(mine)
            found.append(
                row(
                    case, name, "s", value, {"PostgreSQL": median(theirs)}, bar=f"<= {bar:g}", ok=value <= bar
                )
            )
    finally:
        await connection.close()
    size = sum(path.stat().st_size for path in log.folder.rglob("*.parquet")) / 1e6
    table = loaded["bytes"] / 1e6
    found.append(row(case, "on the disk", "MB", size, {"PostgreSQL": table}, bar="-", ok=True))
    return found


def asked(log: EventLog, query: str) -> list[tuple[Any, ...]]:
    """The rows, from a fresh connection: opening the files is part of it."""
    with log.connect() as con:
        con.execute("SET enable_progress_bar = false")  # standard output is for the result
        return con.execute(query).fetchall()


def timed(ask: Callable[..., Any], *about: Any) -> tuple[float, Any]:
    """(seconds, answer)."""
    begun = time.perf_counter()
    answer = ask(*about)
    return time.perf_counter() - begun, answer


async def of_models(folder: Path, url: str, touches: int) -> list[Row]:
    """Each model from Parquet to the answer; and once from PostgreSQL, by COPY."""
    case = f"{touches:,} touches, {touches // 10:,} orders"
    found = []
    answers: dict[Model, list[dict[str, Any]]] = {}
    for model in MODELS:
        times = []
        for _ in range(RUNS):
            took, (used, answers[model]) = await asyncio.to_thread(timed, credited, folder, model)
            if used != model:
                raise CannotMeasure(f"There was too little to learn {model} from.")
            times.append(took)
        exact = sums_of(answers[model]) == money_of(folder)
        value = median(times)
        found.append(
            row(case, model, "s", value, {}, bar=f"<= {MODEL_BAR:g}", ok=exact and value <= MODEL_BAR)
        )
    took = await asyncio.to_thread(whole_run, folder)
    everything = f"a whole run: {len(MODELS)} models, {len(WINDOWS)} windows, {len(KEYS)} keys"
    found.append(row(case, everything, "s", took, {}, bar="-", ok=True))
    brand = await put_attribution(folder, url)
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        rows = await from_postgres(folder, url, brand)
        times.append(time.perf_counter() - begun)
        if rows != answers["last_non_direct"]:
            raise CannotMeasure("The tables and the files disagree about the credits.")
    found.append(
        row(case, "last_non_direct, with COPY from PostgreSQL", "s", median(times), {}, bar="-", ok=True)
    )
    return found


async def of_live(folder: Path, url: str) -> list[Row]:
    """An answer that is reckoned while somebody waits, from the tables, as the page of channels asks."""
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread(make_touches, folder, LIVE_TOUCHES)
    brand = await put_attribution(folder, url)
    medians: dict[Model, float] = {}
    async with Database(url) as db:
        service = Attribution(wall_clock, folder, Runs(db, wall_clock, folder))
        for model in MODELS:
            times = []
            for _ in range(RUNS):
                begun = time.perf_counter()
                async with db.session() as session:
                    answer = await service.answer(session, brand, Query(model=model, window="30d"))
                times.append(time.perf_counter() - begun)
                if answer.version != "live":
                    raise CannotMeasure("The answer was not live.")
            medians[model] = median(times)
        async with db.session() as session:
            # The same ids come again with the million.
            await execute(session, text("TRUNCATE touch, orders, refund CASCADE"))
    case = f"live, {LIVE_TOUCHES:,} touches"
    slowest = max(medians, key=lambda model: medians[model])
    bar = f"<= {LIVE_BAR:g}"
    shown: list[tuple[str, Model]] = [
        ("last_non_direct", "last_non_direct"),
        (f"the slowest model ({slowest})", slowest),
    ]
    return [
        row(case, name, "s", medians[model], {}, bar=bar, ok=medians[model] <= LIVE_BAR)
        for name, model in shown
    ]


def whole_run(folder: Path) -> float:
    """Every model, window and key into one file, as a run writes it: seconds."""

    def made(con: Any) -> None:
        for name in COLUMNS:
            con.execute(f"CREATE TABLE {name} AS FROM '{folder / name}.parquet'")

    begun = time.perf_counter()
    nothing = EventLog(folder / "no events").view(BRAND)
    files.write(made, nothing, folder / "run.parquet", lambda step, percent: None)
    return time.perf_counter() - begun


def credited(folder: Path, model: Model) -> tuple[Model, list[dict[str, Any]]]:
    """One model over the Parquet files, in the 30 days' window."""
    with connect(folder) as con:
        for name in COLUMNS:
            con.execute(f"CREATE TABLE {name} AS FROM '{folder / name}.parquet'")
        return Reckoning(con).answer(Query(model=model, window="30d"))


async def from_postgres(folder: Path, url: str, brand: UUID) -> list[dict[str, Any]]:
    """The default model, extraction included."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        async with Database(url) as db, db.session() as session:
            await extract(session, Scope(brand), Path(place))

        def reckon() -> list[dict[str, Any]]:
            with connect(Path(place)) as con:
                load(con, Path(place))
                return Reckoning(con).answer(Query(window="30d"))[1]

        return await asyncio.to_thread(reckon)


def sums_of(rows: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Of an answer, by currency: (net money, millionths of orders)."""
    found: dict[str, tuple[int, int]] = {}
    for line in rows:
        if line["currency"]:
            minor, parts = found.get(line["currency"], (0, 0))
            found[line["currency"]] = (minor + line["credit_minor"], parts + line["millionths"])
    return found


def money_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Of the orders themselves."""
    with connect() as con:
        rows = con.execute(
            f"""
            SELECT currency, sum(amount)::BIGINT, 1000000 * count(DISTINCT order_id)
            FROM '{folder / "order_money"}.parquet' JOIN '{folder / "orders"}.parquet' USING (order_id)
            GROUP BY currency
            """  # noqa: S608 - paths of ours
        ).fetchall()
    return {currency: (minor, parts) for currency, minor, parts in rows}
