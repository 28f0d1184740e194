"""An encoder that knows when it sent each picture: an FLV file over and over, in real time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from restream.rtmp import message
from restream.rtmp.address import parse
from restream.rtmp.chunk import serialise
from restream.rtmp.client import RtmpClient, publish
from restream.rtmp.message import Message

CHUNK = 60_000
HEADER, TAG, BACK = 9, 11, 4


@dataclass
class Publisher:
    """`sent[n]` is the wall time picture n left; `await run()` until cancelled."""

    file: Path
    addresses: list[str]
    sent: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Publish to every address at the same time."""
        clients = [
            await publish(parse(*address.rsplit("/", 1)), chunk_size=CHUNK) for address in self.addresses
        ]
        following = [asyncio.create_task(client.follow()) for client in clients]
        try:
            await self._send(clients)
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            for client in clients:
                await client.close(polite=True)

    async def _send(self, clients: list[RtmpClient]) -> None:
        tags = list(tags_of(self.file.read_bytes()))
        began, offset = time.time(), 0
        while True:
            last = 0
            for kind, at, body in tags:
                header = body[1] == 0
                if offset and header:
                    continue
                moment = offset + at
                await asyncio.sleep(max(0.0, began + moment / 1000 - time.time()))
                number = message.VIDEO_CHUNK if kind == message.VIDEO else message.AUDIO_CHUNK
                data = serialise(Message(kind, moment, 1, body), number, CHUNK)
                for client in clients:
                    client.write(data)
                if kind == message.VIDEO and not header:
                    self.sent.append(time.time())
                last = max(last, at)
            offset += last + 33


def tags_of(flv: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, milliseconds, body) of each audio and video tag (Adobe FLV 10.1, E.4)."""
    at = HEADER + BACK
    while at + TAG < len(flv):
        kind, size = flv[at], int.from_bytes(flv[at + 1 : at + 4], "big")
        moment = int.from_bytes(flv[at + 4 : at + 7], "big") | flv[at + 7] << 24
        if kind in (message.AUDIO, message.VIDEO):
            yield kind, moment, flv[at + TAG : at + TAG + size]
        at += TAG + size + BACK
