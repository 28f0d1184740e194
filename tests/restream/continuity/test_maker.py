"""Slates made by real ffmpeg: they fit the feed, and what cannot be made is said in a sentence."""

from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from PIL import Image

from restream.api import SlateSpec
from restream.continuity import picture
from restream.continuity.maker import CannotMake, Maker, Order, make
from restream.continuity.slate import Shape, Slate
from restream.media import Kind
from restream.rtmp.flv import audio_track, video_track
from tests.restream.continuity.recording import decoded

HD = Shape("avc1.42c01f", 640, 360, 30.0, "mp4a.40.2", 48_000, 2)


def put(folder: Path, data: bytes) -> str:
    """Store an asset; its name."""
    name = hashlib.sha256(data).hexdigest()
    (folder / name).write_bytes(data)
    return name


def png(colour: str, size: tuple[int, int] = (400, 400)) -> bytes:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "png")
    return file.getvalue()


def clip(seconds: float) -> bytes:
    """A short video with sound, as a phone makes it."""
    made = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(),
            *("-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=size=180x320:rate=25:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=duration={seconds}", "-c:v", "libx264", "-preset", "ultrafast"),
            *("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-"),
        ],
        capture_output=True,
        timeout=60,
        check=True,
    )
    return made.stdout


def picture_of(slate: Slate) -> Image.Image:
    """The first picture, decoded."""
    context = av.CodecContext.create("h264", "r")
    context.extradata = slate.headers[0].body
    frames = [*context.decode(av.Packet(slate.pictures[0].body)), *context.decode(None)]
    assert isinstance(frames[0], av.VideoFrame)
    image = frames[0].to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
    assert isinstance(image, Image.Image)
    return image


@pytest.mark.parametrize(
    "shape",
    [
        HD,
        Shape("avc1.64c01f", 360, 640, 30000 / 1001, "mp4a.40.2", 44_100, 1),
        Shape("avc1.4dc01f", 320, 180, 25.0),
        Shape("avc1.42c01f", 320, 180, 12.5, "mp4a.40.2", 22_050, 2),
    ],
)
async def test_a_slate_has_the_feeds_codecs_size_pace_and_sound(shape: Shape) -> None:
    slate = await make(Order(None, "We'll be right back", shape), None)
    video = video_track(slate.headers[0].body)
    assert video.codec[:7] == shape.video[:7], "the same profile"
    assert (video.width, video.height) == (shape.width, shape.height)
    assert slate.length == pytest.approx(2000, abs=50)
    assert len(slate.pictures) / slate.length * 1000 == pytest.approx(shape.fps)
    assert slate.pictures[0].keyframe
    assert {frame.cts for frame in slate.pictures} == {0}
    if shape.audio:
        audio = audio_track(slate.headers[1].body)
        assert (audio.codec, audio.rate, audio.channels) == (shape.audio, shape.rate, shape.channels)
        assert slate.sound_ms == 1024 * 1000 / shape.rate
    else:
        assert (len(slate.headers), slate.silence) == (1, None)
    twice = [*slate.headers, *slate.pictures, *slate.pictures]
    assert decoded([frame for frame in twice if frame.kind == Kind.VIDEO]) == 2 * len(slate.pictures)


@pytest.mark.parametrize(("video", "audio"), [("hvc1.1.6.L93.B0", "mp4a.40.2"), ("av01.0.04M.08", "opus")])
async def test_newer_codecs_get_a_slate_in_their_own(video: str, audio: str) -> None:
    slate = await make(Order(None, "Soon", Shape(video, 320, 180, 30.0, audio, 48_000, 2)), None)
    assert video_track(slate.headers[0].body).codec[:4] == video[:4]
    assert audio_track(slate.headers[1].body).codec == audio
    assert slate.sound_ms == (20.0 if audio == "opus" else pytest.approx(21.33, abs=0.01))


async def test_a_brands_picture_is_shown_whole_on_a_dark_ground(tmp_path: Path) -> None:
    slate = await make(Order(put(tmp_path, png("red")), "unused", HD), tmp_path)
    image = picture_of(slate)
    middle, edge = image.getpixel((320, 180)), image.getpixel((20, 180))
    assert isinstance(middle, tuple)
    assert isinstance(edge, tuple)
    assert middle[0] > 200
    assert max(middle[1:]) < 60
    assert max(edge) < 60


async def test_a_brands_loop_is_played_at_the_feeds_size_and_pace_with_a_keyframe_every_two_seconds(
    tmp_path: Path,
) -> None:
    slate = await make(Order(put(tmp_path, clip(5.0)), "unused", HD), tmp_path)
    assert slate.length == pytest.approx(5000, abs=100)
    assert len(slate.pictures) == pytest.approx(150, abs=2)
    keys = [frame.dts for frame in slate.pictures if frame.keyframe]
    assert keys == [0, 2000, 4000]
    assert len({frame.body for frame in slate.pictures}) > 100, "it moves"


async def test_words_without_an_asset_are_drawn_in_the_middle() -> None:
    raw = picture.words("We'll be right back", 640, 360)
    image = Image.frombytes("RGB", (640, 360), raw)
    box = image.convert("L").point(lambda value: 255 * (value > 120)).getbbox()
    assert box
    left, top, right, bottom = box
    assert abs(left - (640 - right)) < 20
    assert abs(top - (360 - bottom)) < 40
    assert right - left > 200
    # The longest text the API takes, and one without a space, fit into a small upright picture.
    for text in ("word " * 16, "x" * 80, ""):
        assert len(picture.words(text, 128, 256)) == 128 * 256 * 3


async def until_made(maker: Maker, wish: SlateSpec, shape: Shape) -> Slate | None:
    """Ask as often as the keeper does."""
    async with asyncio.timeout(60):
        while (slate := maker.want(wish, shape)) is None and maker.trouble is None:
            await asyncio.sleep(0.02)
    return slate


async def test_a_maker_makes_each_slate_once_and_remembers_it(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    wish = SlateSpec()
    assert maker.want(wish, None) is None
    first = await until_made(maker, wish, HD)
    assert first is not None
    assert maker.want(wish, HD) is first
    small = Shape("avc1.42c01f", 320, 180, 30.0)
    assert maker.want(wish, small) is None
    second = await until_made(maker, wish, small)
    assert second not in (None, first)
    assert maker.want(wish, HD) is first
    assert maker.want(None, HD) is None
    await maker.stop()


@pytest.mark.parametrize(
    "broken", [b"GIF89a, or so it says", b"#EXTM3U\nfile:///etc/passwd\n", png("red")[:90]]
)
async def test_a_broken_asset_gives_way_to_the_words_and_a_sentence(tmp_path: Path, broken: bytes) -> None:
    maker = Maker(tmp_path)
    slate = await until_made(maker, SlateSpec(asset=put(tmp_path, broken)), HD)
    assert slate is not None
    assert "Its text is shown instead." in (maker.trouble or "")
    await maker.stop()


async def test_a_missing_asset_gives_way_to_the_words_and_a_sentence(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    assert await until_made(maker, SlateSpec(asset="0" * 64), HD)
    assert "Choose the picture again." in (maker.trouble or "")
    await maker.stop()


async def test_a_codec_we_cannot_make_is_named_and_there_is_no_slate() -> None:
    maker = Maker(None)
    shape = Shape("vp09.00.10.08", 640, 360, 30.0)
    assert await until_made(maker, SlateSpec(), shape) is None
    assert maker.trouble == "There is no slate: It cannot be made in the feed's video codec (vp09)."
    with pytest.raises(CannotMake, match="audio codec"):
        await make(Order(None, "x", Shape("avc1.42c01f", 320, 180, 30.0, "flac", 48_000, 2)), None)
    await maker.stop()


async def test_a_maker_that_is_stopped_leaves_nothing_behind() -> None:
    maker = Maker(None)
    maker.want(SlateSpec(), Shape("avc1.64c01f", 1920, 1080, 30.0))
    await asyncio.sleep(0)
    await maker.stop()
    assert [task for task in asyncio.all_tasks() if task.get_name() == "slate"] == []
