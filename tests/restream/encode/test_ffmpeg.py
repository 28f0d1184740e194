"""From profiles to command lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from restream.api import ProfileSpec, TextLayer
from restream.encode.ffmpeg import (
    Box,
    Facts,
    Job,
    argv,
    content,
    crop_command,
    cropped,
    fixed_part,
    layers_command,
    letterboxed,
)

HD = Facts(1920, 1080)
sizes = st.integers(64, 1920).map(lambda half: half * 2)


def profile(**changes: object) -> ProfileSpec:
    return ProfileSpec.model_validate(
        {"name": "p", "width": 720, "height": 1280, "video_kbps": 2500, **changes}
    )


def line(wish: ProfileSpec, facts: Facts = HD) -> str:
    return " ".join(argv(Job(wish, facts), media_fd=7, layers_fd=9))


def test_a_vertical_part_of_a_wide_picture() -> None:
    assert cropped(HD, profile()) == Box(608, 1080)
    assert letterboxed(HD, profile()) == Box(720, 404)


@given(sizes, sizes, sizes, sizes)
def test_parts_are_even_and_inside(width: int, height: int, wide: int, tall: int) -> None:
    facts, wish = Facts(width, height), profile(width=wide, height=tall)
    part, whole = cropped(facts, wish), letterboxed(facts, wish)
    assert 2 <= part.width <= width
    assert 2 <= part.height <= height
    assert 2 <= whole.width <= wide
    assert 2 <= whole.height <= tall
    assert not any(side % 2 for box in (part, whole) for side in (box.width, box.height))
    assert whole.width >= wide - 1 or whole.height >= tall - 1  # it touches two edges
    assert part.width >= width - 1 or part.height >= height - 1


def test_the_standard_input_stays_free_for_commands() -> None:
    words = argv(Job(profile(), HD), media_fd=7, layers_fd=9)
    inputs = [words[at + 1] for at, word in enumerate(words) if word == "-i"]
    assert inputs == ["/dev/fd/7", "/dev/fd/9"]


def test_without_sound_nothing_is_said_of_it() -> None:
    assert "aac" in line(profile())
    assert "aac" not in line(profile(), Facts(1920, 1080, audio_rate=None))


def test_commands_are_lines_ffmpeg_reads_as_keys() -> None:
    assert crop_command(profile(crop_x=0.25)) == b"ccrop@view -1 x (iw-ow)*0.2500\n"
    assert layers_command(shown=True) == b"coverlay@layers -1 enable 1\n"


def test_crop_and_layers_need_no_new_encoder_and_a_name_is_no_setting() -> None:
    wish = profile(fit="crop")
    live = profile(fit="crop", crop_x=0.1, layers=[TextLayer(text="x")])
    assert fixed_part(wish) == fixed_part(live)
    assert content(wish) != content(live)
    assert content(wish) == content(profile(fit="crop", name="other"))
    assert fixed_part(wish) != fixed_part(profile(fit="crop", video_kbps=2000))
