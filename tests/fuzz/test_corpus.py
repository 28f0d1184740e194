"""The fuzzer's corpus, read once more: what was found stays fixed, and what ffmpeg says is understood."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restream.rtmp.flv_file import FlvReader
from tests.fuzz.make_corpus import FOLDER, KINDS
from tests.fuzz.rtmp_target import CONNECTION, FLV, one_input

INPUTS = sorted(FOLDER.iterdir())
LARGEST = 200_000


@pytest.mark.parametrize("file", INPUTS, ids=[file.name for file in INPUTS])
def test_nothing_but_documented_errors_comes_of(file: Path) -> None:
    data = file.read_bytes()
    one_input(data)
    for cut in range(0, min(len(data), 400), 7):
        one_input(data[:cut])


def test_the_corpus_is_small_and_holds_what_real_encoders_say() -> None:
    assert sum(file.stat().st_size for file in INPUTS) <= LARGEST
    for name in KINDS:
        said = (FOLDER / f"connection-{name}").read_bytes()
        assert said[0] == CONNECTION
        assert said[1] == 3
        for word in (b"connect", b"publish", b"flashVer"):
            assert word in said
        recording = (FOLDER / f"flv-{name}").read_bytes()
        assert recording[0] == FLV
        assert FlvReader().feed(recording[1:])


@settings(deadline=None)
@given(first=st.integers(0, 7), rest=st.binary(max_size=300))
def test_anything_at_all_is_survived(first: int, rest: bytes) -> None:
    one_input(bytes([first]) + rest)
