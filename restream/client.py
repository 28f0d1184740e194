"""Typed client of a media worker's control API; the hub's only way to talk to it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpx
import structlog
from pydantic import SecretStr, TypeAdapter, ValidationError

from restream.api import LiveSpec, LiveStatus, WorkerEvent

log = structlog.get_logger()

LIVES = TypeAdapter(list[LiveStatus])


class WorkerUnreachable(Exception):
    """The worker did not answer, or not as agreed."""


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
        """Send the whole wanted state; repeatable."""
        response = await self._call("PUT", f"/lives/{spec.slug}", revealed(spec.model_dump()))
        return LiveStatus.model_validate_json(response.content)

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

    async def _call(self, method: str, path: str, body: object = None) -> httpx.Response:
        try:
            response = await self._client.request(method, path, json=body)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise WorkerUnreachable(f"The media worker did not take {method} {path}: {error}") from error
        return response


def revealed(value: object) -> object:
    """A dump with its secrets in it. SecretStr hides them in every other; on this wire they are needed."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
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
