"""HTTP as the outside world speaks it: the demo's producer, buyers and viewers are plain clients."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final

import httpx

PATIENCE: Final = 10
"""How often somebody asks again who was told that the shop is busy."""


class Outside:
    """One person with one cookie jar. Answers are JSON; a status outside `ok` raises Unexpected."""

    def __init__(self, base_url: str, headers: dict[str, str] | None = None) -> None:
        self.base_url = base_url
        self._client = httpx.AsyncClient(
            base_url=base_url, headers=headers, timeout=15.0, limits=httpx.Limits(max_connections=100)
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
    ) -> Any:
        """The parsed answer, None when there is none; with `ok` including an error status, its problem.

        503 is not an answer: nothing was changed, and whoever asked tries again when told to.
        """
        for _ in range(PATIENCE):
            response = await self._request(method, path, json=json, headers=headers)
            if response.status_code != 503:
                break
            await asyncio.sleep(float(response.headers.get("retry-after", "1")))
        if response.status_code not in ok:
            raise Unexpected(f"{method} {path} answered {response.status_code}: {response.text[:300]}")
        return response.json() if response.content else None

    async def read(self, path: str) -> bytes:
        """A body as it is."""
        response = await self._request("GET", path)
        if response.status_code != 200:
            raise Unexpected(f"GET {path} answered {response.status_code}")
        return response.content

    async def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return await self._client.request(method, path, **content)
        except httpx.TransportError as error:
            raise Unexpected(f"{method} {path} was not answered: {type(error).__name__}") from error


class Unexpected(Exception):
    """An answer the script did not expect; it fails the demo."""
