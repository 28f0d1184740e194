"""HTTP as the outside world speaks it: the demo's producer, buyers and viewers are plain clients."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Any, Final

import httpx

PATIENCE: Final = 30
"""How often somebody asks again who was told that the shop is busy."""


class Outside:
    """One person with one cookie jar. Answers are JSON; a status outside `ok` raises Unexpected."""

    def __init__(
        self, base_url: str, headers: dict[str, str] | None = None, *, patience: int = PATIENCE
    ) -> None:
        self.base_url = base_url
        self._patience = patience
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers=headers,
            timeout=15.0,
            limits=httpx.Limits(max_connections=100),
            # Everything here is plain HTTP; each of the many people would load the authorities anew.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    async def __aenter__(self) -> Outside:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def call(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        ok: tuple[int, ...] = (200, 201, 202, 204),
        headers: dict[str, str] | None = None,
        repeatable: bool = True,
    ) -> Any:
        """The parsed answer, None when there is none; with `ok` including an error status, its problem.

        Whoever finds the shop away (503, no connection) tries again: nothing was changed. An answer that
        is lost on its way is asked for again only if that is harmless (`repeatable`).
        """
        response = await self._until_answered(method, path, repeatable, json=json, headers=headers)
        if response.status_code not in ok:
            raise Unexpected(f"{method} {path} answered {response.status_code}: {response.text[:300]}")
        return response.json() if response.content else None

    async def follow(self, path: str) -> str:
        """Where a link leads."""
        response = await self._until_answered("GET", path, repeatable=True)
        if response.status_code != 302:
            raise Unexpected(f"GET {path} answered {response.status_code}, not a redirect")
        return response.headers["location"]

    async def read(self, path: str) -> bytes:
        """A body as it is."""
        try:
            response = await self._client.get(path)
        except httpx.TransportError as error:
            raise Unexpected(f"GET {path} was not answered: {type(error).__name__}") from error
        if response.status_code != 200:
            raise Unexpected(f"GET {path} answered {response.status_code}")
        return response.content

    async def _until_answered(
        self, method: str, path: str, repeatable: bool, **content: Any
    ) -> httpx.Response:
        tries = 0
        while True:
            tries += 1
            try:
                response = await self._client.request(method, path, **content)
            except httpx.TransportError as error:
                away = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if tries == self._patience or not (away or repeatable):
                    raise Unexpected(f"{method} {path} was not answered: {type(error).__name__}") from error
                await asyncio.sleep(1)
                continue
            if response.status_code != 503 or tries == self._patience:
                return response
            await asyncio.sleep(float(response.headers.get("retry-after", "1")))


class Unexpected(Exception):
    """An answer the script did not expect; it fails the demo."""
