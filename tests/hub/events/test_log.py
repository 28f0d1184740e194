"""The files: one for each show in the end, true to their rows, without whoever asked to be forgotten."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import select

from hub.db import Database, run
from hub.events import personal
from hub.events.log import NAMES, EventLog
from hub.events.models import EventFile
from hub.events.schema import Apart
from hub.events.sealer import Sealer
from hub.events.service import Events
from hub.events.stream import EventStream
from hub.ids import new_id
from hub.privacy.who import Who
from tests.hub.events.stage import Evening, open_evening, rows_of, some_events
from tests.hub.shop import SetClock


@pytest.fixture
async def events(db: Database, clock: SetClock, nats_url: str, tmp_path: Path) -> AsyncIterator[Events]:
    async with EventStream(nats_url) as stream:
        yield Events(db, clock, stream, tmp_path / "events")


async def tell(events: Events, evening: Evening, viewer: str, count: int = 3) -> None:
    """A viewer does something, and it is sealed."""
    frame = {"t": "events", "n": 1, "events": some_events(count, "product_click")}
    await events.keep(evening.viewer(viewer), json.dumps(frame).encode())
    await events.sealer.seal()


async def noted(db: Database) -> dict[str, EventFile]:
    async with db.session() as session:
        return {row.path: row for row in await session.exec(select(EventFile))}


def on_disk(log: EventLog) -> set[str]:
    return {str(path.relative_to(log.folder)) for path in log.folder.glob("*/*/*.parquet")}


async def test_a_show_that_is_over_becomes_one_file_and_rows_say_what_is_on_the_disk(
    db: Database, clock: SetClock, events: Events
) -> None:
    evening, log = await open_evening(db), events.log
    for name in ("ana", "bo", "cy"):
        await tell(events, evening, name)
    before = rows_of(log, evening, NAMES, 'ORDER BY "at", id')
    assert await events.tidy() == 0  # it is still on
    async with db.session() as session:
        over = text("UPDATE show SET state = 'ended', ended_at = :now WHERE id = :id")
        await run(session, over, {"now": clock(), "id": evening.show_id})
        # Died between a file and its row, and between a file's end and its row's.
        await run(session, text("DELETE FROM event_file WHERE path = (SELECT min(path) FROM event_file)"))
    assert await events.tidy() == 0  # the last events may be on their way
    assert set(await noted(db)) == on_disk(log)
    clock.tick(180)
    assert await events.tidy() == 1
    assert len(on_disk(log)) == 4  # somebody may be reading the old ones
    assert rows_of(log, evening, NAMES, 'ORDER BY "at", id') == before
    clock.tick(61)
    assert await events.tidy() == 0
    [(path, row)] = (await noted(db)).items()
    assert on_disk(log) == {path}
    whole = (log.folder / path).read_bytes()
    assert (row.sha256, row.rows) == (hashlib.sha256(whole).hexdigest(), 9)
    assert rows_of(log, evening, NAMES) == before
    await tell(events, evening, "late")
    assert await events.tidy() == 1
    assert len(rows_of(log, evening, "id")) == 12
    out = log.folder.parent / "out.csv"
    log.export(evening.brand_id, evening.show_id, out)
    assert len(out.read_text().splitlines()) == 13


async def test_one_process_closes_a_shows_files_and_brings_what_was_passed_over_once(
    db: Database, clock: SetClock, events: Events
) -> None:
    evening, asked = await open_evening(db), []

    async def copy(show_id: UUID) -> int:
        asked.append(show_id)
        return 0

    await tell(events, evening, "ana")
    async with db.session() as session:
        over = text("UPDATE show SET state = 'ended', ended_at = :now WHERE id = :id")
        await run(session, over, {"now": clock(), "id": evening.show_id})
    clock.tick(180)
    for _ in range(2):
        assert await events.sealer.tidy(copy) == 0  # one file it is already
    other = Sealer(db, events.stream, events.log, clock)
    assert await other.tidy(copy) == 0
    assert asked == [evening.show_id]
    # Days later each refund does not cost the whole show once more.
    clock.tick(3 * 24 * 3600)
    await tell(events, evening, "late")
    assert await events.tidy() == 0
    assert len(on_disk(events.log)) == 2


async def test_who_is_forgotten_is_in_no_file_and_not_in_the_stream_and_the_figures_stay(
    db: Database, events: Events
) -> None:
    evening, log = await open_evening(db), events.log
    ana, bo = uuid4().hex, uuid4().hex
    for viewer in (ana, bo, ana):
        await tell(events, evening, viewer)
    newer = Apart(v=9, id=new_id(), brand_id=evening.brand_id, show_id=evening.show_id, viewer_id=ana)
    await events.stream.keep([newer])
    await events.sealer.seal()
    assert [seq for seq, _ in log.apart(evening.brand_id, evening.show_id)]
    who = Who(evening.brand_id, visitor_ids=(ana,), folder=log.folder.parent)
    async with db.session() as session:
        handed = (await personal.export(session, who))["viewer_event"]
        assert [row["viewer_id"] for row in handed] == [ana] * 6
        assert (await personal.erase(session, who)) == {"viewer_event": 6}
        assert (await personal.erase(session, who)) == {"viewer_event": 0}
        assert (await personal.export(session, who)) == {"viewer_event": []}
        jobs = (await run(session, text("SELECT task_name FROM procrastinate_jobs"))).all()
        assert {job[0] for job in jobs} == {"events.forget"}
    assert await events.tidy() == 0
    assert set(await noted(db)) == on_disk(log) != set()  # though all its rows had gone
    # The stream still had all of it, which must not come back from there.
    assert await events.forget(evening.brand_id, [ana]) == 6
    assert log.count_of(evening.brand_id, evening.show_id, [ana]) == 0
    assert await events.forget(evening.brand_id, [ana]) == 0
    assert [*log.apart(evening.brand_id, evening.show_id)] == []
    assert [page async for page in events.stream.of_show(evening.brand_id, evening.show_id)] == []
    counts = dict(rows_of(log, evening, "viewer_id, count(*)", "GROUP BY viewer_id"))
    assert sorted(counts.values()) == [3, 6]
    assert counts[bo] == 3
    assert ana not in counts
    # What was in the stream alone is forgotten there, too.
    frame = {"t": "events", "n": 1, "events": some_events(2)}
    await events.keep(evening.viewer(ana), json.dumps(frame).encode())
    assert await events.forget(evening.brand_id, [ana]) == 2
    assert rows_of(log, evening, "count(*), count(visit)") == [(11, 0)]
    assert await events.sealer.seal() == 0


def test_a_log_without_files_is_an_empty_relation(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    assert rows_of(log, Evening(uuid4(), uuid4(), ""), NAMES) == []
    with log.connect() as db:
        query = f'SELECT sum(value_minor), min("at") FROM {log.view(uuid4())}'  # noqa: S608
        assert db.execute(query).fetchall() == [(None, None)]
