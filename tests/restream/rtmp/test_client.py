"""The client against our server, and against far ends that answer oddly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from restream.rtmp import amf0, handshake, message
from restream.rtmp.address import RtmpAddress, parse
from restream.rtmp.chunk import ChunkReader, serialise
from restream.rtmp.client import PublishRejected, publish
from restream.rtmp.message import COMMAND, PEER_BANDWIDTH, USER_CONTROL, WINDOW_ACK, Message, parse_command
from restream.rtmp.server import RtmpServer, serve
from tests.restream.rtmp.peers import KEY, SECONDS, NotingGate

Script = Callable[[str, float], Sequence[Message]]


class FarEnd:
    """A server that answers commands as a script says. `heard` is every message that came."""

    def __init__(self, script: Script, version: int = handshake.VERSION) -> None:
        self.heard: list[Message] = []
        self.came = asyncio.Event()
        self._script = script
        self._version = version
        self._server: asyncio.Server | None = None

    async def open(self) -> RtmpAddress:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return parse(f"rtmp://127.0.0.1:{port}/live", KEY)

    def close(self) -> None:
        assert self._server
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        c1 = (await reader.readexactly(1 + handshake.SIZE))[1:]
        writer.write(bytes([self._version]) + handshake.hello() + handshake.echo(c1))
        chunks = ChunkReader()
        try:
            await reader.readexactly(handshake.SIZE)
            while data := await reader.read(65536):
                for found in chunks.feed(data):
                    self._answer(found, writer)
        except (OSError, EOFError):
            pass
        writer.close()

    def _answer(self, found: Message, writer: asyncio.StreamWriter) -> None:
        self.heard.append(found)
        self.came.set()
        if found.kind == COMMAND:
            said = parse_command(found)
            for answer in self._script(said.name, said.transaction):
                writer.write(serialise(answer, 3, 128))

    async def hears(self, ready: Callable[[Message], bool]) -> Message:
        """Wait for a message."""
        async with asyncio.timeout(SECONDS):
            while True:
                for found in self.heard:
                    if ready(found):
                        return found
                self.came.clear()
                await self.came.wait()


def result(number: float, *values: amf0.Value) -> Message:
    return message.command("_result", number, None, *values)


def usual(name: str, number: float) -> Sequence[Message]:
    """What a friendly server says."""
    if name == "connect":
        return [message.u32(WINDOW_ACK, 2_500_000), result(number, {"code": "NetConnection.Connect.Success"})]
    if name == "createStream":
        return [result(number, 1.0)]
    if name == "publish":
        return [message.status("NetStream.Publish.Start", "Go.")]
    return []


@pytest.fixture
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
async def server(gate: NotingGate) -> AsyncIterator[RtmpServer]:
    running = await serve(gate, "127.0.0.1", 0)
    yield running
    await running.close()


async def test_it_publishes_and_says_goodbye(gate: NotingGate, server: RtmpServer) -> None:
    client = await publish(parse(f"rtmp://127.0.0.1:{server.port}/live", KEY), chunk_size=4096)
    intake = await gate.intake()
    assert (intake.request.app, intake.request.key) == ("live", KEY)
    await client.close(polite=True)
    await intake.until(intake.over.is_set)
    assert intake.reason == "The encoder stopped."


async def test_a_refusal_says_the_servers_sentence(server: RtmpServer) -> None:
    with pytest.raises(PublishRejected, match="No show has this stream key") as refused:
        await publish(parse(f"rtmp://127.0.0.1:{server.port}/live", "guess"), chunk_size=4096)
    assert refused.value.auth
    assert refused.value.code == "NetStream.Publish.BadName"


@pytest.mark.parametrize(
    ("refusing", "code", "auth"),
    [
        ("connect", "NetConnection.Connect.Rejected", True),
        ("connect", "NetConnection.Connect.InvalidApp", False),
        ("createStream", "error", False),
        ("publish", "NetStream.Publish.Denied", True),
        ("publish", "NetStream.Publish.Failed", False),
    ],
)
async def test_a_refusal_at_any_step_is_told_apart_by_its_code(refusing: str, code: str, auth: bool) -> None:
    def script(name: str, number: float) -> Sequence[Message]:
        if name != refusing:
            return usual(name, number)
        info: dict[str, amf0.Value] = {"level": "error", "description": f"Not {KEY}, not sk_live."}
        if code != "error":
            info["code"] = code
        if name == "publish":
            return [message.command("onStatus", 0, None, info)]
        return [message.command("_error", number, None, info)]

    far = FarEnd(script)
    with pytest.raises(PublishRejected, match=r"Not …, not …\.") as refused:
        await publish(await far.open(), chunk_size=4096)
    assert (refused.value.code, refused.value.auth) == (code, auth)
    far.close()


async def test_messages_in_between_are_answered_or_passed_over() -> None:
    def script(name: str, number: float) -> Sequence[Message]:
        chatter = [
            message.command("onBWDone", 0, None),
            message.peer_bandwidth(5_000_000),
            message.user_control(message.PING, 9),
        ]
        return [*chatter, *usual(name, number)]

    far = FarEnd(script)
    client = await publish(await far.open(), chunk_size=4096)
    await far.hears(lambda m: m.kind == USER_CONTROL and m.payload == b"\0\7\0\0\0\x09")
    await far.hears(lambda m: m.kind == WINDOW_ACK and int.from_bytes(m.payload, "big") == 5_000_000)
    assert PEER_BANDWIDTH not in {found.kind for found in far.heard}
    await client.close(polite=False)
    far.close()


async def test_it_tells_the_server_what_encoders_tell() -> None:
    far = FarEnd(usual)
    client = await publish(await far.open(), chunk_size=4096)
    commands = [parse_command(found) for found in far.heard if found.kind == COMMAND]
    assert [c.name for c in commands] == ["connect", "releaseStream", "FCPublish", "createStream", "publish"]
    connect = commands[0].target
    assert isinstance(connect, dict)
    assert connect["app"] == "live"
    assert str(connect["tcUrl"]).endswith("/live")
    assert KEY not in str(connect)
    assert connect["fourCcList"] == ["*"]
    assert connect["videoFourCcInfoMap"] == connect["audioFourCcInfoMap"] == {"*": 4.0}  # passed on as it is
    assert commands[-1].arguments == [KEY, "live"]
    await client.close(polite=False)
    far.close()


async def test_another_stream_than_1_is_refused() -> None:
    def script(name: str, number: float) -> Sequence[Message]:
        return [result(number, 2.0)] if name == "createStream" else usual(name, number)

    far = FarEnd(script)
    with pytest.raises(PublishRejected, match="stream"):
        await publish(await far.open(), chunk_size=4096)
    far.close()


async def test_each_step_has_an_end() -> None:
    for silent_at in ("connect", "createStream", "publish"):

        def script(name: str, number: float, silent: str = silent_at) -> Sequence[Message]:
            return [] if name == silent else usual(name, number)

        far = FarEnd(script)
        with pytest.raises(TimeoutError):
            await publish(await far.open(), chunk_size=4096, step=0.1)
        far.close()


async def test_another_version_of_rtmp_is_refused() -> None:
    far = FarEnd(usual, version=6)
    with pytest.raises(PublishRejected, match="version 6"):
        await publish(await far.open(), chunk_size=4096)
    far.close()


async def test_garbage_is_a_broken_connection() -> None:
    def script(name: str, number: float) -> Sequence[Message]:
        return [Message(COMMAND, 0, 0, b"\xff\xff")]

    far = FarEnd(script)
    with pytest.raises(ConnectionResetError):
        await publish(await far.open(), chunk_size=4096)
    far.close()


async def test_the_end_of_a_publish_is_told_with_its_reason() -> None:
    far = FarEnd(usual)
    client = await publish(await far.open(), chunk_size=4096)
    far.close()
    client._writer.transport.abort()
    async with asyncio.timeout(SECONDS):
        assert "closed the connection" in await client.follow()
    await client.close(polite=True)
