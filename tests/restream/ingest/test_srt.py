"""The SRT port against real ffmpeg (libsrt), and against callers spelled out by hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restream.ingest.srt import TRIES_AT_ONCE, Patience, SrtServer, serve_srt
from restream.srt import handshake
from restream.srt.handshake import Handshake, Reject
from tests.restream.encoder import ended, ffmpeg
from tests.restream.ingest.studio import (
    AAC,
    FLASH,
    PICTURE,
    SECONDS,
    Keys,
    assert_in_order,
    children,
    decoded,
    flowing,
    key_material,
    onsets,
    until,
)

KEY, LOCKED = "a-key?user=1", "a-locked-key"
PASSPHRASE = "it's a +&% \"secret\\"
SLOW = "connect_timeout=20000"
"""libsrt waits three seconds for an answer by default, which a loaded test machine may need for a start."""


@pytest.fixture
def gate() -> Keys:
    return Keys({KEY: None, LOCKED: PASSPHRASE})


@pytest.fixture
async def server(gate: Keys) -> AsyncIterator[SrtServer]:
    running = await serve_srt(gate, "127.0.0.1", 0)
    yield running
    await running.close()
    assert not [line for line in children().values() if "srt" in line or "mpegts" in line]


@asynccontextmanager
async def encoder(
    server: SrtServer,
    stream_id: str,
    *options: str,
    picture: tuple[str, ...] = PICTURE,
    audio: tuple[str, ...] = AAC,
    seconds: float | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg publishing a test pattern at its own pace."""
    length = ("-t", str(seconds)) if seconds else ()
    output = ("-f", "mpegts", "-srt_streamid", stream_id, *options)
    address = f"srt://127.0.0.1:{server.port}?{SLOW}"
    async with ffmpeg("-re", *picture, *audio, *length, *output, address) as process:
        yield process


async def test_what_ffmpeg_publishes_arrives_and_can_be_decoded(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{KEY}", seconds=3) as process:
        intake = await flowing(gate, KEY)
        code, said = await ended(process)
        assert code == 0, said
    await until(lambda: intake.reason is not None)
    assert intake.reason == "The encoder stopped."
    assert (intake.request.app, intake.request.protocol, intake.request.peer) == ("live", "srt", "127.0.0.1")
    assert intake.request.encoder.startswith("SRT 1.")
    assert_in_order(intake.frames)
    pictures, sounds = decoded(intake.frames)
    assert pictures == len(intake.pictures()) >= 60
    assert sounds >= 60
    assert intake.described["width"] == 320.0


async def test_an_encrypted_publisher_is_read_and_its_passphrase_is_on_no_command_line(
    gate: Keys, server: SrtServer
) -> None:
    async with encoder(server, f"#!::m=publish,r={LOCKED}", "-passphrase", PASSPHRASE):
        intake = await flowing(gate, LOCKED)
        ours = [line for line in children().values() if "concat" in line or "mpegts -i pipe" in line]
        assert len(ours) == 2
        assert not [line for line in ours if "secret" in line or LOCKED in line]
    assert_in_order(intake.frames)
    assert decoded(intake.frames)[0] >= 30


@pytest.mark.parametrize(
    ("stream_id", "passphrase", "code"),
    [
        ("publish:guess", None, Reject.UNAUTHORIZED),
        ("publish:guess", "does not matter", Reject.UNAUTHORIZED),
        ("nonsense", None, Reject.BAD_REQUEST),
        ("#!::m=request,r=a-key", None, Reject.BAD_MODE),
        (f"publish:{LOCKED}", "not the passphrase", Reject.BAD_SECRET),
        (f"publish:{LOCKED}", None, Reject.UNSECURE),
        (f"publish:{KEY}", "nobody asked for one", Reject.UNSECURE),
    ],
)
async def test_who_must_not_publish_is_turned_away_before_a_show_notices(
    gate: Keys, server: SrtServer, stream_id: str, passphrase: str | None, code: Reject
) -> None:
    material = key_material(passphrase, b"k" * 16) if passphrase else None
    async with caller(server) as stranger:
        assert (await stranger.knock(stream_id, material)).kind == handshake.FIRST_REJECTION + code
    assert not gate.intakes
    assert not [line for line in children().values() if "concat" in line]


async def test_ffmpeg_hears_that_it_is_turned_away(gate: Keys, server: SrtServer) -> None:
    async with (
        encoder(server, "publish:guess") as stranger,
        encoder(server, f"publish:{LOCKED}", "-passphrase", "not the passphrase") as guesser,
        encoder(server, f"publish:{LOCKED}") as careless,
    ):
        began = asyncio.get_running_loop().time()
        for process in (stranger, guesser, careless):
            code, said = await ended(process)
            assert code != 0, said
        assert asyncio.get_running_loop().time() - began < 20, "it was told, and did not wait in vain"
    assert not gate.intakes


async def test_a_wrong_passphrase_does_not_cut_the_one_who_publishes(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{LOCKED}", "-passphrase", PASSPHRASE):
        intake = await flowing(gate, LOCKED)
        async with encoder(server, f"publish:{LOCKED}", "-passphrase", "a guess is not it") as other:
            assert (await ended(other))[0] != 0
        before = len(intake.pictures())
        await until(lambda: len(intake.pictures()) > before + 15)
        assert gate.intakes == [intake]


async def test_two_publishers_share_the_port(gate: Keys, server: SrtServer) -> None:
    gate.keys["another"] = None
    async with encoder(server, f"publish:{KEY}"), encoder(server, "publish:another") as other:
        first, second = await flowing(gate, KEY), await flowing(gate, "another")
        other.send_signal(signal.SIGTERM)
        await until(lambda: second.reason is not None)
        before = len(first.pictures())
        await until(lambda: len(first.pictures()) > before + 30)
    assert decoded(first.frames)[0] == len(first.pictures())


async def test_whoever_has_the_key_takes_over(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{KEY}") as first:
        before = await flowing(gate, KEY)
        async with encoder(server, f"publish:{KEY}"):
            await until(lambda: before.reason is not None)
            assert before.reason == "Another encoder took over."
            assert (await ended(first))[0] != 0, "the first hears that it was cut"
            await flowing(gate, KEY, after=before)


async def test_a_taken_show_is_a_conflict(server: SrtServer, gate: Keys) -> None:
    gate.takeover = False
    async with encoder(server, f"publish:{KEY}"):
        await flowing(gate, KEY, 1)
        async with caller(server) as strange:
            assert (await strange.knock(f"publish:{KEY}")).kind == handshake.FIRST_REJECTION + Reject.CONFLICT


async def test_a_killed_encoder_is_noticed_and_its_processes_end(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{KEY}") as process:
        intake = await flowing(gate, KEY)
        process.kill()
        await until(lambda: intake.reason is not None)
    assert intake.reason == "The encoder stopped."
    await until(lambda: not [line for line in children().values() if "concat" in line])


async def test_a_killed_listener_ends_its_publisher_and_no_other(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{KEY}"):
        intake = await flowing(gate, KEY)
        (victim,) = [pid for pid, line in children().items() if "concat" in line]
        os.kill(victim, signal.SIGKILL)
        await until(lambda: intake.reason is not None)
    async with encoder(server, f"publish:{KEY}"):
        await flowing(gate, KEY, after=intake)


async def test_sound_that_flv_cannot_carry_becomes_aac(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{KEY}", audio=("-c:a", "mp2", "-ac", "2")):
        intake = await flowing(gate, KEY)
    pictures, sounds = decoded(intake.frames)
    assert pictures == len(intake.pictures())
    assert sounds > 10


async def test_sound_and_picture_stay_together(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{KEY}", picture=FLASH, audio=("-c:a", "mp2", "-ac", "2")):
        intake = await flowing(gate, KEY, 90)
    white, tone = onsets(intake.frames)
    assert min(abs(white[-2] - heard) for heard in tone) < 0.1


async def test_b_frames_keep_their_order(gate: Keys, server: SrtServer) -> None:
    async with encoder(server, f"publish:{KEY}", "-tune", "film", "-bf", "2"):
        intake = await flowing(gate, KEY, 60)
    assert_in_order(intake.frames)
    assert any(frame.cts > 0 for frame in intake.pictures())
    assert decoded(intake.frames)[0] >= 60


async def test_a_caller_that_brings_nothing_is_cut(gate: Keys) -> None:
    server = await serve_srt(gate, "127.0.0.1", 0, patience=Patience(greeting=2.0, silence=2.0))
    silent = ("-f", "data", "-srt_streamid", f"publish:{KEY}", f"srt://127.0.0.1:{server.port}?{SLOW}")
    with contextlib.closing(Fifo()) as fifo:
        async with ffmpeg("-f", "data", "-i", fifo.path, "-map", "0", "-c", "copy", *silent):
            fifo.write(b"x")
            await until(lambda: gate.intakes and gate.intakes[0].reason)
    assert not gate.intakes[0].frames
    await server.close()


class Lossy(asyncio.DatagramProtocol):
    """Stands between one caller and the port, and loses every twentieth packet of the caller's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._count = self.lost = 0
        self._transport: Any = None
        self._caller: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        if address[1] == self._port:
            self._transport.sendto(data, self._caller)
            return
        self._caller = address
        self._count += 1
        if self._count % 20 == 0:
            self.lost += 1
        else:
            self._transport.sendto(data, ("127.0.0.1", self._port))

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])


async def test_lost_packets_are_sent_again(gate: Keys, server: SrtServer) -> None:
    transport, lossy = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Lossy(server.port), local_addr=("127.0.0.1", 0)
    )
    address = f"srt://127.0.0.1:{lossy.port}?{SLOW}&latency=2000000"
    output = ("-f", "mpegts", "-srt_streamid", f"publish:{KEY}", address)
    async with ffmpeg("-re", *PICTURE, *AAC, *output):
        intake = await flowing(gate, KEY, 60)
    transport.close()
    assert lossy.lost >= 5
    times = [frame.dts for frame in intake.pictures()]
    assert {round((b - a) / 33.4) for a, b in itertools.pairwise(times)} == {1}, "no picture is missing"
    assert decoded(intake.frames)[0] == len(intake.pictures())


class Fifo:
    """A named pipe that says next to nothing and does not end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.path = str(Path(self._folder.name) / "fifo")
        os.mkfifo(self.path)
        self._file = os.open(self.path, os.O_RDWR)

    def write(self, data: bytes) -> None:
        os.write(self._file, data * 1316)

    def close(self) -> None:
        os.close(self._file)
        self._folder.cleanup()


class Stranger(asyncio.DatagramProtocol):
    """A caller, one packet at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, _: Any) -> None:
        self.heard.put_nowait(data)

    def say(self, packet: Handshake | bytes) -> None:
        """One packet."""
        assert self.transport
        self.transport.sendto(packet if isinstance(packet, bytes) else handshake.serialise(packet))

    async def hear(self) -> Handshake:
        """The next answer."""
        async with asyncio.timeout(SECONDS):
            return handshake.parse(await self.heard.get())

    async def induce(self) -> Handshake:
        """Get a cookie."""
        self.say(Handshake(kind=handshake.INDUCTION, version=4, extension=2, socket=77))
        return await self.hear()

    def conclusion(self, stream_id: str, cookie: int, material: bytes | None = None) -> Handshake:
        """As a caller of libsrt would conclude."""
        hello = (handshake.HSREQ, bytes([0, 1, 5, 4]) + bytes(8))
        extensions = [
            hello,
            *([(handshake.KMREQ, material)] if material else []),
            handshake.stream_id(stream_id),
        ]
        return Handshake(
            kind=handshake.CONCLUSION, extension=7, socket=77, cookie=cookie, extensions=tuple(extensions)
        )

    async def knock(self, stream_id: str, material: bytes | None = None) -> Handshake:
        """Induction and conclusion; the answer to the second."""
        self.say(self.conclusion(stream_id, (await self.induce()).cookie, material))
        return await self.hear()


@asynccontextmanager
async def caller(server: SrtServer) -> AsyncIterator[Stranger]:
    """A stranger at the port."""
    transport, stranger = await asyncio.get_running_loop().create_datagram_endpoint(
        Stranger, remote_addr=("127.0.0.1", server.port)
    )
    try:
        yield stranger
    finally:
        transport.close()


async def test_a_forged_cookie_gets_no_answer(gate: Keys, server: SrtServer) -> None:
    async with caller(server) as stranger:
        cookie = (await stranger.induce()).cookie
        stranger.say(stranger.conclusion(f"publish:{KEY}", cookie ^ 1))
        answer = await stranger.induce()
        assert answer.kind == handshake.INDUCTION, (
            "the first answer after the forgery is to the next question"
        )
    assert gate.asked == 0


async def test_a_cookie_belongs_to_one_address(server: SrtServer) -> None:
    async with caller(server) as one, caller(server) as other:
        assert (await one.induce()).cookie != (await other.induce()).cookie
        assert (await one.induce()).version == handshake.VERSION


async def test_old_and_odd_handshakes_are_refused(gate: Keys, server: SrtServer) -> None:
    async with caller(server) as stranger:
        cookie = (await stranger.induce()).cookie
        stranger.say(replace(stranger.conclusion(f"publish:{KEY}", cookie), version=4))
        assert (await stranger.hear()).kind == handshake.FIRST_REJECTION + Reject.VERSION
    assert not gate.intakes


async def test_junk_is_ignored(gate: Keys, server: SrtServer) -> None:
    async with caller(server) as stranger:
        packet = handshake.serialise(stranger.conclusion(f"publish:{KEY}", (await stranger.induce()).cookie))
        for junk in (
            b"",
            b"x",
            handshake.MARK,
            packet[:60],
            packet[:70],
            packet[:-3],
            b"\x80\1" + packet[2:],
        ):
            stranger.say(junk)
        stranger.say(replace(handshake.parse(packet), to=5))
        assert (await stranger.induce()).kind == handshake.INDUCTION
        assert stranger.heard.empty()
    assert gate.asked == 0


async def test_guessing_keys_is_slowed_down(gate: Keys, server: SrtServer) -> None:
    async with caller(server) as stranger:
        answers = [await stranger.knock(f"publish:guess{n}") for n in range(int(TRIES_AT_ONCE) + 5)]
    assert answers[0].kind == handshake.FIRST_REJECTION + Reject.UNAUTHORIZED
    assert answers[-1].kind == handshake.FIRST_REJECTION + Reject.OVERLOAD
    assert gate.asked == 0
