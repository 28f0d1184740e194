"""The way over RTMP and RTMPS: in our own process, sharing every message's bytes with the other targets."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from restream.api import TargetSpec
from restream.media import Frame, Kind
from restream.rtmp import message
from restream.rtmp.address import BadAddress, parse
from restream.rtmp.chunk import serialise
from restream.rtmp.client import PublishRejected, RtmpClient, publish
from restream.targets.bundler import Bundle
from restream.targets.progress import Acknowledgements, Marks
from restream.targets.serialiser import Serialiser
from restream.targets.way import Refused, Tally, Terms, Unfit

PROOF_BYTES: Final = 10 << 20
"""A far end that acknowledges nothing is believed when more has left than two kernels' buffers hold."""
FIRST_WINDOW: Final = 32 << 10
WINDOW_SECONDS: Final = 4.0
SMALLEST_WINDOW: Final = 128 << 10
LARGEST_WINDOW: Final = 2_500_000
"""Bytes the far end takes between acknowledgements: few at first, to know soon; then as many as come in four
seconds, because they cost us."""
ENHANCED: Final = 0x80
"""First bit of an Enhanced RTMP video message; the codec's four letters follow the byte."""
PLAIN_CODEC: Final = "H.264"
CODEC_NAMES: Final = {b"hvc1": "HEVC", b"av01": "AV1", b"vp09": "VP9", b"vvc1": "VVC"}


async def open_rtmp(spec: TargetSpec, serialiser: Serialiser, terms: Terms, tally: Tally) -> RtmpWay:
    """Connect and publish. Raises Refused, Unfit, OSError or TimeoutError."""
    try:
        client = await publish(
            parse(spec.url, spec.key.get_secret_value()),
            chunk_size=spec.chunk_size,
            context=terms.context,
            step=terms.pace.step,
        )
    except BadAddress as error:
        raise Unfit(str(error)) from None
    except UnicodeError:
        raise Unfit("The address names no server that could exist.") from None
    except PublishRejected as error:
        raise Refused(str(error), auth=error.auth) from None
    return RtmpWay(client, serialiser, terms, tally)


class RtmpWay:
    """An accepted publish (`way.Way`)."""

    def __init__(self, client: RtmpClient, serialiser: Serialiser, terms: Terms, tally: Tally) -> None:
        self._client = client
        self._serialiser = serialiser
        self._chunk_size = client.chunk_size
        self._terms = terms
        self._buffer = terms.buffer
        self._tally = tally
        self._skipping = True
        self._proven = False
        self._gone = 0
        self._opened_at = self._moved_at = asyncio.get_running_loop().time()
        self._window_fits = False
        self._acknowledgements = Acknowledgements(LARGEST_WINDOW)
        self._marks = Marks()
        self._written_after: float | None = None
        self._acknowledged_after: float | None = None
        self._arrived = 0.0
        self._codec = PLAIN_CODEC
        self._ask_acknowledgement(FIRST_WINDOW)

    @property
    def proven(self) -> bool:
        """It acknowledged something, or took more than could be on the way."""
        return self._proven

    @property
    def acknowledged(self) -> int:
        """Bytes, as the far end counts them."""
        return self._acknowledgements.total

    @property
    def waiting(self) -> int:
        """Bytes the network has not taken yet."""
        return self._client.waiting

    def push(self, frame: Frame) -> None:
        """Write it; dropped up to the next keyframe when too much is waiting."""
        client, tally = self._client, self._tally
        picture = frame.kind is Kind.VIDEO
        if frame.header:
            self._note_codec(frame)
        else:
            if self._skipping:
                begins = picture and frame.keyframe
                self._skipping = not begins or client.waiting > self._buffer // 2
            elif picture and client.waiting > self._buffer:  # pictures are what makes it grow
                self._skipping = True
            if self._skipping and frame.kind is not Kind.DATA:
                tally.dropped += 1
                return
        data = self._serialiser.chunks(frame, self._chunk_size)
        tally.bytes += len(frame.payload)
        if picture or frame.header:
            client.write(data)
            if not frame.header:
                tally.frames += 1
                self._arrived = frame.arrived
                if frame.keyframe:
                    self._note_keyframe(frame)
        elif frame.kind is Kind.AUDIO:
            client.write_with_next(data)  # there are more of them than pictures, and none is in a hurry
            tally.frames += 1
        else:
            client.write(data)

    def push_bundle(self, bundle: Bundle) -> None:
        """Write all of it, unless dropping begins or ends here."""
        client, tally = self._client, self._tally
        if self._skipping or client.waiting > self._buffer:
            for frame in bundle.frames:
                self.push(frame)
            return client.flush()
        client.write(bundle.chunks(self._chunk_size))
        tally.frames += len(bundle.frames)
        tally.bytes += bundle.size
        self._arrived = bundle.arrived
        if bundle.keyframe:
            self._note_keyframe(bundle.frames[0])
        return None

    def ended(self) -> None:
        """The connection stays: the publisher may come back within the platform's patience."""
        self._skipping = True
        self._client.flush()

    async def follow(self) -> str:
        """Until the far end closes."""
        try:
            return self._with_codec(await self._client.follow())
        except PublishRejected as error:
            raise Refused(self._with_codec(str(error)), auth=error.auth) from None

    def look(self, now: float) -> str | None:
        """Nothing leaves, or nothing is acknowledged any more ("green but dead")?"""
        client, pace = self._client, self._terms.pace
        client.flush()
        waiting = client.waiting
        gone = client.sent - waiting
        if gone > self._gone or not waiting:
            self._gone, self._moved_at = gone, now
        if self._acknowledgements.note(client.acked, now):
            since = self._since(self.acknowledged)
            self._acknowledged_after = None if since is None else max(since - (now - client.acked_at), 0.0)
        self._mark()
        self._proven = self._proven or bool(client.acked) or gone >= PROOF_BYTES
        self._fit_window(gone, now)
        if now - self._moved_at > pace.stuck:
            return f"The platform has taken nothing for {pace.stuck:.0f} seconds."
        if self._acknowledgements.stopped(gone, now, pace.silent):
            return "The platform has stopped confirming what it is sent."
        return None

    def delay(self) -> tuple[float, Literal["sent", "acknowledged"]] | None:
        """By the newest acknowledgement, else by what has left our buffer."""
        if self._acknowledged_after is not None:
            return self._acknowledged_after * 1000, "acknowledged"
        waiting = self._client.waiting
        after = self._since(self._client.sent - waiting) if waiting else self._written_after
        return None if after is None else (after * 1000, "sent")

    async def close(self, *, polite: bool) -> None:
        """FCUnpublish and deleteStream first, if `polite`."""
        await self._client.close(polite=polite)

    def _fit_window(self, gone: int, now: float) -> None:
        """Once it is known how much comes in a second."""
        lasted = now - self._opened_at
        if self._window_fits or not self._proven or lasted < WINDOW_SECONDS:
            return
        self._window_fits = True
        window = min(max(int(gone / lasted * WINDOW_SECONDS), SMALLEST_WINDOW), LARGEST_WINDOW)
        self._acknowledgements.usual = window
        self._ask_acknowledgement(window)

    def _since(self, written: int) -> float | None:
        arrived = self._marks.arrived(written)
        return None if arrived is None else self._terms.since(arrived)

    def _mark(self) -> None:
        if self._arrived:
            self._marks.add(self._client.sent, self._arrived)

    def _note_keyframe(self, frame: Frame) -> None:
        if frame.arrived:
            self._mark()
            self._written_after = self._terms.since(frame.arrived)

    def _note_codec(self, frame: Frame) -> None:
        if frame.kind is Kind.VIDEO:
            letters = frame.payload[1:5]
            enhanced = frame.payload[0] & ENHANCED
            self._codec = (
                CODEC_NAMES.get(letters, letters.decode(errors="replace")) if enhanced else PLAIN_CODEC
            )

    def _with_codec(self, reason: str) -> str:
        """Servers that do not know Enhanced RTMP hang up without a word when it comes."""
        if self._proven or self._codec == PLAIN_CODEC:
            return reason
        hint = (
            f"It may not take {self._codec}: set the encoder to H.264, or choose a profile for this target."
        )
        return f"{reason} {hint}"

    def _ask_acknowledgement(self, window: int) -> None:
        asking = message.u32(message.WINDOW_ACK, window)
        self._client.write(serialise(asking, message.CONTROL_CHUNK, self._chunk_size))
