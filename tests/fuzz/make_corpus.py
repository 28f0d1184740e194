"""Make the corpus anew, from what ffmpeg says and every kind of tag:

.venv/bin/python -m tests.fuzz.make_corpus

Each file begins with the byte that tells `rtmp_target` who reads the rest. Inputs that once broke something
are added by hand as `found-*` and stay.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from restream.media import Kind
from restream.rtmp import amf0, message
from restream.rtmp.chunk import serialise
from restream.rtmp.flv_file import FlvReader
from restream.rtmp.message import Message
from restream.rtmp.server import serve
from tests.fuzz.rtmp_target import (
    AMF,
    AUDIO,
    AUDIO_CONFIGURATION,
    CHUNKS,
    CONNECTION,
    FLV,
    VIDEO,
    VIDEO_CONFIGURATION,
)
from tests.restream import encoder
from tests.restream.rtmp import encodings
from tests.restream.rtmp.peers import KEY, NotingGate

FOLDER: Final = Path(__file__).parent / "corpus" / "rtmp"
LONGEST: Final = 8000
"""Bytes of each input: what comes later is more of the same."""

KINDS: Final = {
    "hevc-aac": encodings.HEVC_AAC,
    "av1-opus": encodings.AV1_OPUS,
    "h264-aac": encodings.Encoding(
        ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"), ("-c:a", "aac", "-ac", "2"), "h264", "aac"
    ),
}


def write(name: str, reader: int, data: bytes) -> None:
    """One input."""
    (FOLDER / name).write_bytes(bytes([reader]) + data[:LONGEST])


async def said_by_ffmpeg(file: Path) -> bytes:
    """Everything ffmpeg sends to a server, from its greeting on."""
    server = await serve(NotingGate(), "127.0.0.1", 0)
    heard = bytearray()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None
    ) -> None:
        while data := await reader.read(65536):
            if kept is not None:
                kept += data
            writer.write(data)
        writer.close()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, far_writer, heard), pump(far_reader, writer, bytearray()))

    tap = await asyncio.start_server(between, "127.0.0.1", 0)
    port = tap.sockets[0].getsockname()[1]
    options = ["-c", "copy", "-f", "flv", "-rtmp_enhanced_codecs", "hvc1,av01,Opus", "-rtmp_playpath", KEY]
    async with encoder.ffmpeg("-i", str(file), *options, f"rtmp://127.0.0.1:{port}/live") as process:
        code, said = await encoder.ended(process)
    assert code == 0, said
    tap.close()
    await server.close()
    return bytes(heard)


async def from_ffmpeg(name: str, encoding: encodings.Encoding) -> None:
    """A recording: as a file, as tags, as configurations, and as it is published."""
    recording = encodings.recorded(encoding)
    write(f"flv-{name}", FLV, recording)
    with tempfile.NamedTemporaryFile(suffix=".flv") as file:
        file.write(recording)
        file.flush()
        write(f"connection-{name}", CONNECTION, await said_by_ffmpeg(Path(file.name)))
    seen = set()
    for tag in FlvReader().feed(recording):
        key = (tag.kind, tag.body[:2])
        if key in seen:
            continue
        seen.add(key)
        reader = {Kind.VIDEO: VIDEO, Kind.AUDIO: AUDIO, Kind.DATA: AMF}[Kind(tag.kind)]
        write(f"tag-{name}-{len(seen)}", reader, tag.body[:600])
    for frame in encodings.frames(encoding):
        if frame.header:
            reader = VIDEO_CONFIGURATION if frame.kind == Kind.VIDEO else AUDIO_CONFIGURATION
            write(f"configuration-{name}-{frame.kind.name.lower()}", reader, frame.body)


def by_hand() -> None:
    """What ffmpeg does not send: several tracks, modifiers, short chunks, old times."""
    write("tag-modifiers", VIDEO, b"\x97\2\0\1\2\x77\3abcd\x01hvc1\0\0\x05picture")
    write("tag-one-track", VIDEO, b"\x96\x01av01\0picture")
    write("tag-many-tracks", VIDEO, b"\x96\x11hvc1\1\0\0\5other\0\0\0\x0a\0\0\x05picture")
    write("tag-many-codecs", AUDIO, b"\x95\x21mp4a\1\0\0\5otherOpus\0\0\0\5sound")
    write("tag-under-a-fourcc", VIDEO, b"\x91avc1\0\0\x05picture")
    values: amf0.Value = {"text": "ü", "list": [1.0, None, True], "deep": {"more": {"x": "y"}}}
    write("amf-nested", AMF, amf0.encode("name", 1.0, values, None, False, ["a", 2.0]))
    write("amf-array", AMF, amf0.encode("onMetaData") + amf0.encode_ecma_array({"width": 1920.0}))
    sent = [message.u32(message.SET_CHUNK, 64), Message(9, 0xFFFFFF + 5, 1, b"\x17\1\0\0\0" + bytes(200))]
    data = serialise(sent[0], 2, 128) + serialise(sent[1], 6, 64)
    data += b"\x04\0\0\x0a\0\0\x04\x08\1\0\0\0\xaf\1ab\x84\0\0\x15\xaf\1cd\xc4\xaf\1ef"
    data += serialise(message.u32(message.ABORT, 6), 2, 64) + b"\x46\0\0\x05\0\0\2\x08\xaf\0"
    write("chunks", CHUNKS, data)


async def main() -> None:
    """Write all of it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        if not old.name.startswith("found-"):
            old.unlink()
    for name, encoding in KINDS.items():
        await from_ffmpeg(name, replace(encoding, size="64x64", seconds=0.3))
    by_hand()


if __name__ == "__main__":
    asyncio.run(main())
