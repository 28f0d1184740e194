"""What an admitted encoder sends: its messages as frames, and how much garbage is forgiven."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from restream.gate import Publisher
from restream.rtmp import amf0, message
from restream.rtmp.flv import BrokenTag, UnsupportedCodec, audio_frame, video_frame
from restream.rtmp.message import Message, Unwrapper

log = structlog.get_logger()

MOST_BROKEN_TAGS: Final = 20
BROKEN_SECONDS: Final = 60.0
"""A show lasts hours and a bad moment does not; who garbles this many in this time will not stop."""


class Rejected(Exception):
    """The encoder sends what we can't carry on with; the sentence says what to do."""


class Feed:
    """One publish. `clock` is seconds of any steady clock."""

    def __init__(self, publisher: Publisher, peer: str, clock: Callable[[], float]) -> None:
        self._publisher = publisher
        self._peer = peer
        self._clock = clock
        self._time = Unwrapper()
        self._broken: deque[float] = deque(maxlen=MOST_BROKEN_TAGS)

    def take(self, found: Message) -> None:
        """A message of kind AUDIO, VIDEO or DATA. Raises Rejected."""
        try:
            if found.kind == message.DATA:
                return self._describe(found.payload)
            read = video_frame if found.kind == message.VIDEO else audio_frame
            frame = read(found.payload, self._time.unwrap(found.timestamp), time.time())
            if frame:
                self._publisher.frame(frame)
        except UnsupportedCodec as error:
            raise Rejected(str(error)) from None
        except (BrokenTag, amf0.BrokenAmf) as error:
            self._overlook(error)
        return None

    def closed(self, reason: str) -> None:
        """The encoder is gone."""
        self._publisher.closed(reason)

    def _describe(self, payload: bytes) -> None:
        values = amf0.decode(payload)
        if values and values[0] == "@setDataFrame":
            values = values[1:]
        if len(values) > 1 and values[0] == "onMetaData" and isinstance(values[1], dict):
            self._publisher.metadata(dict(values[1]))

    def _overlook(self, error: BrokenTag | amf0.BrokenAmf) -> None:
        """One garbled message is left out; an encoder that garbles many in a short time is cut."""
        broken, now = self._broken, self._clock()
        broken.append(now)
        log.warning("ingest.broken_tag", peer=self._peer, error=str(error), count=len(broken))
        if len(broken) == MOST_BROKEN_TAGS and now - broken[0] < BROKEN_SECONDS:
            raise Rejected(f"Too many broken FLV tags; the last one: {error}. Restart the encoder.")
