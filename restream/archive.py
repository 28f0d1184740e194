"""What the hub can ask about a show that runs or ran: health and delays over time, recordings, clips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from restream.api import ClipWish, Delay, HealthSample, RecordingInfo
from restream.control import refused
from restream.observer import Observer
from restream.record.clips import NotCut
from restream.record.library import Library
from restream.record.pictures import NoPicture
from restream.worker import Worker

SAMPLES: Final = TypeAdapter(list[HealthSample])
DELAYS: Final = TypeAdapter(list[Delay])
RECORDINGS: Final = TypeAdapter(list[RecordingInfo])
MOMENT: Final = TypeAdapter(AwareDatetime)


class BadMoment(ValueError):
    """A time that is none."""


class Archive:
    """`routes` go into the control API."""

    def __init__(self, worker: Worker, library: Library) -> None:
        self._worker = worker
        self._library = library
        self.routes = [
            Route("/lives/{slug}/health", self._of_show(self._health)),
            Route("/lives/{slug}/delays", self._of_show(self._delays)),
            Route("/lives/{slug}/delays", self._of_show(self._note_delay), methods=["POST"]),
            Route("/lives/{slug}/picture", self._of_show(self._picture)),
            Route("/lives/{slug}/recordings", answered(self._recordings)),
            Route("/lives/{slug}/clips", answered(self._clip), methods=["POST"]),
            Route("/lives/{slug}/clips/{name}", answered(self._clip_file)),
            Route("/lives/{slug}/thumbnail", answered(self._thumbnail)),
        ]

    def _of_show(
        self, answer: Callable[[Observer, Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """For what only a show that is on this worker knows."""

        async def found(request: Request) -> Response:
            programme = self._worker.programme(request.path_params["slug"])
            if programme is None:
                return refused(404, "This show is not on this worker.")
            return await answer(programme.observer, request)

        return answered(found)

    async def _health(self, observer: Observer, request: Request) -> Response:
        return json(SAMPLES, observer.samples(moment(request, "since")))

    async def _delays(self, observer: Observer, request: Request) -> Response:
        destination = request.query_params.get("destination")
        if destination is None:
            return json(DELAYS, observer.delays())
        return json(DELAYS, observer.delay_series(destination, moment(request, "since")))

    async def _note_delay(self, observer: Observer, request: Request) -> Response:
        delay = Delay.model_validate_json(await request.body())
        observer.note_delay(delay.destination, delay.ms, delay.way)
        return Response(status_code=204)

    async def _picture(self, observer: Observer, _: Request) -> Response:
        picture = await observer.picture()
        if picture is None:
            return refused(404, "No picture has come yet.")
        return Response(picture, media_type="image/jpeg")

    async def _recordings(self, request: Request) -> Response:
        return json(RECORDINGS, await self._library.recordings(request.path_params["slug"]))

    async def _clip(self, request: Request) -> Response:
        wish = ClipWish.model_validate_json(await request.body())
        clip = await self._library.clip(request.path_params["slug"], wish.begins_at, wish.ends_at)
        return Response(clip.model_dump_json(), 201, media_type="application/json")

    async def _clip_file(self, request: Request) -> Response:
        path = self._library.clip_path(request.path_params["slug"], request.path_params["name"])
        if not path.is_file():
            return refused(404, "There is no such clip.")
        return FileResponse(path, media_type="video/mp4")

    async def _thumbnail(self, request: Request) -> Response:
        at = moment(request, "at") or datetime.now(UTC)
        picture = await self._library.thumbnail(request.path_params["slug"], at)
        return Response(picture, media_type="image/jpeg")


def answered(
    answer: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """The answer, or a sentence for what went wrong with the question."""

    async def careful(request: Request) -> Response:
        try:
            return await answer(request)
        except ValidationError as error:
            return refused(422, f"The body makes no sense ({error.error_count()} problems).")
        except NoPicture as error:
            return refused(404, str(error))
        except NotCut as error:
            return refused(409, str(error))
        except ValueError as error:
            return refused(422, str(error))

    return careful


def moment(request: Request, name: str) -> datetime | None:
    """A time in the query, with its zone. Raises BadMoment."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        return MOMENT.validate_python(given.replace(" ", "+"))
    except ValidationError:
        raise BadMoment(f"`{name}` is a time such as 2026-01-31T20:00:00Z.") from None


def json(kind: TypeAdapter[Any], value: object) -> Response:
    """A value as JSON."""
    return Response(kind.dump_json(value), media_type="application/json")
