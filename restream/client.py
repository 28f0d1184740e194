"""Typed client of a media worker's control API; the hub's only way to talk to it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import structlog
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from restream.api import (
    Clip,
    ClipWish,
    Delay,
    HealthSample,
    LiveSpec,
    LiveStatus,
    PlanStatus,
    RecordingInfo,
    WorkerEvent,
)

log = structlog.get_logger()

LIVES = TypeAdapter(list[LiveStatus])
SAMPLES = TypeAdapter(list[HealthSample])
DELAYS = TypeAdapter(list[Delay])
RECORDINGS = TypeAdapter(list[RecordingInfo])
REFUSALS = (404, 409, 422)
CLIP_SECONDS = 60.0


class WorkerUnreachable(Exception):
    """The worker did not answer, or not as agreed."""


class AssetsMissing(Exception):
    """The worker lacks these assets of a wanted state: `put_asset` each of them, then `put` again."""

    def __init__(self, shas: list[str]) -> None:
        super().__init__(f"The media worker lacks {len(shas)} of the show's pictures.")
        self.shas = shas


class Missing(BaseModel):
    """How a worker names the assets it lacks: the body of a 409."""

    missing: list[str]


class NotPossible(Exception):
    """The worker says no; the sentence is for people."""


class Refusal(BaseModel):
    """The body of an answer that is none."""

    error: str


class WorkerClient:
    """`address` is the control address, for example http://127.0.0.1:8083."""

    def __init__(self, address: str, token: str, timeout: float = 5.0) -> None:
        self._client = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            # Without TLS there is nothing to trust, and loading the authorities takes a fifth of a second.
            verify=address.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def put(self, spec: LiveSpec) -> LiveStatus:
        """Send the whole wanted state; repeatable. Raises AssetsMissing."""
        path = f"/lives/{spec.slug}"
        try:
            response = await self._call("PUT", path, json=revealed(spec.model_dump()))
        except WorkerUnreachable as error:
            if missing := missing_in(error.__cause__):
                raise AssetsMissing(missing) from error
            raise
        return LiveStatus.model_validate_json(response.content)

    async def put_asset(self, sha: str, data: bytes) -> None:
        """Hand over the bytes of an asset, `sha` being their SHA-256 in hex; repeatable."""
        await self._call("PUT", f"/assets/{sha}", content=data)

    async def plan(self, spec: LiveSpec) -> PlanStatus:
        """What this wanted state's profiles would cost on the worker's machine; changes nothing."""
        response = await self._call("POST", "/plan", json=revealed(spec.model_dump()))
        return PlanStatus.model_validate_json(response.content)

    async def health(self, slug: str, since: datetime | None = None) -> list[HealthSample]:
        """A show's feed over time, from a moment on."""
        found = await self._ask("GET", f"/lives/{slug}/health", params=moment("since", since))
        return SAMPLES.validate_json(found.content)

    async def delays(
        self, slug: str, destination: str | None = None, since: datetime | None = None
    ) -> list[Delay]:
        """How late every destination is now, or one of them over time."""
        params = moment("since", since) | ({"destination": destination} if destination else {})
        return DELAYS.validate_json((await self._ask("GET", f"/lives/{slug}/delays", params=params)).content)

    async def note_delay(self, slug: str, delay: Delay) -> None:
        """What a platform or a player says of its delay."""
        await self._ask("POST", f"/lives/{slug}/delays", json=delay.model_dump(mode="json"))

    async def recordings(self, slug: str) -> list[RecordingInfo]:
        """The files of a show's recording, the oldest first."""
        return RECORDINGS.validate_json((await self._ask("GET", f"/lives/{slug}/recordings")).content)

    async def clip(self, slug: str, wish: ClipWish) -> Clip:
        """Cut a piece out of the recording; takes some seconds. Raises NotPossible with a sentence."""
        body = wish.model_dump(mode="json")
        found = await self._ask("POST", f"/lives/{slug}/clips", json=body, timeout=CLIP_SECONDS)
        return Clip.model_validate_json(found.content)

    @asynccontextmanager
    async def clip_file(self, slug: str, name: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A clip's bytes, piece by piece. Raises NotPossible when there is none."""
        path = f"/lives/{slug}/clips/{name}"
        try:
            async with self._client.stream("GET", path) as response:
                if response.status_code in REFUSALS:
                    raise NotPossible("There is no such clip.")
                response.raise_for_status()
                yield response.aiter_bytes()
        except httpx.HTTPError as error:
            raise WorkerUnreachable(f"The media worker did not give GET {path}: {error}") from error

    async def picture(self, slug: str, at: datetime | None = None) -> bytes | None:
        """A JPEG of what is sent now, or of a recorded moment; None when there is none."""
        path = f"/lives/{slug}/thumbnail" if at else f"/lives/{slug}/picture"
        try:
            found = await self._ask("GET", path, params=moment("at", at), timeout=CLIP_SECONDS)
        except NotPossible:
            return None
        return found.content

    async def lives(self) -> list[LiveStatus]:
        """Every show on the worker."""
        return LIVES.validate_json((await self._call("GET", "/lives")).content)

    async def events(self, after: int = 0) -> AsyncIterator[WorkerEvent]:
        """News after sequence number `after`, for ever; raises WorkerUnreachable when the worker goes."""
        try:
            async with self._client.stream(
                "GET", "/events", params={"after": after}, timeout=httpx.Timeout(5.0, read=30.0)
            ) as response:
                response.raise_for_status()
                async for line in response.aiter_lines():
                    event = parsed(line)
                    if event:
                        yield event
        except httpx.HTTPError as error:
            raise WorkerUnreachable(f"The media worker's news broke off: {error}") from error

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Like `_call`, for questions that may have no answer. Raises NotPossible with the sentence."""
        try:
            return await self._call(method, path, **more)
        except WorkerUnreachable as error:
            if sentence := refusal_in(error.__cause__):
                raise NotPossible(sentence) from error
            raise

    async def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            response = await self._client.request(method, path, **more)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise WorkerUnreachable(f"The media worker did not take {method} {path}: {error}") from error
        return response


def moment(name: str, at: datetime | None) -> dict[str, str]:
    """A time as a query parameter."""
    return {name: at.isoformat()} if at else {}


def refusal_in(error: BaseException | None) -> str | None:
    """The sentence with which the worker refuses what it understood."""
    if not isinstance(error, httpx.HTTPStatusError) or error.response.status_code not in REFUSALS:
        return None
    try:
        return Refusal.model_validate_json(error.response.content).error
    except ValidationError:
        return None


def missing_in(error: BaseException | None) -> list[str]:
    """The assets a refusal names; empty when it is about something else."""
    if not isinstance(error, httpx.HTTPStatusError) or error.response.status_code != 409:
        return []
    try:
        return Missing.model_validate_json(error.response.content).missing
    except ValidationError:
        return []


def revealed(value: object) -> object:
    """A dump for JSON with its secrets in it. SecretStr hides them in every other; this wire needs them."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: revealed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [revealed(one) for one in value]
    return value


def parsed(line: str) -> WorkerEvent | None:
    """One line of news; None for a sign of life, and for what a worker of another version may say."""
    if not line:
        return None
    try:
        return WorkerEvent.model_validate_json(line)
    except ValidationError as error:
        log.warning("media.unreadable_news", problems=error.error_count())
        return None
