"""The two ffmpeg of an SRT publisher: one speaks SRT and hands on a transport stream, one makes it FLV.

libsrt does what SRT is made of (retransmission, latency, AES); we do none of it. Two processes, because what
the second must do with the sound is known only when the first has seen the stream's tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Final

from restream.encode.pipe import Sink, read_into
from restream.encode.process import GOODBYE, Child, ffmpeg_binary, start
from restream.ingest.mpegts import copies_audio, stream_types

QUIET: Final = ("-hide_banner", "-loglevel", "error", "-nostats")
TRACKS: Final = ("-map", "0:v:0?", "-map", "0:a:0?")
AUDIO: Final = ("-c:a", "aac", "-b:a", "160k", "-ac", "2", "-af", "aresample=async=1000")
TABLES_WITHIN: Final = 256 << 10
"""Bytes in which the stream's tables must come; ffmpeg writes them first."""
MOST_WAITING: Final = 4 << 20
"""Bytes the second ffmpeg may be behind before we stop reading from the first, and libsrt drops."""
PAUSE: Final = 0.02
LOOPBACK: Final = "127.0.0.1"


def free_port() -> int:
    """A UDP port of the loopback that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


async def listener(port: int, passphrase: str | None, patience: float) -> Child:
    """ffmpeg as the SRT listener for one caller on a loopback port; its output is a transport stream.

    It gives up after `patience` seconds without a caller, or without a byte. The passphrase goes in through
    its standard input, because everybody on the machine can read command lines. Raises OSError.
    """
    protocols = ("-protocol_whitelist", "pipe,srt,udp")
    source = ("-f", "concat", "-safe", "0", *protocols, "-i", "pipe:0")
    argv = [ffmpeg_binary(), *QUIET, *source, *TRACKS, "-c", "copy"]
    argv += ["-f", "mpegts", "-flush_packets", "1", "pipe:1"]
    child = await start("srt listener", argv, fed=True, read=True, secrets=[passphrase or ""])
    child.feed(_source(port, passphrase, patience).encode())
    child.finish()
    return child


async def carry(listening: Child, sink: Sink) -> None:
    """Every frame of the caller into the sink until it stops. Raises UnsupportedCodec, BrokenFlv, OSError."""
    opening = bytearray()
    while (types := stream_types(bytes(opening))) is None and len(opening) < TABLES_WITHIN:
        data = await listening.read()
        if not data:
            return
        opening += data
    remuxer = await start("srt remuxer", remux(copy_audio=copies_audio(types or [])), fed=True, read=True)
    remuxer.feed(bytes(opening))
    pumping = asyncio.create_task(_pump(listening, remuxer), name="srt pump")
    try:
        await read_into(remuxer, sink)
    finally:
        pumping.cancel()
        await remuxer.stop(GOODBYE)
        with contextlib.suppress(asyncio.CancelledError):
            await pumping


def remux(*, copy_audio: bool) -> list[str]:
    """ffmpeg, from a transport stream to FLV."""
    audio = ("-c:a", "copy") if copy_audio else AUDIO
    source = ("-analyzeduration", "1000000", "-f", "mpegts", "-i", "pipe:0")
    output = ("-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1", "pipe:1")
    return [ffmpeg_binary(), *QUIET, *source, *TRACKS, "-c:v", "copy", *audio, *output]


async def _pump(listening: Child, remuxer: Child) -> None:
    while data := await listening.read():
        remuxer.feed(data)
        # A pipe tells nobody that it has been emptied.
        while remuxer.running and remuxer.waiting > MOST_WAITING:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)
    remuxer.finish()


def _source(port: int, passphrase: str | None, patience: float) -> str:
    """A playlist of one, in the format of ffmpeg's concat demuxer; microseconds."""
    lines = ["ffconcat version 1.0", f"file 'srt://{LOOPBACK}:{port}?mode=listener'"]
    lines += [f"option {name} {round(patience * 1e6)}" for name in ("listen_timeout", "timeout")]
    if passphrase:
        quoted = passphrase.replace("'", r"'\''")
        lines.append(f"option passphrase '{quoted}'")
    return "\n".join(lines) + "\n"
