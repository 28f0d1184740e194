"""The server against real ffmpeg and against an encoder spelled out by hand."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import structlog

from restream.certificate import development_certificate
from restream.media import Kind
from restream.rtmp import amf0, handshake, message
from restream.rtmp.chunk import LARGEST_COMMAND, serialise
from restream.rtmp.feed import MOST_BROKEN_TAGS
from restream.rtmp.message import ACK, AUDIO, DATA, SET_CHUNK, USER_CONTROL, VIDEO, Message, u32
from restream.rtmp.server import Patience, RtmpServer, serve
from restream.tls import client_context, server_context
from tests.restream.encoder import ended, expected, publishing
from tests.restream.hls.feed import Shape
from tests.restream.rtmp.peers import KEY, SECONDS, NotingGate, Peer, peer

SHAPE = Shape(seconds=2, gop=30, bframes=2)
PLAYPATH = ("-rtmp_app", "live", "-rtmp_playpath", KEY)
PICTURE = Message(VIDEO, 0, 1, b"\x17\x01\0\0\0picture")
SOUND = Message(AUDIO, 0, 1, b"\xaf\x01sound")


async def test_every_frame_ffmpeg_sends_arrives(gate: NotingGate, server: RtmpServer) -> None:
    async with publishing(SHAPE, f"rtmp://127.0.0.1:{server.port}/live", *PLAYPATH) as process:
        code, said = await ended(process)
    assert code == 0, said
    intake = await gate.intake()
    await intake.until(intake.over.is_set)
    wanted = expected(SHAPE)
    for kind in (Kind.VIDEO, Kind.AUDIO):
        got = [(f.dts, f.cts, f.keyframe, f.header, f.body) for f in intake.frames if f.kind == kind]
        assert got == [(f.dts, f.cts, f.keyframe, f.header, f.body) for f in wanted if f.kind == kind]
    assert (intake.request.app, intake.request.key) == ("live", KEY)
    assert intake.described["width"] == 320.0
    assert all(frame.arrived > 1_700_000_000 for frame in intake.frames)


async def test_ffmpeg_publishes_through_tls(gate: NotingGate, tmp_path: Path) -> None:
    certificate, key = development_certificate(tmp_path)
    server = await serve(gate, "127.0.0.1", 0, ssl=server_context(certificate, key))
    trust = ("-ca_file", str(certificate))
    async with publishing(SHAPE, f"rtmps://127.0.0.1:{server.port}/live", *PLAYPATH, *trust) as process:
        code, said = await ended(process)
    assert code == 0, said
    intake = await gate.intake()
    await intake.until(intake.over.is_set)
    assert len(intake.frames) == len(expected(SHAPE))
    await server.close()


async def test_ffmpeg_with_a_wrong_key_fails_and_says_why(gate: NotingGate, server: RtmpServer) -> None:
    async with publishing(SHAPE, f"rtmp://127.0.0.1:{server.port}/live/guess") as process:
        code, said = await ended(process)
    assert code != 0
    assert "No show has this stream key." in said
    assert not gate.intakes


async def test_a_wrong_key_is_refused_before_start_is_said(encoder: Peer) -> None:
    info = await encoder.publish("guess")
    assert (info["level"], info["code"]) == ("error", "NetStream.Publish.BadName")
    await encoder.left()
    commands = [message.parse_command(found) for found in encoder.seen if found.kind == message.COMMAND]
    assert [found.name for found in commands] == ["_result", "_result", "onStatus"]


async def test_an_encoder_that_announces_its_key_hears_no_start_either(encoder: Peer) -> None:
    await encoder.connect()
    encoder.say("releaseStream", 2, None, "guess")
    encoder.say("FCPublish", 3, None, "guess")
    encoder.say("createStream", 4, None)
    encoder.say("publish", 5, None, "guess", "live", stream=1)
    assert (await encoder.status())["code"] == "NetStream.Publish.BadName"
    await encoder.left()
    assert not any(b"Publish.Start" in found.payload for found in encoder.seen)


async def test_start_is_said_only_after_the_gate_admitted(gate: NotingGate, encoder: Peer) -> None:
    gate.open.clear()
    starting = asyncio.create_task(encoder.publish())
    async with asyncio.timeout(SECONDS):
        await gate.asked.wait()
    assert not starting.done()
    gate.open.set()
    assert (await starting)["code"] == "NetStream.Publish.Start"
    begin = message.user_control(message.STREAM_BEGIN, 1)
    assert any(found.payload == begin.payload for found in encoder.seen if found.kind == USER_CONTROL)


async def test_the_order_of_obs_gets_the_answers_obs_waits_for(gate: NotingGate, encoder: Peer) -> None:
    await encoder.connect()
    encoder.send(u32(SET_CHUNK, 4096), 2)
    encoder.say("releaseStream", 2, None, KEY)
    encoder.say("FCPublish", 3, None, KEY)
    encoder.say("createStream", 4, None)
    answers = {}
    for _ in range(3):
        found = await encoder.command("_result")
        answers[found.transaction] = found.arguments
    assert answers[4.0] == [1.0]
    assert set(answers) == {2.0, 3.0, 4.0}
    encoder.say("publish", 5, None, KEY, "live", stream=1)
    assert (await encoder.status())["code"] == "NetStream.Publish.Start"
    meta = amf0.encode("@setDataFrame", "onMetaData") + amf0.encode_ecma_array({"encoder": "obs-output"})
    encoder.send(Message(DATA, 0, 1, meta), 4, 4096)
    encoder.send(PICTURE, 4, 4096)
    intake = await gate.intake()
    await intake.until(lambda: len(intake.frames) == 1)
    assert intake.described == {"encoder": "obs-output"}
    encoder.say("FCUnpublish", 6, None, KEY)
    encoder.say("deleteStream", 7, None, 1.0)
    await intake.until(intake.over.is_set)
    assert intake.reason == "The encoder stopped."


async def test_a_connection_is_told_window_bandwidth_and_chunk_size(encoder: Peer) -> None:
    await encoder.connect()
    kinds = [found.kind for found in encoder.seen]
    assert kinds == [message.WINDOW_ACK, message.PEER_BANDWIDTH, message.SET_CHUNK, message.COMMAND]


@pytest.mark.parametrize("arguments", [(), ("",), (5.0,)])
async def test_publish_without_a_key_is_refused(encoder: Peer, arguments: tuple[amf0.Value, ...]) -> None:
    await encoder.connect()
    encoder.say("publish", 3, None, *arguments, stream=1)
    assert (await encoder.status())["code"] == "NetStream.Publish.BadName"
    await encoder.left()


async def test_one_connection_publishes_once(gate: NotingGate, encoder: Peer) -> None:
    await encoder.publish()
    encoder.say("publish", 4, None, KEY, "live", stream=1)
    assert (await encoder.status())["code"] == "NetStream.Publish.BadName"
    assert len(gate.intakes) == 1


async def test_play_is_refused_and_nothing_after_it_counts(gate: NotingGate, encoder: Peer) -> None:
    await encoder.connect()
    encoder.say("play", 3, None, "key", stream=1)
    encoder.say("publish", 4, None, KEY, "live", stream=1)
    info = await encoder.status()
    assert info["code"] == "NetStream.Play.Failed"
    await encoder.left()
    assert not gate.asked.is_set()


async def test_media_before_publish_ends_the_connection(gate: NotingGate, encoder: Peer) -> None:
    await encoder.connect()
    encoder.send(PICTURE)
    await encoder.left()
    assert not gate.intakes


async def test_what_is_not_rtmp_is_hung_up_on(server: RtmpServer) -> None:
    async with peer(server.port) as browser:
        browser.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await browser.left()


async def test_a_greeting_may_come_in_pieces_and_with_the_first_commands(
    gate: NotingGate, server: RtmpServer
) -> None:
    async with peer(server.port) as hasty:
        hello = bytes([handshake.VERSION]) + handshake.hello()
        for at in range(0, len(hello), 100):
            hasty.writer.write(hello[at : at + 100])
            await hasty.writer.drain()
        connect = serialise(message.command("connect", 1, {"app": "live"}), 3, 128)
        publish = serialise(message.command("publish", 2, None, KEY), 3, 128)
        hasty.writer.write(handshake.hello() + connect + publish)
        await hasty.skip(1 + 2 * handshake.SIZE)
        assert (await hasty.status())["code"] == "NetStream.Publish.Start"


async def test_a_long_message_is_taken_only_from_who_was_admitted(
    gate: NotingGate, server: RtmpServer, encoder: Peer
) -> None:
    big = Message(VIDEO, 0, 1, b"\x17\x01\0\0\0" + bytes(LARGEST_COMMAND))
    await encoder.publish()
    encoder.send(big)
    intake = await gate.intake()
    await intake.until(lambda: len(intake.frames) == 1)
    async with peer(server.port) as stranger:
        await stranger.connect()
        stranger.send(big)
        await stranger.left()


async def test_who_does_not_read_our_answers_is_cut(server: RtmpServer) -> None:
    async with peer(server.port, receive_buffer=4096) as deaf:
        await deaf.connect()
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport
        asked = serialise(message.command("connect", 1), 3, 128) * 2000
        with pytest.raises(ConnectionError):
            await _keep_asking(deaf, asked)


async def _keep_asking(deaf: Peer, asked: bytes) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            deaf.writer.write(asked)
            await deaf.writer.drain()


async def test_a_few_broken_tags_are_overlooked_and_many_are_not(
    gate: NotingGate, server: RtmpServer, encoder: Peer
) -> None:
    async with peer(server.port) as other:
        await encoder.publish()
        await other.publish()
        first, second = await gate.intake(0), await gate.intake(1)
        for _ in range(MOST_BROKEN_TAGS - 1):
            encoder.send(Message(VIDEO, 0, 1, b"\x17"))
            other.send(SOUND)
        encoder.send(PICTURE)
        await first.until(lambda: len(first.frames) == 1)
        encoder.send(Message(DATA, 0, 1, b"\x02\xff\xff"))
        info = await encoder.status()
        assert info["code"] == "NetStream.Publish.Rejected"
        await first.until(first.over.is_set)
        other.send(SOUND)
        await second.until(lambda: len(second.frames) == MOST_BROKEN_TAGS)
        assert not second.over.is_set()


async def test_another_codec_is_refused_with_what_to_do(gate: NotingGate, encoder: Peer) -> None:
    await encoder.publish()
    encoder.send(Message(VIDEO, 0, 1, b"\x90vp09config"))
    info = await encoder.status()
    assert info["code"] == "NetStream.Publish.Rejected"
    assert "H.264" in str(info["description"])
    intake = await gate.intake()
    await intake.until(intake.over.is_set)


async def test_a_garbled_chunk_stream_ends_the_publish(gate: NotingGate, encoder: Peer) -> None:
    await encoder.publish()
    encoder.send(u32(SET_CHUNK, 0), 2)
    intake = await gate.intake()
    await intake.until(intake.over.is_set)
    assert intake.reason.startswith("Broken RTMP")


async def test_pings_are_answered_and_bytes_acknowledged(encoder: Peer) -> None:
    await encoder.publish()
    encoder.send(message.user_control(message.PING, 77), 2)
    encoder.send(u32(message.WINDOW_ACK, 20_000), 2)
    for _ in range(40):
        encoder.send(Message(VIDEO, 0, 1, b"\x17\x01\0\0\0" + bytes(1000)))
    async with asyncio.timeout(SECONDS):
        while (found := await encoder.receive()) and found.kind != ACK:
            pass
    assert found is not None
    assert int.from_bytes(found.payload, "big") >= 10_000
    assert message.user_control(message.PONG, 77).payload in [found.payload for found in encoder.seen]


async def test_who_publishes_nothing_is_cut(gate: NotingGate) -> None:
    server = await serve(gate, "127.0.0.1", 0, patience=Patience(greeting=0.05))
    async with peer(server.port) as idle:
        await idle.left()
    await server.close()


async def test_a_publisher_that_falls_silent_is_cut(gate: NotingGate) -> None:
    server = await serve(gate, "127.0.0.1", 0, patience=Patience(greeting=1.0, silence=0.2))
    async with peer(server.port) as quiet:
        await quiet.publish()
        intake = await gate.intake()
        await intake.until(intake.over.is_set)
        assert "silent" in intake.reason
        await quiet.left()
    await server.close()


async def test_who_leaves_while_being_admitted_never_becomes_a_publisher(
    gate: NotingGate, server: RtmpServer, encoder: Peer
) -> None:
    gate.open.clear()
    asking = asyncio.create_task(encoder.publish())
    async with asyncio.timeout(SECONDS):
        await gate.asked.wait()
    asking.cancel()
    encoder.writer.transport.abort()
    async with peer(server.port) as other:
        await other.connect()  # by now the server has seen the first one leave
        gate.open.set()
    assert not gate.intakes


async def test_a_kick_tells_the_publisher_once_and_hangs_up(gate: NotingGate, encoder: Peer) -> None:
    await encoder.publish()
    intake = await gate.intake()
    intake.kick("Enough.")
    intake.kick("Enough again.")
    assert intake.reason == "Enough."
    await encoder.left()


async def test_closing_cuts_even_those_who_do_not_react(gate: NotingGate, tmp_path: Path) -> None:
    certificate, key = development_certificate(tmp_path)
    server = await serve(
        gate, "127.0.0.1", 0, ssl=server_context(certificate, key), patience=Patience(linger=0.2)
    )
    trust: ssl.SSLContext = client_context(certificate)
    async with peer(server.port, trust) as encoder:
        await encoder.publish()
        encoder.writer.transport.pause_reading()  # type: ignore[attr-defined]  # no close_notify from it
        async with asyncio.timeout(SECONDS):
            await server.close()
        intake = await gate.intake()
        assert intake.reason == "The server is stopping."
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_keys_are_in_no_log_line_and_no_repr(gate: NotingGate, encoder: Peer) -> None:
    with structlog.testing.capture_logs() as lines:
        await encoder.publish()
        encoder.send(Message(VIDEO, 0, 1, b"\x17"))
        encoder.send(PICTURE)
        intake = await gate.intake()
        await intake.until(lambda: len(intake.frames) == 1)
    assert lines
    assert KEY not in str(lines)
    assert KEY not in repr(intake.request)
