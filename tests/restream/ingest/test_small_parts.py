"""The rate limiter, and the tables of a transport stream."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.ingest.limiter import MOST_SOURCES, Limiter
from restream.ingest.mpegts import copies_audio, stream_types
from tests.restream.ingest.studio import PICTURE, Clock


def test_a_source_has_a_burst_and_then_its_rate() -> None:
    clock = Clock()
    limiter = Limiter(2.0, 3.0, clock)
    assert [limiter.allows("a") for _ in range(4)] == [True, True, True, False]
    assert limiter.allows("b"), "everybody has a bucket of their own"
    clock.time += 0.5
    assert [limiter.allows("a") for _ in range(2)] == [True, False]
    clock.time += 100
    assert [limiter.allows("a") for _ in range(4)] == [True, True, True, False]


def test_the_limiter_stays_small_however_many_come() -> None:
    limiter = Limiter(1.0, 1.0, Clock())
    for number in range(MOST_SOURCES + 100):
        limiter.allows(str(number))
    assert len(limiter._buckets) == MOST_SOURCES


@pytest.mark.parametrize(
    ("audio", "kinds", "copied"),
    [
        (("-c:a", "aac"), [0x1B, 0x0F], True),
        (("-c:a", "mp2"), [0x1B, 0x03], False),
        (("-c:a", "ac3"), [0x1B, 0x81], False),
        (("-c:a", "libopus"), [0x1B, 0x06], False),
        (("-an",), [0x1B], True),
    ],
)
def test_the_tables_of_a_real_stream_tell_what_can_be_copied(
    audio: tuple[str, ...],
    kinds: list[int],
    copied: bool,
) -> None:
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *PICTURE, *audio, "-t", "0.2"]
    data = subprocess.run([*argv, "-f", "mpegts", "-"], capture_output=True, timeout=60, check=True).stdout
    assert stream_types(data) == kinds
    assert copies_audio(kinds) == copied
    assert stream_types(data[:188]) is None


@given(st.binary(max_size=400).map(lambda data: b"G" + data))
def test_junk_never_crashes(junk: bytes) -> None:
    assert stream_types(junk * 3) is None or isinstance(stream_types(junk * 3), list)
