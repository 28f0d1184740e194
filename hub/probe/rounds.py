"""The verbs of probes that come again and again: where, when, and what each run found."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.service import digest
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import BadInput, Conflict, NotFound, SlowDown, Unauthorised
from hub.ids import new_id
from hub.jobs import defer
from hub.playback.service import STAFF, Playback
from hub.probe.asks import WORDS, NextShow, PlaceChange, PlaceIn, RunIn, RunOut
from hub.probe.client import Played, first, play_plainly
from hub.probe.models import ProbeKey, ProbePlace, ProbeRun
from hub.probe.playlist import moved
from hub.probe.reach import origin_of
from hub.quality.beacon import ADDRESS
from hub.shows.models import MediaWorker, Show

log = structlog.get_logger()

SECONDS: Final = 30.0
"""How long one run plays."""
TOO_LATE: Final = timedelta(hours=1)
"""A run that could not begin within its hour would say something of another hour."""
KEPT: Final = timedelta(days=180)
MOST_PLACES: Final = 50
MOST_RUNS: Final = 5_000
MOST_REPORTS: Final = 60
"""From one place in one hour."""
OLDEST_REPORT: Final = timedelta(days=1)
CLOCKS_DIFFER: Final = timedelta(minutes=5)
REPLAYS: Final = 10
"""Shows that are over among which one with a replay is looked for."""
NOTHING: Final = "There was nothing to play: no show was live, and none has a replay."
TOO_BUSY: Final = "The hub was too busy to begin within the hour."
BROKE: Final = "The probe itself broke off at something in the stream. The hub's log has more."

DUE: Final = text(
    """
    INSERT INTO probe_run (id, brand_id, place_id, state, source, how, due_at, at, local_hour, watched_ms,
                           stalls, stalled_ms)
    VALUES (:id, :brand_id, :place_id, 'waiting', 'hub', 'client', :due_at, :now, :local_hour, 0, 0, 0)
    ON CONFLICT (place_id, due_at) DO NOTHING RETURNING id
    """
)
RUNS: Final = text(
    """
    SELECT run.*, show.title AS show_title,
           stalled_ms::float / nullif(stalled_ms + watched_ms, 0) AS rebuffer_ratio
    FROM probe_run AS run LEFT JOIN show ON show.id = run.show_id
    WHERE run.brand_id = :brand_id AND run.state = 'done' AND run.at > :since
    ORDER BY run.at DESC, run.id LIMIT :limit
    """
)


class Probes:
    """Places and runs of brands. `own`: origins of this hub beside its media workers'."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        playback: Playback,
        seconds: float = SECONDS,
        own: Collection[str] = (),
    ) -> None:
        self._own = own
        self._db = db
        self._clock = clock
        self._playback = playback
        self._seconds = seconds

    # --- for the studio ---------------------------------------------------------------------------

    async def places(self, session: AsyncSession, brand_id: UUID) -> Sequence[ProbePlace]:
        """By name."""
        query = select(ProbePlace).where(col(ProbePlace.brand_id) == brand_id).order_by(col(ProbePlace.name))
        return (await session.exec(query)).all()

    async def add(self, session: AsyncSession, brand_id: UUID, wish: PlaceIn) -> ProbePlace:
        """A new place. Conflict `place_known` | `too_many_places`."""
        if len(await self.places(session, brand_id)) >= MOST_PLACES:
            raise Conflict("too_many_places", f"A brand has at most {MOST_PLACES} regions that are probed.")
        place = ProbePlace(brand_id=brand_id, created_at=self._clock(), **wish.model_dump())
        await self._keep(session, place)
        return place

    async def change(
        self, session: AsyncSession, brand_id: UUID, place_id: UUID, wish: PlaceChange
    ) -> ProbePlace:
        """What is named; `base_url` may be taken away. Raises NotFound, Conflict `place_known`."""
        place = await self._place(session, brand_id, place_id)
        for name, value in wish.model_dump(exclude_unset=True).items():
            if value is not None or name == "base_url":
                setattr(place, name, value)
        await self._keep(session, place)
        return place

    async def remove(self, session: AsyncSession, brand_id: UUID, place_id: UUID) -> None:
        """The place and its runs. Raises NotFound."""
        await session.delete(await self._place(session, brand_id, place_id))

    async def once(self, session: AsyncSession, brand_id: UUID, place_id: UUID) -> None:
        """A run as soon as may be; nothing while one waits. Raises NotFound."""
        place, now = await self._place(session, brand_id, place_id), self._clock()
        await session.refresh(place, with_for_update=True)  # of two who ask at a time, one plans
        waiting = select(ProbeRun.id).where(
            col(ProbeRun.place_id) == place.id,
            col(ProbeRun.state) == "waiting",
            col(ProbeRun.at) > now - TOO_LATE,  # a job that was given up must not stand in the way for ever
        )
        if (await session.exec(waiting)).first() is None:
            await self._plan(session, place, now, None)

    async def runs(self, session: AsyncSession, brand_id: UUID, days: int) -> list[RunOut]:
        """Those of the last days, the newest first, at most 5,000."""
        since = self._clock() - timedelta(days=days)
        values = {"brand_id": brand_id, "since": since, "limit": MOST_RUNS}
        return [RunOut.model_validate(dict(row)) for row in (await run(session, RUNS, values)).mappings()]

    async def token(self, session: AsyncSession, brand_id: UUID) -> str:
        """A new token for machines elsewhere; the one before is no longer good."""
        token = secrets.token_urlsafe(32)
        await session.merge(ProbeKey(brand_id=brand_id, token_hash=digest(token), made_at=self._clock()))
        return token

    # --- for machines elsewhere -------------------------------------------------------------------

    async def whose(self, session: AsyncSession, token: str) -> UUID:
        """The brand a token reports for. Raises Unauthorised."""
        query = select(ProbeKey.brand_id).where(col(ProbeKey.token_hash) == digest(token))
        brand_id = (await session.exec(query)).first()
        if brand_id is None:
            raise Unauthorised("token_unknown", "This probe token is not good. Make a new one in the studio.")
        return brand_id

    async def take(self, session: AsyncSession, brand_id: UUID, told: RunIn) -> None:
        """Keep what was found elsewhere. Raises NotFound (place, show), BadInput, SlowDown."""
        now = self._clock()
        at = told.at or now
        if not now - OLDEST_REPORT < at < now + CLOCKS_DIFFER:
            raise BadInput("report_old", "A report may be a day old at most. Check the machine's clock.")
        place = await self._named(session, brand_id, told.region)
        count = select(func.count()).where(
            col(ProbeRun.place_id) == place.id, col(ProbeRun.taken_at) > now - timedelta(hours=1)
        )
        if (await session.exec(count)).one() >= MOST_REPORTS:
            raise SlowDown("slow_down", "Too many reports from this region.", retry_after=600)
        session.add(
            ProbeRun(
                brand_id=brand_id,
                place_id=place.id,
                show_id=await self._show_id(session, brand_id, told.show),
                state="done",
                source="there",
                at=at,
                taken_at=now,
                local_hour=at.astimezone(ZoneInfo(place.zone)).hour,
                error=safe_words(told.error),
                **told.model_dump(exclude={"region", "show", "at", "error"}),
            )
        )

    async def next_show(self, session: AsyncSession, brand_id: UUID) -> tuple[Show, NextShow] | None:
        """The newest live show, else the newest that has a replay; None when there is neither."""
        query = (
            select(Show)
            .where(col(Show.brand_id) == brand_id, col(Show.state) != "scheduled")
            .order_by((col(Show.state) == "live").desc(), col(Show.live_at).desc().nulls_last())
            .limit(REPLAYS)
        )
        for show in (await session.exec(query)).all():
            found = await self._playback.play(session, show, STAFF, "probe")
            if found and found.hls_url and not found.paused:
                return show, NextShow(slug=show.slug, hls_url=found.hls_url, replay=found.replay)
        return None

    # --- by the clock -----------------------------------------------------------------------------

    async def find_due(self) -> None:
        """A run for every place whose hour it is, once; and runs that are too old forgotten. Repeatable."""
        now = self._clock()
        async with self._db.session() as session:
            query = select(ProbePlace).where(func.cardinality(col(ProbePlace.hours)) > 0)
            for place in (await session.exec(query)).all():
                local = now.astimezone(ZoneInfo(place.zone))
                if local.hour in place.hours:
                    due = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
                    await self._plan(session, place, now, due)
            await session.exec(delete(ProbeRun).where(col(ProbeRun.at) < now - KEPT))

    async def run(self, run_id: UUID) -> None:
        """The job. Whatever goes wrong with playing is what was found out."""
        async with self._db.session() as session:
            waiting = await session.get(ProbeRun, run_id)
            if waiting is None or waiting.state != "waiting":
                return
            place = await session.get_one(ProbePlace, waiting.place_id)
            found = await self.next_show(session, waiting.brand_id)
            workers = (await session.exec(select(MediaWorker.playback_url))).all()
        began = self._clock()
        if began - (waiting.due_at or waiting.at) > TOO_LATE:
            played = Played(error=TOO_BUSY)
        elif found is None:
            played = Played(error=NOTHING)
        else:
            played = await self._play(run_id, found[1].hls_url, place.base_url, {*self._own, *workers})
        async with self._db.session() as session:
            done = await session.get(ProbeRun, run_id, with_for_update=True)
            if done is None:
                return  # the place was removed meanwhile
            done.state, done.at = "done", began
            done.local_hour = began.astimezone(ZoneInfo(place.zone)).hour
            done.show_id = found[0].id if found else None
            for name, value in vars(played).items():
                setattr(done, name, value)

    async def _play(self, run_id: UUID, url: str, base_url: str | None, own: Collection[str]) -> Played:
        """How the show at `url` plays, from `base_url` if there is one. Raises nothing: all brands wait."""
        try:
            known = base_url is None or origin_of(base_url) in {origin_of(one) for one in (url, *own)}
            there = moved(url, base_url, known=known)
            return await play_plainly(there, self._seconds, self._clock, own=own)
        except Exception as error:  # noqa: BLE001 - a supervisor: what a server may say has no end
            # Without its words: they may hold an address with a token in it.
            log.error("probe.broke", run=str(run_id), why=type(first(error)).__name__)
            return Played(error=BROKE)

    async def _plan(
        self, session: AsyncSession, place: ProbePlace, now: datetime, due: datetime | None
    ) -> None:
        """A run and its job; nothing when there is one for this hour."""
        values = {
            "id": new_id(),
            "brand_id": place.brand_id,
            "place_id": place.id,
            "due_at": due,
            "now": now,
            "local_hour": now.astimezone(ZoneInfo(place.zone)).hour,
        }
        row = (await run(session, DUE, values)).first()
        if row:
            # One after another: two at a time would share this machine's line, and each would blame a region.
            await defer(session, "probe.run", lock="probe.run", probe_id=str(row.id))

    async def _keep(self, session: AsyncSession, place: ProbePlace) -> None:
        try:
            async with session.begin_nested():
                session.add(place)
        except IntegrityError:
            raise Conflict("place_known", "There is a region of this name already.") from None

    async def _place(self, session: AsyncSession, brand_id: UUID, place_id: UUID) -> ProbePlace:
        place = await session.get(ProbePlace, place_id)
        if place is None or place.brand_id != brand_id:
            raise NotFound("place_unknown", "There is no such region.")
        return place

    async def _named(self, session: AsyncSession, brand_id: UUID, name: str) -> ProbePlace:
        query = select(ProbePlace).where(
            col(ProbePlace.brand_id) == brand_id, func.lower(col(ProbePlace.name)) == name.lower()
        )
        place = (await session.exec(query)).first()
        if place is None:
            raise NotFound("place_unknown", f"There is no region called {name}. Add it in the studio first.")
        return place

    async def _show_id(self, session: AsyncSession, brand_id: UUID, slug: str | None) -> UUID | None:
        if slug is None:
            return None
        query = select(Show.id).where(col(Show.brand_id) == brand_id, col(Show.slug) == slug)
        found = (await session.exec(query)).first()
        if found is None:
            raise NotFound("show_unknown", "There is no show at this address.")
        return found


def safe_words(error: str | None) -> str | None:
    """What a machine elsewhere said, without addresses: they may carry a token."""
    return "".join(filter(str.isprintable, ADDRESS.sub("…", error or "")))[:WORDS] or None
