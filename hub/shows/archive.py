"""What a show's media worker knows over time: the feed's history, delays, recordings, clips, pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import httpx
import structlog
from pydantic import BaseModel, SecretStr

from hub.db import Database
from hub.errors import Conflict, NotFound, Unavailable
from hub.shows.clips import ClipIn, ClipOut
from hub.shows.media import Media
from hub.shows.models import MediaWorker, Show
from hub.shows.service import Shows
from restream.api import Delay, HealthSample, RecordingInfo, uplink_token
from restream.client import NotPossible, WorkerClient, WorkerUnreachable

log = structlog.get_logger()


class UplinkOut(BaseModel):
    """`POST` random bytes to `url` with the token as bearer; it opens nothing else. Answers a sentence."""

    url: str
    token: str


class Archive:
    """Questions to the worker of one show of one brand. All raise NotFound for a show that is another's."""

    def __init__(self, db: Database, shows: Shows, media: Media, token: SecretStr) -> None:
        self._db = db
        self._shows = shows
        self._media = media
        self._token = token

    async def health(self, brand_id: UUID, show_id: UUID, since: datetime | None) -> list[HealthSample]:
        """The feed over time."""
        async with self._asked(brand_id, show_id) as (show, client):
            return await client.health(show.slug, since)

    async def delays(
        self, brand_id: UUID, show_id: UUID, destination: str | None, since: datetime | None
    ) -> list[Delay]:
        """How late every destination is now, or one of them over time."""
        async with self._asked(brand_id, show_id) as (show, client):
            return await client.delays(show.slug, destination, since)

    async def recordings(self, brand_id: UUID, show_id: UUID) -> list[RecordingInfo]:
        """The files of the show's recording, the oldest first."""
        async with self._asked(brand_id, show_id) as (show, client):
            return await client.recordings(show.slug)

    async def clip(self, brand_id: UUID, show_id: UUID, wish: ClipIn) -> ClipOut:
        """Cut a piece out of the recording. Raises Conflict with the worker's sentence."""
        async with self._asked(brand_id, show_id) as (show, client):
            try:
                return ClipOut.of(show, await client.clip(show.slug, wish.moments(show)))
            except NotPossible as error:
                raise Conflict("clip_impossible", str(error)) from error

    async def clip_file(self, brand_id: UUID, show_id: UUID, name: str) -> AsyncIterator[bytes]:
        """A clip's bytes, piece by piece."""
        async with (
            self._asked(brand_id, show_id) as (show, client),
            client.clip_file(show.slug, name) as pieces,
        ):
            async for piece in pieces:
                yield piece

    async def picture(self, brand_id: UUID, show_id: UUID, at: datetime | None) -> bytes:
        """A JPEG of what is sent now, or of a recorded moment."""
        async with self._asked(brand_id, show_id) as (show, client):
            picture = await client.picture(show.slug, at)
        if picture is None:
            raise NotFound("no_picture", "There is no picture of this moment." if at else "No picture yet.")
        return picture

    async def uplink(self, brand_id: UUID, show_id: UUID) -> UplinkOut:
        """Where the show's staff may measure their upload. The worker itself is not asked."""
        show, worker = await self._found(brand_id, show_id)
        token = uplink_token(self._token.get_secret_value(), show.slug)
        return UplinkOut(url=f"{worker.playback_url}/uplink", token=token)

    async def _found(self, brand_id: UUID, show_id: UUID) -> tuple[Show, MediaWorker]:
        async with self._db.session() as session:
            show = await self._shows.get(session, brand_id, show_id)
            worker = await session.get(MediaWorker, show.media_worker_id) if show.media_worker_id else None
        if worker is None:
            raise Unavailable(
                "media_away", "No media server has this show yet. Try again in a minute.", retry_after=10
            )
        return show, worker

    @asynccontextmanager
    async def _asked(self, brand_id: UUID, show_id: UUID) -> AsyncIterator[tuple[Show, WorkerClient]]:
        """No database connection is held while the worker thinks."""
        show, worker = await self._found(brand_id, show_id)
        client = self._media.client(worker)
        try:
            yield show, client
        except NotPossible as error:
            raise NotFound("not_kept", str(error)) from error
        except (WorkerUnreachable, httpx.HTTPError) as error:
            log.warning("media.no_answer", slug=show.slug, why=str(error))
            raise Unavailable(
                "media_away", "The media server does not answer. Try again in a moment.", retry_after=5
            ) from error
        finally:
            await client.close()
