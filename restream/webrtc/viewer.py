"""One viewer: the way to it, its keys, and the streams that go there."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from restream.webrtc import rtcp, stun
from restream.webrtc.dtls import Dtls, Identity
from restream.webrtc.offer import Sources
from restream.webrtc.pacing import Allowance, rate
from restream.webrtc.port import Address, UdpPort
from restream.webrtc.sdp import Local, Offer
from restream.webrtc.srtp import BrokenSrtp, Control, Sealer, sealer
from restream.webrtc.stage import Picture, Pictures, Sound
from restream.webrtc.track import Repair, Track, shown

CONNECTING: Final = 15.0
CONSENT: Final = 30.0
"""Seconds without a sign of life after which a viewer is gone (RFC 7675)."""
REPORT_EVERY: Final = 1.0
REFRESH_EVERY: Final = 1.0
"""Seconds between two answers to a decoder that is lost."""
VIDEO_PER_MS, AUDIO_PER_MS = 90, 48
BEHIND: Final = 3
"""Pictures waiting; with more, a keyframe makes those before it useless."""
MOST_WAITING: Final = 900
UNEVEN_MS: Final = 50.0
"""Jitter from which on pictures shown as they come would stumble: more than the time between two of them."""
REPAIRS_PER_SECOND, REPAIRS_AT_ONCE = 400.0, 200.0


@dataclass
class Health:
    """What it last reported: the share of packets lost, jitter and the round trip in milliseconds."""

    loss: float = 0.0
    jitter: float = 0.0
    round_trip: float | None = None


class Viewer:
    """`check` takes STUN and `take` the rest; `show` and `play` take media; `tick` is called now and then.

    `over` says why it is to be forgotten, or is empty.
    """

    def __init__(
        self,
        offer: Offer,
        pictures: Pictures,
        sound: Sound,
        port: UdpPort,
        identity: Identity,
        wait: Callable[[Viewer], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.over = ""
        self.health = Health()
        self.repeated = 0
        self.address: Address | None = None
        self.sources = Sources(*(secrets.randbits(32) for _ in range(3)))
        self.name = secrets.token_hex(8)
        self.local = Local(secrets.token_hex(4), secrets.token_hex(16), identity.fingerprint)
        self._before: Local | None = None
        self._pictures, self._sound = pictures, sound
        self._port, self._wait, self._clock = port, wait, clock
        self._made = self._heard = clock()
        active = offer.role == "client"
        self._dtls = Dtls(identity, offer.fingerprints, self._send, active=active)
        self._dtls_due: float | None = None
        self._sealer: Sealer | None = None
        self._control: Control | None = None
        self._video, self._repair, self._audio = _tracks(offer, self.sources)
        self._hints = _hints(offer)
        self._queue: deque[Picture] = deque()
        self._run = 0
        self._timestamp = 0
        self._newest: int | None = None
        self._catching_up = True
        self._skipping = True
        self._allowance = Allowance(clock())
        self._repairs = Allowance(clock(), REPAIRS_AT_ONCE)
        self._reported = self._refreshed = -REPORT_EVERY

    @property
    def connected(self) -> bool:
        """Whether media goes out."""
        return self._sealer is not None and not self.over

    def restart(self) -> Local:
        """It comes by another way: other names for us. The way so far stays until the other is there."""
        self._before = self.local
        fingerprint = self.local.fingerprint
        self.local = Local(secrets.token_hex(4), secrets.token_hex(16), fingerprint)
        return self.local

    def check(self, request: stun.Request, sender: Address) -> None:
        """A binding request with one of our user names: the newest, or the one before an ICE restart."""
        ours = request.username.partition(":")[0]
        local = self.local if ours == self.local.username or self._before is None else self._before
        if not request.genuine(local.password):
            return
        if request.controlled:
            answer = stun.failure(request.transaction, stun.ROLE_CONFLICT, local.password)
            self._port.send(answer, sender)
            return
        self._heard = self._clock()
        self._port.send(stun.success(request.transaction, sender, local.password), sender)
        if request.nominates and (local is self.local or self.address is None):
            first, self.address = self.address is None, sender
            if first:
                self._dtls.start()
                self._look_at_dtls()

    def take(self, data: bytes) -> None:
        """DTLS or SRTCP of its address."""
        if self.over or not data:
            return
        if 20 <= data[0] < 64:
            self._dtls.receive(data)
            self._look_at_dtls()
        elif self._control and 128 <= data[0] < 192 and len(data) > 1 and 192 <= data[1] < 224:
            try:
                heard = rtcp.read(self._control.open(data))
            except BrokenSrtp:
                return
            self._heard = self._clock()
            self._hear(heard)

    def show(self, picture: Picture) -> None:
        """The next picture of the stream."""
        if self._sealer is None:
            return
        if picture.keyframe:
            self._skipping = False
            if len(self._queue) > BEHIND:
                self._drop_waiting()
        elif len(self._queue) > MOST_WAITING:
            self._drop_waiting()
            self._skipping = True
        if self._skipping:
            return
        self._queue.append(picture)
        if self.drain():
            self._wait(self)

    def play(self, payload: bytes, timestamp: int) -> None:
        """The next packet of sound."""
        if self._sealer and self._audio and self.address:
            track = self._audio
            packet = track.seal_one(self._sealer, payload, track.timestamp(timestamp))
            self._port.send(packet, self.address)

    def drain(self) -> bool:
        """Send what may leave now; whether more waits."""
        queue, now = self._queue, self._clock()
        self._allowance.refill(now, rate(self._pictures.bytes_per_second))
        while queue and self._allowance.left > 0 and self._sealer and self.address:
            picture = queue[0]
            if self._run == 0:
                self._timestamp = self._video.timestamp(self._moment(picture) * VIDEO_PER_MS)
            begin, end = picture.runs[self._run]
            self._run += 1
            last = self._run == len(picture.runs)
            payloads = picture.payloads[begin:end]
            # With keyframes is enough: the viewer keeps to what it was told last.
            hint = self._hint() if picture.keyframe else b""
            packets = self._video.seal(
                self._sealer, payloads, self._timestamp, last=last, heads=picture.heads[begin:end], hint=hint
            )
            self._port.send_run(packets, self.address)
            self._allowance.left -= len(packets[0]) * len(packets)
            if last:
                queue.popleft()
                self._run = 0
        if not queue:
            self._catching_up = False
        return bool(queue)

    def tick(self) -> None:
        """Reports, what DTLS waits for, and whether it is still there."""
        now = self._clock()
        if self._dtls_due is not None and now >= self._dtls_due:
            self._dtls.tick()
            self._look_at_dtls()
        if self._sealer is None and now - self._made > CONNECTING:
            self.over = self.over or "No connection came about."
        elif now - self._heard > CONSENT:
            self.over = self.over or "It was not heard of any more."
        if self.connected and self._pictures.line.known and now - self._reported >= REPORT_EVERY:
            self._reported = now
            self._report()

    def close(self) -> None:
        """Say goodbye."""
        if self._control and self.address:
            names = [track.source for track in (self._video, self._audio) if track]
            self._send_control(rtcp.goodbye(names))
        self._dtls.close()
        self._sealer = None

    def _moment(self, picture: Picture) -> int:
        """When it is shown: what was kept is shown at once, and delays nothing that comes after."""
        at = picture.at
        if self._catching_up:
            at = max(at, round(self._pictures.line.now()))
        if self._newest is not None:
            at = max(at, self._newest + 1)
        self._newest = at
        return at

    def _hint(self) -> bytes:
        """Of a steady way each picture is shown as it comes; on an uneven one the player makes it even."""
        steady, uneven = self._hints
        return steady if self.health.jitter < UNEVEN_MS else uneven

    def _drop_waiting(self) -> None:
        """All but the picture of which a part has left."""
        begun = self._queue[0] if self._run else None
        self._queue.clear()
        if begun:
            self._queue.append(begun)

    def _refresh(self) -> None:
        """Its decoder begins anew, with what was kept since the last keyframe."""
        now = self._clock()
        under_way = self._catching_up and self._queue
        if not self._sealer or not self._pictures.group or under_way:
            return
        if now - self._refreshed >= REFRESH_EVERY:
            self._refreshed = now
            self._drop_waiting()
            self._queue.extend(self._pictures.group)
            self._catching_up, self._skipping = True, False
            if self.drain():
                self._wait(self)

    def _look_at_dtls(self) -> None:
        dtls = self._dtls
        wait = dtls.timeout()
        self._dtls_due = None if wait is None else self._clock() + wait
        if dtls.state == "connected" and dtls.keys and self._sealer is None:
            self._sealer, self._control = sealer(dtls.keys), Control(dtls.keys)
            self.tick()
            self._refresh()
        elif dtls.state in ("closed", "failed"):
            self.over = self.over or ("It has left." if dtls.state == "closed" else "DTLS failed.")

    def _hear(self, heard: rtcp.Heard) -> None:
        for number in heard.missing.get(self._video.source, ()):
            self._send_again(number)
        if heard.refresh:
            self._refresh()
        for report in heard.reports:
            if report.source == self._video.source:
                self.health.loss = report.fraction
                self.health.jitter = report.jitter / VIDEO_PER_MS
                if report.echo:
                    passed = rtcp.middle(time.time()) - report.echo - report.delay & 0xFFFF_FFFF
                    self.health.round_trip = passed / 65.536 if passed < 1 << 31 else 0.0
        if heard.goodbye:
            self.over = self.over or "It has left."

    def _send_again(self, number: int) -> None:
        found = self._video.find(number)
        self._repairs.refill(self._clock(), REPAIRS_PER_SECOND, most=REPAIRS_AT_ONCE)
        if found is None or self._repairs.left < 1 or not self._sealer or not self.address:
            return
        self._repairs.left -= 1
        self.repeated += 1
        if self._repair:
            packet = self._repair.seal_repair(self._sealer, found)
        else:
            packet = self._video.seal_again(self._sealer, found)
        self._port.send(packet, self.address)

    def _report(self) -> None:
        wall, now = time.time(), self._pictures.line.now()
        for track in (self._video, self._audio):
            if track:
                self._send_control(track.report(wall, now) + rtcp.description([track.source], self.name))

    def _send_control(self, data: bytes) -> None:
        if self._control and self.address:
            self._port.send(self._control.seal(data), self.address)

    def _send(self, data: bytes) -> None:
        if self.address:
            self._port.send(data, self.address)


def _tracks(offer: Offer, sources: Sources) -> tuple[Track, Repair | None, Track | None]:
    video, audio = offer.section("video"), offer.section("audio")
    if video is None or video.chosen is None:
        raise ValueError("an offer without video is not taken")
    repair = Repair(sources.repair, video.repair, VIDEO_PER_MS) if video.repair else None
    sound = Track(sources.audio, audio.chosen.payload_type, AUDIO_PER_MS) if audio and audio.chosen else None
    return Track(sources.video, video.chosen.payload_type, VIDEO_PER_MS), repair, sound


def _hints(offer: Offer) -> tuple[bytes, bytes]:
    """For a steady way and for an uneven one; nothing for a player that knows no such hint."""
    video = offer.section("video")
    number = video.playout_delay if video else None
    return (shown(number, at_once=True), shown(number, at_once=False)) if number else (b"", b"")
