"""Fetching for a probe: whoever writes a playlist names what is asked for, and what comes may be anything.

So only public addresses are asked, those alone that were checked, and no body is kept but a playlist's.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.request import getproxies

import httpx

from connectors.errors import RetryLater
from connectors.http import CONNECT_SECONDS, Http, unreachable

PATIENT: Final = httpx.Timeout(35.0, connect=CONNECT_SECONDS)
"""A server holds a request for up to three target durations."""
LARGEST_PLAYLIST: Final = 2_000_000
LARGEST_MEDIA: Final = 64_000_000
"""Bytes of one body: half a minute of the best picture is less."""
MOST_ORIGINS: Final = 16
EITHER: Final = zlib.MAX_WBITS | 32
"""gzip's header, or zlib's."""
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, for a port. Raises OSError when it has none, ValueError when it is no name."""


class GaveUp(Exception):
    """It cannot be played; the message is a sentence."""


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """As the system knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in found]


def public(address: str) -> bool:
    """Whether it is somewhere on the internet, and not inside anybody's network."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found in NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        elif found.ipv4_mapped or found.sixtofour or found.is_reserved:
            return False  # another address is hidden in it
    return found.is_global and not found.is_multicast


def read_address(url: str) -> httpx.URL:
    """As it will be asked: checked and asked by one and the same reading. Raises GaveUp."""
    try:
        asked = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise GaveUp("There is an address in it that cannot be read.") from None
    if asked.scheme not in ("http", "https") or not asked.host:
        raise GaveUp("There is an address in it that does not begin with https://.")
    return asked


def port_of(asked: httpx.URL) -> int:
    """The usual one where none is named."""
    return asked.port or (443 if asked.scheme == "https" else 80)


def origin_of(url: str) -> str:
    """Scheme, host and port, to be compared. Raises GaveUp."""
    asked = read_address(url)
    return f"{asked.scheme}://{asked.host}:{port_of(asked)}"


class Reach:
    """What one visit asks. `own`: addresses whose origins need not be public: they are the hub's."""

    def __init__(self, own: Collection[str] = (), resolve: Resolve = addresses_of) -> None:
        self._own = frozenset(map(origin_of, own))
        self._resolve = resolve
        self._lines: dict[str, Line] = {}

    async def close(self) -> None:
        """Close the connections."""
        for line in self._lines.values():
            await line.close()

    async def text(self, url: str) -> str:
        """A playlist. Raises GaveUp, and the errors of a connector."""
        asked = read_address(url)
        return await (await self._line(asked)).text(asked)

    async def drain(self, url: str) -> None:
        """Media: counted and thrown away. Raises as `text` does."""
        asked = read_address(url)
        await (await self._line(asked)).drain(asked)

    async def _line(self, asked: httpx.URL) -> Line:
        """The connections to an origin, checked when it is met first."""
        origin = origin_of(str(asked))
        if origin not in self._lines:
            addresses = () if origin in self._own else await self._checked(asked)
            if len(self._lines) >= MOST_ORIGINS:
                raise GaveUp(f"It plays from more than {MOST_ORIGINS} servers.")
            if origin not in self._lines:  # another track may have been quicker
                self._lines[origin] = Line(addresses)
        return self._lines[origin]

    async def _checked(self, asked: httpx.URL) -> Sequence[str]:
        """Its addresses, IPv4 first; none where a proxy connects, which resolves the name itself."""
        try:
            found = await self._resolve(asked.raw_host.decode(), port_of(asked))
        except OSError:
            found = ()
        except ValueError:
            raise GaveUp("There is an address in it that cannot be read.") from None
        if not found:
            raise RetryLater("The platform could not be reached (nobody knows its name).")
        if not all(map(public, found)):
            raise GaveUp("It leads into a private network, where a probe does not go.")
        proxies = getproxies()
        if asked.scheme in proxies or "all" in proxies:
            return ()
        return sorted(dict.fromkeys(found), key=lambda one: ":" in one)


class Line(Http):
    """To one origin, at `addresses` alone; wherever its name leads when there are none."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__("")
        self._addresses = deque(addresses)

    async def text(self, asked: httpx.URL) -> str:
        """A body of a playlist's size. Raises GaveUp, and the errors of a connector."""
        body = bytearray()
        async with self._opened(asked, "gzip") as response:
            unpack = unpacking(response.headers.get("content-encoding", ""))
            async for chunk in response.aiter_raw():
                body += unpack(chunk, LARGEST_PLAYLIST + 1 - len(body))
                if len(body) > LARGEST_PLAYLIST:
                    raise GaveUp("The playlist is larger than any playlist is.")
        return body.decode("utf-8", "replace")

    async def drain(self, asked: httpx.URL) -> None:
        """A body of media. Raises as `text` does."""
        came = 0
        async with self._opened(asked, "identity") as response:
            async for chunk in response.aiter_raw():
                came += len(chunk)
                if came > LARGEST_MEDIA:
                    raise GaveUp("A piece of the media is larger than any piece is.")

    @asynccontextmanager
    async def _opened(self, asked: httpx.URL, encoding: str) -> AsyncIterator[httpx.Response]:
        """The answer, its body still to come; what a refusal says is not read."""
        headers, more, to = {"Accept-Encoding": encoding}, dict[str, Any](), asked
        if self._addresses:
            # Asked by the address that was checked: a name may lead elsewhere a moment later.
            to = asked.copy_with(host=self._addresses[0])
            headers["Host"] = asked.netloc.decode()
            more["extensions"] = {"sni_hostname": asked.raw_host.decode()}
        try:
            response = await self._begin(
                "GET", str(to), stream=True, timeout=PATIENT, headers=headers, **more
            )
            try:
                error = self.error_of("GET", response.status_code, response.headers, b"")
                if error:
                    raise error
                yield response
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            self._addresses.rotate(-1)
            raise unreachable("GET", error) from None


def unpacking(encoding: str) -> Callable[[bytes, int], bytes]:
    """From what came and how much may come of it to what it says: a few bytes may unpack to gigabytes."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda chunk, _: chunk
        case "gzip" | "x-gzip" | "deflate":
            packed = zlib.decompressobj(EITHER)

            def unpack(chunk: bytes, most: int) -> bytes:
                try:
                    return packed.decompress(chunk, most)
                except zlib.error:
                    raise GaveUp("The playlist cannot be unpacked.") from None

            return unpack
    raise GaveUp("The playlist is packed in a way that nobody asked for.")
