"""What the sender's connection carries: estimated from the feed, or measured before the show.

The measurement is a bare ASGI handler: the studio's page posts random bytes and is told how fast they came.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from restream.health.meter import Measurements
from restream.hls.respond import ALWAYS, Header, Message, Receive, Scope, Send

ENOUGH_MBPS: Final = 5.0
PLENTY_MBPS: Final = 10.0
"""What 1080p wants."""
FALLING_BEHIND: Final = 20.0
"""Milliseconds later with each second: the connection carries 2 % less than is sent."""
LEAST_BYTES: Final = 64 << 10
PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"86400"),
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds and bytes one measurement may take, and how many there may be at once."""

    seconds: float = 10.0
    bytes: int = 16 << 20
    at_once: int = 4


def carried_kbps(measured: Measurements) -> float | None:
    """What the connection carries, when it does not carry what is sent; None when it keeps up.

    A connection that keeps up carries at least `arrival_kbps`; how much more cannot be seen from here.
    """
    behind = measured.falling_behind
    return measured.arrival_kbps if behind is not None and behind > FALLING_BEHIND else None


def advise(mbps: float) -> str:
    """What an upload of so many Mbit/s is good for, and what to set."""
    if mbps >= PLENTY_MBPS:
        return f"Your upload is about {mbps:.0f} Mbit/s: enough for 1080p."
    if mbps >= ENOUGH_MBPS:
        bitrate = round(mbps * 800 / 500) * 500
        return (
            f"Your upload is about {mbps:.1f} Mbit/s: enough for 1080p. "
            f"Keep Video Bitrate at or below {bitrate:,} Kbps in Settings → Output → Streaming."
        )
    bitrate = min(3000, max(500, round((mbps * 800 - 160) / 100) * 100))
    return (
        f"Your upload is about {mbps:.1f} Mbit/s; 1080p needs 5 to 10. Stream in 720p: set Output (Scaled) "
        f"Resolution to 1280x720 in Settings → Video and Video Bitrate to {bitrate:,} Kbps in "
        "Settings → Output → Streaming, or use a cable instead of Wi-Fi."
    )


class UploadTest:
    """`POST` with a token (`Authorization: Bearer`, or `?token=`) and a body of random bytes.

    Answers `{"bytes", "seconds", "mbps", "enough", "sentence"}`. A body that takes longer or is larger than
    the bounds is cut there and answered with what came until then; some clients report a cut upload as an
    error, so send about 4 MB. `allowed` says whether a token is good.
    """

    def __init__(
        self,
        allowed: Callable[[str], bool],
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = allowed
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["method"] == "OPTIONS":
            await _answer(send, HTTPStatus.NO_CONTENT, None, PREFLIGHT)
        elif scope["method"] != "POST":
            await _answer(send, HTTPStatus.METHOD_NOT_ALLOWED, {"error": "Only POST."})
        elif not self._allowed(_token(scope)):
            await _answer(
                send, HTTPStatus.UNAUTHORIZED, {"error": "Open the studio again; its token has expired."}
            )
        elif self._running >= self._bounds.at_once:
            await _answer(
                send, HTTPStatus.SERVICE_UNAVAILABLE, {"error": "Others are measuring. Try again soon."}
            )
        else:
            self._running += 1
            try:
                taken = await self._take(receive)
            finally:
                self._running -= 1
            if taken is not None:
                await _answer(send, *_result(*taken))

    async def _take(self, receive: Receive) -> tuple[int, float] | None:
        """Bytes after the first piece, and the seconds they took; None when the client has left."""
        first: float | None = None
        size = 0
        lasted = 0.0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            now = self._clock()
            if first is None:
                first = now  # what came with the headers was under way before anybody looked at a clock
            else:
                size += len(message.get("body", b""))
                lasted = now - first
            over = lasted >= self._bounds.seconds or size >= self._bounds.bytes
            if over or not message.get("more_body", False):
                return size, lasted


def _result(size: int, lasted: float) -> tuple[HTTPStatus, dict[str, Any]]:
    if size < LEAST_BYTES or lasted <= 0:
        return HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "Too little was sent to measure anything."}
    mbps = size * 8 / lasted / 1e6
    return HTTPStatus.OK, {
        "bytes": size,
        "seconds": round(lasted, 6),
        "mbps": round(mbps, 2),
        "enough": mbps >= ENOUGH_MBPS,
        "sentence": advise(mbps),
    }


def _token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].decode("latin-1"))
    query = str(scope.get("query_string", b"").decode("latin-1"))
    return parse_qs(query).get("token", [""])[0]


async def _answer(
    send: Send, status: HTTPStatus, content: dict[str, Any] | None, more: tuple[Header, ...] = ()
) -> None:
    body = b"" if content is None else json.dumps(content).encode()
    headers: list[Header] = [(b"cache-control", b"no-store"), *ALWAYS, *more]
    if content is not None:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    start: Message = {"type": "http.response.start", "status": int(status), "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
