"""The journal can be torn anywhere, and damaged anyhow: what is left of it is true."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from restream.replay import journal
from restream.replay.journal import Entry, Line, Opening

PICTURE = ("video", "avc1.640028", 1920, 1080, 29.97)


@st.composite
def journals(draw: st.DrawFn) -> list[Line]:
    """Some renditions' lines as they are written, one behind the other."""
    lines: list[Line] = []
    ends = {"source": 0, "audio": 0, "720p": 0}
    for number in range(draw(st.integers(0, 6))):
        for name, end in ends.items():
            if not end or draw(st.integers(0, 9)) == 0:
                opening = Opening(name, number, end, draw(st.integers(1, 900)), *PICTURE)  # type: ignore[arg-type]
                lines.append(opening)
                end += opening.size
            size = draw(st.sampled_from([0, 1, 250_000]))
            seconds = draw(st.floats(0, 10).map(lambda value: round(value, 6)))
            lines.append(Entry(name, number, end, size, seconds, 1.7e9 + number, draw(st.booleans())))
            ends[name] = end + size
    return lines


def sizes_of(lines: list[Line]) -> dict[str, int]:
    return {line.rendition: line.at + line.size for line in lines}


@given(journals())
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read_again(lines: list[Line]) -> None:
    data = b"".join(map(journal.written, lines))
    sizes = sizes_of(lines)
    whole = journal.read(data, lambda name: sizes.get(name, 0))
    assert (whole.lines, whole.size, whole.ends) == (lines, len(data), sizes)


@given(journals(), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_torn_tail_costs_the_torn_line_only(lines: list[Line], share: float) -> None:
    texts = [journal.written(line) for line in lines]
    data = b"".join(texts)
    cut = data[: round(share * len(data))]
    sizes = sizes_of(lines)
    whole = journal.read(cut, lambda name: sizes.get(name, 0))
    kept = cut.count(b"\n")
    assert whole.lines == lines[:kept]
    assert whole.size == sum(map(len, texts[:kept]))


@given(journals(), st.dictionaries(st.sampled_from(["source", "audio", "720p"]), st.floats(0, 1)))
@settings(max_examples=60, deadline=None)
def test_the_journal_never_points_past_the_media(lines: list[Line], shares: dict[str, float]) -> None:
    data = b"".join(map(journal.written, lines))
    sizes = {name: round(size * shares.get(name, 1)) for name, size in sizes_of(lines).items()}
    whole = journal.read(data, lambda name: sizes.get(name, 0))
    assert all(line.at + line.size <= sizes[line.rendition] for line in whole.lines)
    assert whole.lines == lines[: len(whole.lines)]
    if sizes == sizes_of(lines):
        assert whole.lines == lines


@given(journals(), st.integers(0, 1 << 20), st.binary(min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_damage_of_any_kind_is_survived(lines: list[Line], place: int, damage: bytes) -> None:
    data = bytearray(b"".join(map(journal.written, lines)))
    at = place % (len(data) + 1)
    data[at : at + len(damage)] = damage
    sizes = sizes_of(lines)
    whole = journal.read(bytes(data), lambda name: sizes.get(name, 0))
    assert whole.size <= len(data)
    for line in whole.lines:
        assert line.at + line.size <= sizes.get(line.rendition, 0)
    again = journal.read(bytes(data[: whole.size]), lambda name: sizes.get(name, 0))
    assert again == whole


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_a_line_of_anything_is_refused_or_makes_sense(value: object) -> None:
    line = journal.parsed(json.dumps(value).encode())
    assert line is None or journal.sane(line)


def test_what_could_not_be_read_again_is_not_sane() -> None:
    line = Entry("source", 1, 0, 10, 2.0, 1.7e9, False)
    assert journal.sane(line)
    for bad in (
        line._replace(seconds=float("nan")),
        line._replace(seconds=-1.0),
        line._replace(seconds=3600.0),
        line._replace(wall=float("inf")),
        line._replace(rendition="../up"),
        line._replace(number=-1),
        line._replace(size=True),
    ):
        assert not journal.sane(bad)
        assert journal.parsed(journal.written(bad)) is None
