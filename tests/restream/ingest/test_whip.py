"""WHIP with real clients: ffmpeg's muxer and aiortc; and its HTTP, request by request."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from restream.ingest.rtc import UdpPort, open_port
from restream.ingest.whip import WhipApp
from restream.ingest.whip_session import Patience
from restream.serving import serving
from tests.restream.encoder import ended, ffmpeg
from tests.restream.ingest.studio import (
    FLASH,
    PICTURE,
    Keys,
    assert_in_order,
    children,
    decoded,
    flowing,
    onsets,
    until,
)

KEY = "a-key"
OPUS = ("-c:a", "libopus", "-ac", "2", "-b:a", "64k")
SDP = "application/sdp"


@dataclass
class Server:
    """A running app."""

    app: WhipApp
    udp: UdpPort
    port: int
    gate: Keys

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/live/show/whip"


@pytest.fixture
def gate() -> Keys:
    return Keys({KEY: None, "another": None})


@asynccontextmanager
async def running(
    gate: Keys, patience: Patience | None = None, udp: UdpPort | None = None
) -> AsyncIterator[Server]:
    udp = udp or await open_port("127.0.0.1", 0)
    app = WhipApp(gate, lambda slug: slug == "show", udp, patience)
    async with serving(app, "127.0.0.1", 0) as port:
        yield Server(app, udp, port, gate)
        await app.close()
    udp.close()
    assert not [line for line in children().values() if "flv -i pipe:0" in line]


@pytest.fixture
async def server(gate: Keys) -> AsyncIterator[Server]:
    async with running(gate) as found:
        yield found


@asynccontextmanager
async def encoder(
    server: Server,
    *options: str,
    key: str = KEY,
    picture: tuple[str, ...] = PICTURE,
    audio: tuple[str, ...] = OPUS,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg's WHIP muxer."""
    baseline = ("-profile:v", "baseline")
    output = ("-f", "whip", "-handshake_timeout", "20000", "-authorization", key, server.address)
    async with ffmpeg("-re", *picture, *baseline, *audio, *options, *output) as process:
        yield process


async def test_what_ffmpeg_publishes_arrives_and_can_be_decoded(gate: Keys, server: Server) -> None:
    async with encoder(server) as process:
        intake = await flowing(gate, KEY)
        process.send_signal(signal.SIGTERM)
        await until(lambda: intake.reason is not None)
        await ended(process)
    assert intake.reason == "The encoder stopped."
    request = intake.request
    assert (request.app, request.protocol, request.slug, request.peer) == (
        "live",
        "whip",
        "show",
        "127.0.0.1",
    )
    assert_in_order(intake.frames)
    pictures, sounds = decoded(intake.frames)
    assert pictures == len(intake.pictures())
    assert sounds >= 20
    await until(lambda: not [line for line in children().values() if "flv -i pipe:0" in line])


async def test_sound_and_picture_stay_together(gate: Keys, server: Server) -> None:
    async with encoder(server, picture=FLASH):
        intake = await flowing(gate, KEY, 100)
    white, tone = onsets(intake.frames)
    # The first pictures are late, because the encoder had to start, and it then catches up little by little.
    assert min(abs(white[-2] - heard) for heard in tone) < 0.2


@dataclass
class Client:
    """aiortc as a publisher: offers, is answered, sends what its encoders make of a blank picture."""

    server: Server
    codec: str = "video/H264"

    def __post_init__(self) -> None:
        self.peer = RTCPeerConnection()
        self.location = self.etag = ""

    async def offer(self, *, sound: bool = True) -> str:
        """Its offer."""
        self.peer.addTrack(VideoStreamTrack())
        transceiver = self.peer.getTransceivers()[0]
        codecs = [
            codec
            for codec in RTCRtpSender.getCapabilities("video").codecs
            if codec.mimeType in (self.codec, "video/rtx")
        ]
        transceiver.setCodecPreferences(codecs)
        transceiver.direction = "sendonly"
        if sound:
            self.peer.addTrack(AudioStreamTrack())
            self.peer.getTransceivers()[1].direction = "sendonly"
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def publish(self, http: httpx.AsyncClient, *, sound: bool = True, key: str = KEY) -> str:
        """Until it is answered; the answer."""
        answer = await post(http, self.server, await self.offer(sound=sound), key=key)
        assert answer.status_code == 201, answer.text
        self.location, self.etag = answer.headers["location"], answer.headers["etag"]
        await self.peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        return answer.text

    @property
    def session(self) -> str:
        return f"http://127.0.0.1:{self.server.port}{self.location}"


async def post(
    http: httpx.AsyncClient,
    server: Server,
    body: str,
    *,
    key: str | None = KEY,
    kind: str = SDP,
    show: str = "show",
) -> httpx.Response:
    """An offer by hand."""
    headers = {"content-type": kind} | ({"authorization": f"Bearer {key}"} if key else {})
    address = server.address.replace("/show/", f"/{show}/")
    return await http.post(address, content=body.encode(), headers=headers)


@asynccontextmanager
async def client(server: Server, codec: str = "video/H264") -> AsyncIterator[Client]:
    made = Client(server, codec)
    try:
        yield made
    finally:
        await made.peer.close()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as made:
        yield made


async def test_a_webrtc_client_publishes_and_is_asked_for_keyframes(
    gate: Keys, server: Server, http: httpx.AsyncClient
) -> None:
    async with client(server) as publisher:
        answer = await publisher.publish(http)
        assert "H264/90000" in answer
        assert "VP8" not in answer
        intake = await flowing(gate, KEY)
        # Left alone, aiortc's encoder makes one keyframe in 3000 pictures.
        await until(lambda: sum(frame.keyframe for frame in intake.pictures()) >= 2)
    await until(lambda: intake.reason is not None)
    assert intake.reason == "The encoder stopped.", "it has said goodbye"
    assert_in_order(intake.frames)
    assert decoded(intake.frames)[0] == len(intake.pictures())


class Lossy(UdpPort):
    """A port that loses every twentieth packet of media."""

    def __init__(self) -> None:
        super().__init__(["127.0.0.1"])
        self.lost = self._count = 0

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._count += data[0] >= 128
        if data[0] >= 128 and self._count % 20 == 0:
            self.lost += 1
        else:
            super().datagram_received(data, address)


async def test_lost_packets_are_asked_for_again(gate: Keys, http: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()
    _, lossy = await loop.create_datagram_endpoint(Lossy, local_addr=("127.0.0.1", 0))
    async with running(gate, udp=lossy) as server, client(server) as publisher:
        await publisher.publish(http, sound=False)
        await until(lambda: gate.intakes and len(gate.intakes[0].pictures()) >= 75)
    intake = gate.intakes[0]
    assert lossy.lost >= 3
    times = [frame.dts for frame in intake.pictures()]
    assert max(b - a for a, b in itertools.pairwise(times)) < 60, "no picture was left out"
    assert decoded(intake.frames)[0] == len(intake.pictures())


async def test_a_feed_without_sound_is_taken(gate: Keys, server: Server, http: httpx.AsyncClient) -> None:
    async with client(server) as publisher:
        await publisher.publish(http, sound=False)
        await until(lambda: gate.intakes and len(gate.intakes[0].pictures()) >= 30)
    assert not gate.intakes[0].sounds()
    assert decoded(gate.intakes[0].frames) == (len(gate.intakes[0].pictures()), 0)


async def test_two_publishers_share_the_udp_port(gate: Keys, server: Server) -> None:
    async with encoder(server), encoder(server, key="another") as other:
        first, second = await flowing(gate, KEY), await flowing(gate, "another")
        other.send_signal(signal.SIGTERM)
        await until(lambda: second.reason is not None)
        before = len(first.pictures())
        await until(lambda: len(first.pictures()) > before + 15)
    assert decoded(second.frames)[0] == len(second.pictures())


async def test_an_encoder_that_vanishes_is_noticed(gate: Keys) -> None:
    assert Patience().silence <= 30
    async with running(gate, Patience(silence=2.0)) as server, encoder(server) as process:
        intake = await flowing(gate, KEY)
        process.kill()
        await until(lambda: intake.reason is not None)
    assert intake.reason == "The encoder was silent for 2 seconds."


async def test_ending_the_session_ends_the_publish(
    gate: Keys, server: Server, http: httpx.AsyncClient
) -> None:
    async with client(server) as publisher:
        await publisher.publish(http)
        await flowing(gate, KEY, 5)
        assert (await http.delete(publisher.session)).status_code == 200
        assert gate.intakes[0].reason == "The encoder stopped."
        await until(lambda: not [line for line in children().values() if "flv -i pipe:0" in line])
        async with asyncio.timeout(10):
            while (await http.delete(publisher.session)).status_code != 404:
                await asyncio.sleep(0.02)
        fragment = {"content-type": "application/trickle-ice-sdpfrag", "if-match": "*"}
        assert (await http.patch(publisher.session, content=b"", headers=fragment)).status_code == 404


async def test_whoever_is_kicked_hears_it(gate: Keys, server: Server, http: httpx.AsyncClient) -> None:
    async with client(server) as publisher:
        await publisher.publish(http)
        await flowing(gate, KEY, 5)
        gate.intakes[0].kick("The stream key has been changed.")
        assert gate.intakes[0].reason == "The stream key has been changed."
        await until(lambda: publisher.peer.connectionState in ("closed", "failed"))


async def test_who_never_connects_is_given_up(gate: Keys, http: httpx.AsyncClient) -> None:
    async with running(gate, Patience(connecting=0.5)) as server, client(server) as publisher:
        offer = await publisher.offer()
        quiet = (
            "\r\n".join(line for line in offer.splitlines() if not line.startswith("a=candidate")) + "\r\n"
        )
        assert (await post(http, server, quiet)).status_code == 201
        await until(lambda: gate.intakes[0].reason is not None)
        assert "firewall" in (gate.intakes[0].reason or "")


@pytest.mark.parametrize(
    ("key", "show", "status"),
    [(None, "show", 401), ("guess", "show", 401), (KEY, "other", 404)],
)
async def test_only_a_known_key_for_a_known_show_is_let_in(
    gate: Keys, server: Server, http: httpx.AsyncClient, key: str | None, show: str, status: int
) -> None:
    async with client(server) as publisher:
        found = await post(http, server, await publisher.offer(), key=key, show=show)
    assert found.status_code == status
    assert ("www-authenticate" in found.headers) == (status == 401)
    assert not gate.intakes


async def test_a_taken_show_is_a_conflict(gate: Keys, server: Server, http: httpx.AsyncClient) -> None:
    gate.takeover = False
    async with client(server) as first, client(server) as second:
        await first.publish(http)
        found = await post(http, server, await second.offer())
        assert found.status_code == 409
        assert found.text == "Somebody publishes already.\n"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("", SDP, 400),
        ("hello", SDP, 400),
        ("v=0\r\nm=video\r\n", SDP, 400),
        ("v=0\r\n", SDP, 400),
        ("v=0\r\n", "application/json", 415),
        ("x" * (70 << 10), SDP, 413),
    ],
)
async def test_a_bad_request_is_told_so(
    gate: Keys, server: Server, http: httpx.AsyncClient, body: str, kind: str, status: int
) -> None:
    assert (await post(http, server, body, kind=kind)).status_code == status
    assert gate.asked == 0


async def test_an_offer_without_h264_is_not_acceptable(
    gate: Keys, server: Server, http: httpx.AsyncClient
) -> None:
    async with client(server, "video/VP8") as publisher:
        found = await post(http, server, await publisher.offer())
    assert found.status_code == 406
    assert "H.264" in found.text
    assert gate.asked == 0


async def test_candidates_may_come_later(gate: Keys, server: Server, http: httpx.AsyncClient) -> None:
    async with client(server) as publisher:
        await publisher.publish(http)
        kind = {"content-type": "application/trickle-ice-sdpfrag"}
        fragment = b"m=video 9 X 0\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"

        async def patch(body: bytes = fragment, **headers: str) -> int:
            named = kind | {name.replace("_", "-"): value for name, value in headers.items()}
            found = await http.patch(publisher.session, content=body, headers=named)
            return found.status_code

        assert await patch() == 428
        assert await patch(if_match='"other"') == 412
        assert await patch(if_match=publisher.etag) == 204
        assert await patch(if_match=publisher.etag, content_type=SDP) == 415
        assert await patch(b"a=ice-ufrag:another\r\n" + fragment, if_match="*") == 422
        assert await patch(b"\xff", if_match=publisher.etag) == 400
        await flowing(gate, KEY, 5)


async def test_browsers_of_other_origins_may_ask(server: Server, http: httpx.AsyncClient) -> None:
    found = await http.options(server.address)
    assert found.status_code == 200
    assert found.headers["accept-post"] == SDP
    assert found.headers["access-control-allow-origin"] == "*"
    assert "authorization" in found.headers["access-control-allow-headers"]
    assert "PATCH" in found.headers["access-control-allow-methods"]
    for method in ("GET", "HEAD"):
        assert (await http.request(method, server.address)).status_code == 204
    assert (await http.put(server.address)).status_code == 405
    for other in ("/unknown", "/", "/a/b", "x"):
        assert (await http.get(server.address + other)).status_code == 404


async def test_a_session_is_named_to_scripts_of_other_origins(
    server: Server, http: httpx.AsyncClient
) -> None:
    async with client(server) as publisher:
        found = await post(http, server, await publisher.offer())
    exposed = ", ".join(found.headers.get_list("access-control-expose-headers"))
    assert "Location" in exposed
    assert "ETag" in exposed
    assert len(found.headers["location"].rpartition("/")[2]) >= 32
    assert KEY not in found.text


async def test_guessing_keys_is_slowed_down(server: Server, http: httpx.AsyncClient) -> None:
    codes = [(await post(http, server, "v=0\r\n", key="guess")).status_code for _ in range(14)]
    assert codes[0] == 400
    assert codes[-1] == 429


async def test_junk_on_the_udp_port_disturbs_nobody(gate: Keys, server: Server) -> None:
    class Junk(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Junk, remote_addr=("127.0.0.1", server.udp.port)
    )
    async with encoder(server):
        intake = await flowing(gate, KEY, 5)
        stun = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
        for junk in (b"", b"x", stun, stun[:19], stun + b"\0\6\0\4abcd", b"\x80" * 100, b"\x16" * 100):
            transport.sendto(junk)
        before = len(intake.pictures())
        await until(lambda: len(intake.pictures()) > before + 15)
    transport.close()
