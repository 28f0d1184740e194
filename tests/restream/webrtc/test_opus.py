"""Sound for viewers: Opus out of AAC, at the time it had."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
from array import array
from dataclasses import replace

import av
import pytest
from av.audio.codeccontext import AudioCodecContext

from restream.encode.process import ffmpeg_binary
from restream.media import Frame, Kind
from restream.rtmp.codecs import OPUS_RATE, opus_samples
from restream.webrtc.opus import Opus
from tests.restream.hls.feed import frames_of
from tests.restream.ingest.studio import children, until

SHIFT = 7_000_000
"""The show has been going on for a while."""


def beeps(rate: int, seconds: int = 4) -> list[Frame]:
    """AAC with a tone at the beginning of each second."""
    tone = f"aevalsrc='if(lt(mod(t,1),0.2),sin(2*PI*1000*t),0)':sample_rate={rate}:duration={seconds}"
    argv = [ffmpeg_binary(), "-loglevel", "error", "-f", "lavfi", "-i", tone, "-c:a", "aac", "-f", "flv", "-"]
    made = subprocess.run(argv, capture_output=True, timeout=60, check=True).stdout
    return [replace(one, dts=one.dts + SHIFT) for one in frames_of(made) if one.kind is Kind.AUDIO]


def onsets(packets: list[tuple[int, bytes]]) -> list[float]:
    """When a tone begins, in seconds."""
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate = OPUS_RATE
    found, quiet = [], False
    for at, packet in packets:
        for frame in decoder.decode(av.Packet(packet)):
            samples = array("f", bytes(frame.planes[0]))[: frame.samples]
            for number in range(0, len(samples), 48):
                loud = max(map(abs, samples[number : number + 48])) > 0.1
                if loud and quiet:
                    found.append((at - SHIFT + number / 48) / 1000)
                quiet = not loud
    return found


@pytest.mark.parametrize("rate", [44_100, 48_000])
async def test_sound_keeps_its_time(rate: int) -> None:
    packets: list[tuple[int, bytes]] = []
    opus = Opus("show", lambda at, packet, arrived: packets.append((at, packet)))
    for frame in beeps(rate):
        opus.push(frame)
    await until(lambda: len(packets) > 180)
    opus.end()
    await opus.ended()
    assert {opus_samples(packet) for _, packet in packets} == {960}
    times = [at for at, _ in packets]
    assert all(15 <= later - earlier <= 25 for earlier, later in itertools.pairwise(times))
    # The AAC encoder that made the beeps was 1,024 samples late itself.
    assert onsets(packets) == pytest.approx([0.02, 1.02, 2.02, 3.02], abs=0.02)


async def test_a_child_that_dies_is_followed_by_another() -> None:
    packets: list[int] = []
    opus = Opus("show", lambda at, packet, arrived: packets.append(at))
    header, *frames = beeps(48_000)
    opus.push(header)
    for frame in frames[:50]:
        opus.push(frame)
    await until(lambda: len(packets) > 20)
    (pid,) = [pid for pid, line in children().items() if "libopus" in line]
    os.kill(pid, signal.SIGKILL)
    count = len(packets)
    frame = frames[50]
    async with asyncio.timeout(60):
        while len(packets) < count + 20:
            frame = replace(frame, dts=frame.dts + 21)
            opus.push(frame)
            await asyncio.sleep(0.02)
    opus.end()
    await opus.ended()
    assert not [line for line in children().values() if "libopus" in line]
