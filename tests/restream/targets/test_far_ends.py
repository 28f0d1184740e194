"""Targets against servers other people wrote: nginx-rtmp and ffmpeg."""

from __future__ import annotations

import asyncio
from pathlib import Path

import av

from restream.media import Frame, Kind
from tests.restream.encoder import ffmpeg
from tests.restream.hls.feed import Shape, frames_of, looped, pictures, stream
from tests.restream.targets.servers import free_port, nginx
from tests.restream.targets.show import Show, media, parted, spec

SHAPE = Shape(seconds=2, gop=30, bframes=2)


async def test_nginx_rtmp_records_every_frame_as_it_was_sent(tmp_path: Path) -> None:
    opening, rest = parted(stream(SHAPE))
    show = Show()
    async with nginx(tmp_path) as port:
        target = show.add(spec(port))
        await show.feed(opening)
        await show.until_so(target, lambda status: status.connects == 1)
        while not target.status().frames_sent:
            await asyncio.sleep(0)
        await show.feed(rest)
        await show.until(target, "live")
        await show.stop()
    got = recorded(tmp_path)
    for kind in (Kind.VIDEO, Kind.AUDIO):
        wanted = [item for item in media([*opening, *rest]) if item[0] == kind]
        assert [item for item in media(got) if item[0] == kind] == wanted
        times = [frame.dts for frame in got if frame.kind == kind]
        assert times == sorted(times)
    assert [frame.cts for frame in got if frame.kind == Kind.VIDEO and not frame.header] == [
        frame.cts for frame in pictures(stream(SHAPE))
    ]


def recorded(folder: Path) -> list[Frame]:
    """The frames of nginx's only recording."""
    (file,) = folder.glob("*.flv")
    return list(frames_of(file.read_bytes()))


async def test_ffmpeg_takes_the_stream_and_it_decodes(tmp_path: Path) -> None:
    show, port = Show(), free_port()
    taken = tmp_path / "taken.flv"
    listening = ("-f", "flv", "-listen", "1", "-i", f"rtmp://127.0.0.1:{port}/live/key")
    async with ffmpeg(*listening, "-c", "copy", str(taken)) as process:
        target = show.add(spec(port))  # tries until ffmpeg listens
        opening, rest = parted(looped(SHAPE, 3))
        await show.feed(opening)
        async with asyncio.timeout(20):
            while not target.status().frames_sent:
                await asyncio.sleep(0.01)
        await show.feed(rest)
        await show.until(target, "live")
        await show.stop()
        async with asyncio.timeout(20):
            await process.wait()
    with av.open(str(taken), "r") as container:
        decoded = list(container.decode(video=0))
    assert len(decoded) == 3 * len(pictures(stream(SHAPE)))
    assert not any(frame.is_corrupt for frame in decoded)
