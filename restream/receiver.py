"""A platform's ingest for demos and rehearsals: takes RTMP or RTMPS, decodes every frame, counts.

`python -m restream.receiver --rtmp-port N --status-port M --hook URL` asks the hook (POST, JSON:
event, app, key) whether a key may publish, and answers GET on the status port with every publish it saw.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import httpx
import structlog
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from restream.decoder import Decoder
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.main import until_stopped
from restream.media import Frame, Kind
from restream.rtmp.server import serve
from restream.serving import configure_logs, serving
from restream.tls import server_context

log = structlog.get_logger()

HOOK_SECONDS: Final = 5.0


@dataclass
class Tally:
    """What one publish brought. Times are the publisher's milliseconds."""

    app: str
    connected: bool = True
    decoded_frames: int = 0
    decode_errors: int = 0
    audio_frames: int = 0
    bytes: int = 0
    starts_with_keyframe: bool | None = None
    backwards: int = 0
    ended_because: str | None = None


class Reception:
    """One publish (`rtmp.server.Publisher`)."""

    def __init__(self, tally: Tally, on_closed: Callable[[], None]) -> None:
        self.tally = tally
        self._on_closed = on_closed
        self._decoder = Decoder()
        self._last: dict[Kind, int] = {}

    def frame(self, frame: Frame) -> None:
        """Count, and decode in a thread of its own."""
        tally = self.tally
        tally.bytes += len(frame.payload)
        tally.backwards += frame.dts < self._last.get(frame.kind, 0)
        self._last[frame.kind] = frame.dts
        if frame.kind == Kind.AUDIO:
            tally.audio_frames += not frame.header
            return
        if tally.starts_with_keyframe is None and not frame.header:
            tally.starts_with_keyframe = frame.keyframe
        self._decoder.feed(frame)

    def metadata(self, values: dict[str, object]) -> None:
        """Nothing here is of interest."""

    def closed(self, reason: str) -> None:
        """What is waiting is still decoded."""
        self._decoder.finish()
        self.tally.connected, self.tally.ended_because = False, reason
        self._on_closed()

    def count(self) -> Tally:
        """The tally as of now."""
        return replace(self.tally, decoded_frames=self._decoder.frames, decode_errors=self._decoder.errors)


class Receiver:
    """The gate of a platform (`rtmp.server.Gate`)."""

    def __init__(self, hook: str | None, http: httpx.AsyncClient) -> None:
        self._hook = hook
        self._http = http
        self._receptions: list[Reception] = []
        self._telling: set[asyncio.Task[bool]] = set()

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        """Ask the platform about the key."""
        if not await self._allowed("publish", request):
            raise PublishRefused("NetStream.Publish.BadName", "The platform does not know this stream key.")
        reception = Reception(Tally(request.app), lambda: self._tell_end(request))
        self._receptions.append(reception)
        return reception

    def _tell_end(self, request: PublishRequest) -> None:
        task = asyncio.get_running_loop().create_task(self._allowed("done", request))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _allowed(self, event: str, request: PublishRequest) -> bool:
        if self._hook is None:
            return True
        body = {"event": event, "app": request.app, "key": request.key}
        try:
            answer = await self._http.post(self._hook, json=body)
        except httpx.HTTPError as error:
            log.warning("hook.failed", question=event, error=type(error).__name__)
            return False
        return answer.is_success

    async def status(self, _: Request) -> Response:
        """Every publish, the oldest first."""
        return JSONResponse([asdict(reception.count()) for reception in self._receptions])


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="restream.receiver", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rtmp-port", type=int)
    parser.add_argument("--rtmps-port", type=int)
    parser.add_argument("--status-port", type=int, required=True)
    parser.add_argument("--hook")
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--cert-key", type=Path)
    found = parser.parse_args(argv)
    if found.rtmp_port is None and found.rtmps_port is None:
        parser.error("one of --rtmp-port and --rtmps-port is needed")
    if found.rtmps_port is not None and not (found.cert and found.cert_key):
        parser.error("--rtmps-port needs --cert and --cert-key")
    return found


async def run(options: argparse.Namespace) -> None:
    """Receive until cancelled."""
    async with httpx.AsyncClient(timeout=HOOK_SECONDS) as http:
        receiver = Receiver(options.hook, http)
        servers = []
        if options.rtmp_port is not None:
            servers.append(await serve(receiver, "127.0.0.1", options.rtmp_port))
        if options.rtmps_port is not None:
            context = server_context(options.cert, options.cert_key)
            servers.append(await serve(receiver, "127.0.0.1", options.rtmps_port, ssl=context))
        app = Starlette(routes=[Route("/", receiver.status)])
        try:
            async with serving(app, "127.0.0.1", options.status_port):
                await asyncio.Event().wait()
        finally:
            for server in servers:
                await server.close()


def main() -> int:
    """Run; 1 with a sentence when a port is taken."""
    options = arguments(sys.argv[1:])
    configure_logs("WARNING")
    try:
        uvloop.run(until_stopped(run(options)))
    except OSError as error:
        print(f"The receiver cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
