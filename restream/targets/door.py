"""The door a WHIP child knocks at instead of the platform's: on loopback, behind a name nobody can guess.

The child's command line can be read by everybody on the machine, so it holds this door's address only. The
platform's address and the bearer token stay in here, its certificate is checked by our own trust, and a
refusal comes back as the status it is and not as a line of a log.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from typing import Final
from urllib.parse import urljoin

import httpx

from restream.targets.way import Refused

LONGEST_OFFER: Final = 64 << 10
LONGEST_HEAD: Final = 16 << 10
GOODBYE_SECONDS: Final = 2.0
KEY_REFUSED: Final = (401, 403)
SDP: Final = "application/sdp"


class Door:
    """`address` is for the child. `refusal`: the platform said no; `failure`: it could not be asked."""

    def __init__(self, url: str, token: str, context: ssl.SSLContext, step: float) -> None:
        self.accepted = False
        self.refusal: Refused | None = None
        self.failure: str | None = None
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.AsyncClient(verify=context, timeout=step, follow_redirects=True)
        self._name = f"/{secrets.token_urlsafe(16)}"
        self._session: str | None = None
        self._step = step
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where the child posts its offer."""
        assert self._server  # noqa: S101 (opened first)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._name}"

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._knocked, "127.0.0.1", 0, limit=LONGEST_HEAD)

    async def close(self) -> None:
        """End the session at the platform, whatever became of the child."""
        if self._server:
            self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                if self._session:
                    await self._http.delete(self._session, headers=self._headers)
        except (httpx.HTTPError, TimeoutError):
            pass  # it notices by itself that nothing comes any more
        finally:
            await self._http.aclose()

    def _knocked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(2 * self._step):
                method, path, body = await _request(reader)
                if path.partition("/session")[0] != self._name:
                    answer = _response(404)
                elif method == "POST" and not self.accepted:
                    answer = await self._offer(body)
                else:
                    answer = _response(200)  # DELETE: `close` does it, also when the child could not
                writer.write(answer)
                await writer.drain()
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
            pass  # the child is told nothing, and gives up by itself
        finally:
            writer.close()

    async def _offer(self, offer: bytes) -> bytes:
        headers = {**self._headers, "Content-Type": SDP}
        try:
            answer = await self._http.post(self._url, content=offer, headers=headers)
        except httpx.TimeoutException:
            self.failure = "The platform did not answer in time."
            return _response(504)
        except httpx.HTTPError as error:
            self.failure = f"The platform could not be reached ({_plainly(error)})."
            return _response(502)
        if answer.status_code != httpx.codes.CREATED:
            self.refusal = _refusal(answer.status_code)
            return _response(answer.status_code if answer.is_error else 502)
        self.accepted = True
        if location := answer.headers.get("Location"):
            self._session = urljoin(str(answer.url), location)
        return _response(201, answer.content, f"{self.address}/session")


def _refusal(status: int) -> Refused:
    """What a status that is not 201 means."""
    if status in KEY_REFUSED:
        return Refused(f"The platform refused the stream key (HTTP {status}).", auth=True)
    return Refused(f"The platform did not take the stream (HTTP {status}).", auth=False)


def _plainly(error: httpx.HTTPError) -> str:
    """Why, without an address: the text of httpx's own errors may hold one."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    """Method, path and body. Raises ValueError, EOFError or LimitOverrunError."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, _, rest = head.partition("\r\n")
    method, path, _ = first.split(" ", 2)
    length = 0
    for line in rest.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    if not 0 <= length <= LONGEST_OFFER:
        raise ValueError("no offer is as long")
    return method, path, await reader.readexactly(length)


def _response(status: int, body: bytes = b"", location: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} -", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"Location: {location}", f"Content-Type: {SDP}"] if location else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
