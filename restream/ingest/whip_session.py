"""One WHIP session: a peer, the ffmpeg behind it, and the publisher it feeds."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from restream.encode.pipe import read_into
from restream.encode.process import GOODBYE
from restream.gate import Publisher
from restream.ingest.admission import Admitted
from restream.ingest.rtc import Peer, UdpPort
from restream.ingest.whip_media import Media, converter
from restream.rtmp.flv import UnsupportedCodec
from restream.rtmp.flv_file import BrokenFlv
from restream.webrtc.sdp import Local, Offer

log = structlog.get_logger()

NO_WAY: Final = "No connection came about. Look at the firewall: the WebRTC UDP port must be open."
LOOKS: Final = 4
"""How often the silence is looked at in the time it may last."""


@dataclass(frozen=True)
class Patience:
    """Seconds: for ICE and DTLS, for the first frame after them, and without a frame afterwards."""

    connecting: float = 15.0
    greeting: float = 15.0
    silence: float = 10.0


class Session:
    """Made with an offer; `begin` with the publisher once the gate has admitted it, or `abandon`."""

    def __init__(self, port: UdpPort, offer: Offer, patience: Patience) -> None:
        self.offer = offer
        self.etag = f'"{secrets.token_hex(8)}"'
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._media: Media | None = None
        self._peer = Peer(port, offer, self._take, self._take_control)
        self._admitted: Admitted | None = None
        self._because = "The encoder stopped."
        self._cut = False
        self.task: asyncio.Task[None]
        self.local: Local = self._peer.local

    def begin(self, publisher: Publisher) -> None:
        """Wait for the peer, then feed the publisher."""
        self._admitted = Admitted(publisher, self._loop.time)
        if self._cut:
            self._admitted.close(self._because)
        self.task = self._loop.create_task(self._run(self._admitted), name="whip session")

    async def abandon(self) -> None:
        """The gate said no."""
        await self._peer.close()

    def kick(self, reason: str) -> None:
        """Cut it; harmless when it is cut already."""
        if self._cut:
            return  # cancelled twice, the task would not wait for its process to end
        self._cut = True
        self._because = reason
        if self._admitted:
            self._admitted.close(reason)
            self.task.cancel()

    async def add(self, candidates: Sequence[str]) -> None:
        """Candidates of the peer that came later."""
        await self._peer.add(candidates)

    def _take(self, data: bytes) -> None:
        if self._media:
            self._media.take(data)

    def _take_control(self, data: bytes) -> None:
        if self._media:
            self._media.take_control(data)

    async def _run(self, admitted: Admitted) -> None:
        try:
            if not self._cut:
                await self._carry(admitted)
        except (ConnectionError, TimeoutError):
            self._because = (
                "No connection came about. Look at the firewall: the WebRTC UDP port must be open."
            )
        except UnsupportedCodec as error:
            self._because = str(error)
        except (BrokenFlv, OSError) as error:
            log.warning("whip.failed", error=str(error))
            self._because = "The feed could not be read. Look at the media worker's log."
        finally:
            admitted.close(self._because)
            await self._peer.close()

    async def _carry(self, admitted: Admitted) -> None:
        # The child is there before the first packet: that begins a keyframe, and not every encoder sends
        # another when it is asked.
        child = await converter()
        try:
            self._media = Media(self.offer, child, self._loop.time)
            async with asyncio.timeout(self._patience.connecting):
                await self._peer.connect()
            await _first_of(
                read_into(child, admitted),
                self._peer.gone(),
                self._media.tend(self._peer.send_control),
                self._watch(admitted),
            )
            if not child.running and not self._cut:
                log.warning("whip.converter", said=child.last_words())
        finally:
            self._media = None
            await child.stop(GOODBYE)

    async def _watch(self, admitted: Admitted) -> None:
        """Returns when nothing has come for too long."""
        began, limit = self._loop.time(), self._patience.greeting
        while self._loop.time() - (admitted.last or began) < limit:
            await asyncio.sleep(self._patience.silence / LOOKS)
            limit = self._patience.silence if admitted.last else self._patience.greeting
        self._because = (
            f"The encoder was silent for {limit:.0f} seconds."
            if admitted.last
            else "No video came. Send H.264."
        )


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Until one of them is done, or has failed; the others are cancelled."""
    doing = {asyncio.ensure_future(work) for work in works}
    try:
        done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in doing:
            one.cancel()
        await asyncio.gather(*doing, return_exceptions=True)
    for one in done:
        one.result()
