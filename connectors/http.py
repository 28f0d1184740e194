"""The one place where an HTTP client for the outside is made.

Every call has a timeout; every answer that is not a success becomes one of the three errors; tokens
are added here and never appear in an error or a log line.
"""

from __future__ import annotations

import asyncio
import functools
import json
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import aiohttp
import httpx

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.oauth import Login

ANSWER_SECONDS: Final = 10.0
"""How long a platform may take to answer, where a connector does not say otherwise."""
CONNECT_SECONDS: Final = 5.0
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Classify = Callable[[int, dict[str, str], bytes], ConnectorError | None]
Authorise = Callable[[str], dict[str, str]]
Came = TypeVar("Came")


def bearer(token: str) -> dict[str, str]:
    """The usual way to carry a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


@functools.cache
def authorities() -> ssl.SSLContext:
    """Whose certificates are believed. Read once: it takes longer than most of what follows."""
    return httpx.create_ssl_context()


class Unsaid(httpx.URL):
    """An address whose query is sent but never printed: httpx logs every address it calls."""

    def __str__(self) -> str:
        return str(self.copy_with(query=None))

    __repr__ = __str__


class Http:
    """An HTTP client bound to one connection: base address, login, errors.

    `login` is None for connectors without one. `classify` may translate an answer (even a 200) into
    one of the three errors before the general rule is applied. `answer_seconds` is how long the platform
    may take to answer; a vendor's own client is told the same.
    """

    def __init__(
        self,
        base_url: str,
        *,
        login: Login | None = None,
        authorise: Authorise = bearer,
        classify: Classify | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.base_url = base_url
        self.login = login
        self.answer_seconds = answer_seconds
        self._authorise = authorise
        self._classify = classify
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(answer_seconds, connect=min(CONNECT_SECONDS, answer_seconds)),
            follow_redirects=False,
            verify=authorities(),
        )

    async def close(self) -> None:
        """Close the connections; the object is not used afterwards."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        login: bool = True,
        secret_params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One call; a 401 is answered by one refresh and one repeat. Raises the three errors only.

        `secret_params` are sent in the query like `params`, but appear in no log line.
        """
        token = await self.login.access() if login and self.login else ""
        for attempt in (1, 2):
            response = await self._send(
                method,
                url,
                params=params,
                json=json,
                data=data,
                content=content,
                headers={**(self._authorise(token) if login else {}), **(headers or {})},
                timeout=httpx.USE_CLIENT_DEFAULT if timeout is None else timeout,
                secret_params=secret_params,
            )
            error = self.error_of(method, response.status_code, response.headers, response.content)
            if error is None:
                return response
            if isinstance(error, Reconnect) and login and self.login and attempt == 1:
                token = await self.login.renew(token)
                continue
            raise error
        raise Reconnect("The platform no longer accepts this login. Link the account again.")

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idle: float = 60.0,
        secret_params: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A long-lived or very long answer; silence longer than `idle` seconds is RetryLater.

        `secret_params` as in `request`.
        """
        token = await self.login.access() if self.login else ""
        try:
            response = await self._begin(
                method,
                url,
                params=params,
                headers={**self._authorise(token), **(headers or {})},
                timeout=httpx.Timeout(self.answer_seconds, read=idle),
                secret_params=secret_params,
                stream=True,
            )
            try:
                if response.status_code >= 400:
                    body = await response.aread()
                    error = self.error_of(method, response.status_code, response.headers, body)
                    raise error or Refused(f"{response.status_code}")
                yield response
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise unreachable(method, error) from None

    def error_of(
        self, method: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> ConnectorError | None:
        """The error an answer means, or None for a success."""
        lower = {name.lower(): value for name, value in headers.items()}
        if self._classify is not None:
            special = self._classify(status, lower, body)
            if special is not None:
                return special
        return general_error(method, status, lower, body)

    async def _send(
        self, method: str, url: str, *, secret_params: Mapping[str, str] | None = None, **how: Any
    ) -> httpx.Response:
        try:
            return await self._begin(method, url, secret_params=secret_params, **how)
        except httpx.HTTPError as error:
            # `from None`: the original names the address, and some platforms carry tokens in it.
            raise unreachable(method, error) from None

    async def _begin(
        self,
        method: str,
        url: str,
        *,
        secret_params: Mapping[str, str] | None = None,
        stream: bool = False,
        **how: Any,
    ) -> httpx.Response:
        request = self._client.build_request(method, url, **how)
        if secret_params:
            request.url = Unsaid(request.url.copy_merge_params(secret_params))
        return await self._client.send(request, stream=stream)


def general_error(method: str, status: int, headers: Mapping[str, str], body: bytes) -> ConnectorError | None:
    """The rule for platforms that use HTTP as HTTP."""
    if status < 400:
        return None
    if status == 401:
        return Reconnect("The platform no longer accepts this login. Link the account again.")
    if status == 429:
        return RetryLater("The platform asks us to slow down.", retry_after(headers, 30.0))
    if status >= 500 or status == 408:
        return RetryLater(
            f"The platform answered {status}.", retry_after(headers, 5.0), unknown=method not in SAFE
        )
    return Refused(f"The platform refused the request ({status}): {excerpt(body)}", code=str(status))


def unreachable(method: str, error: httpx.HTTPError) -> RetryLater:
    """A transport failure; a write may have arrived unless connecting already failed."""
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return RetryLater(
        f"The platform could not be reached ({type(error).__name__}).",
        5.0,
        unknown=method not in SAFE and not never_sent,
    )


def retry_after(headers: Mapping[str, str], default: float) -> float:
    """Seconds from Retry-After; only the number form is in use by our platforms."""
    try:
        return max(0.0, float(headers.get("retry-after", default)))
    except ValueError:
        return default


def decoded(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None for anything else."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def excerpt(body: bytes) -> str:
    """Enough of an answer to understand it, on one line."""
    return " ".join(body[:300].decode("utf-8", "replace").split())


@asynccontextmanager
async def websocket(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    protocols: tuple[str, ...] = (),
    connect_timeout: float = ANSWER_SECONDS,
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket client connection; failing to open it is RetryLater. Pings are answered by itself."""
    async with aiohttp.ClientSession() as session:
        try:
            async with asyncio.timeout(connect_timeout):
                socket = await session.ws_connect(url, headers=headers, protocols=protocols)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RetryLater(f"The platform could not be reached ({type(error).__name__}).") from None
        try:
            yield socket
        finally:
            await socket.close()


class Patience:
    """Ends a reader's wait that lasts too long, with one timer for all its waits.

    A chat brings a thousand messages a second, and with a timer for each, waiting costs twice as much. So the
    timer only looks, when it goes off, how long the wait that is on may still last, and is set anew for that.
    Nothing need be closed: a timer that finds nobody waiting is the last one.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._until = math.inf
        self._wait: asyncio.Timeout | None = None
        self._timer: asyncio.Handle | None = None
        self._due = math.inf
        """When the timer goes off; uvloop's handles do not tell where that is at once."""

    async def wait(self, coming: Awaitable[Came], seconds: float) -> Came:
        """What comes. TimeoutError when it takes longer. For one task, one wait at a time."""
        self._until = self._loop.time() + seconds
        if self._timer is None or self._due > self._until:
            self._set()
        async with asyncio.timeout(None) as self._wait:
            try:
                return await coming
            finally:
                self._wait = None

    def _set(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._due = self._until
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._wait is None:
            return
        if self._loop.time() < self._until:
            self._set()
        else:
            self._wait.reschedule(self._until)
