"""Makes slates: one short run of ffmpeg, at low priority, whenever the feed or the wish has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from restream.api import SlateSpec
from restream.continuity import picture
from restream.continuity.slate import Shape, Slate
from restream.continuity.splice import at_time
from restream.encode.pipe import read_into
from restream.encode.process import ffmpeg_binary, start
from restream.media import Frame, Kind
from restream.rtmp.flv import UnsupportedCodec
from restream.rtmp.flv_file import BrokenFlv

log = structlog.get_logger()

NICE: Final = 15
PATIENCE: Final = 60.0
"""Seconds one run may take, on a machine that has better things to do."""
AGAIN: Final = 60.0
LOOP_SECONDS: Final = 2
LONGEST_LOOP: Final = 20
LARGEST_SLATE: Final = 16 << 20
KEPT: Final = 4
"""Slates remembered: primary and standby may differ, and a wish may be taken back."""
PROFILES: Final = {66: "baseline", 77: "main"}
SOUND_BITS: Final = "128k"
AAC_SAMPLES: Final = 1024
OPUS_MS: Final = 20.0
CONTAINERS: Final = "mov,matroska,mpegts,flv,avi,gif,apng,webp_anim"
"""What a loop may be packed in. Never a playlist: that could name files which are none of its business."""
COLOURS: Final = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
"""What players expect of a stream that does not say otherwise."""


class CannotMake(Exception):
    """There will be no such slate; the sentence says why."""


@dataclass(frozen=True)
class Order:
    """A slate that is wanted: whose picture or words, and the feed it must fit."""

    asset: str | None
    text: str
    shape: Shape


@dataclass(frozen=True)
class Source:
    """Where the pictures come from: ffmpeg's input, what is done to it, and what it is fed."""

    input: list[str]
    treatment: list[str]
    fed: bytes | None = None


class Maker:
    """`want` is asked often and answers at once. `trouble` says what is wrong with the wish, if anything."""

    def __init__(self, assets: Path | None) -> None:
        self.trouble: str | None = None
        self._assets = assets
        self._order: Order | None = None
        self._kept: dict[Order, tuple[Slate | None, str | None]] = {}
        self._task: asyncio.Task[None] | None = None

    def want(self, wish: SlateSpec | None, shape: Shape | None) -> Slate | None:
        """The slate for this wish and feed; None when there is none, or not yet: ask again."""
        order = Order(wish.asset, wish.text, shape) if wish and shape else None
        if order != self._order:
            self._order = order
            if self._task:
                self._task.cancel()
            wanted = order is not None and order not in self._kept
            self._task = asyncio.create_task(self._make(order), name="slate") if order and wanted else None
        slate, self.trouble = self._kept.get(order, (None, None)) if order else (None, None)
        return slate

    async def stop(self) -> None:
        """Leave off whatever is being made."""
        task, self._task, self._order = self._task, None, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _make(self, order: Order) -> None:
        """Make it and keep it; what fails is tried again now and then, for as long as it is wanted."""
        while True:
            made, trouble = await self._tried(order)
            if trouble and trouble != self._kept.get(order, (None, None))[1]:
                log.warning("slate.trouble", reason=trouble)
            self._kept.pop(order, None)
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[order] = (made, trouble)
            if made:
                return
            await asyncio.sleep(AGAIN)

    async def _tried(self, order: Order) -> tuple[Slate | None, str | None]:
        """A slate, with the picture if that is possible, else in words; and what was wrong."""
        trouble = None
        try:
            if order.asset:
                try:
                    return await make(order, self._assets), None
                except CannotMake as error:
                    trouble = f"The slate's picture cannot be shown: {error} Its text is shown instead."
            return await make(replace(order, asset=None), None), trouble
        except CannotMake as error:
            return None, f"There is no slate: {error}"


async def make(order: Order, assets: Path | None) -> Slate:
    """A slate as ordered; takes a second or so of a processor. Raises CannotMake."""
    shape = order.shape
    width, height = shape.width & ~1, shape.height & ~1
    file = assets / order.asset if assets and order.asset else None
    if order.asset and (file is None or not file.is_file()):
        raise CannotMake("This machine does not have it. Choose the picture again.")
    if file is None:
        image = await asyncio.to_thread(picture.words, order.text, width, height)
        return await _encoded(shape, still_source(width, height, shape.fps, image))
    try:
        image = await asyncio.to_thread(picture.still, file, width, height)
    except picture.NoPicture:
        return await _encoded(shape, loop_source(file, width, height, shape.fps))
    return await _encoded(shape, still_source(width, height, shape.fps, image))


class Collector:
    """A Sink that keeps everything."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.bytes = 0

    def frame(self, frame: Frame) -> None:
        """One more, up to what a slate may take."""
        self.bytes += len(frame.payload)
        if self.bytes <= LARGEST_SLATE:
            self.frames.append(frame)

    def metadata(self, values: dict[str, object]) -> None:
        """Nothing of it is used."""


async def _encoded(shape: Shape, source: Source) -> Slate:
    argv = [ffmpeg_binary(), *("-hide_banner", "-loglevel", "error", "-nostdin"), *source.input]
    argv += [*silence(shape), *source.treatment, *picture_encoder(shape), *sound_encoder(shape)]
    argv += ["-f", "flv", "-flvflags", "no_duration_filesize", "pipe:1"]
    taken = Collector()
    try:
        child = await start("slate", argv, fed=source.fed is not None, read=True, nice=NICE)
    except OSError as error:
        raise CannotMake("ffmpeg could not be started.") from error
    try:
        if source.fed is not None:
            child.feed(source.fed)
            child.finish()
        async with asyncio.timeout(PATIENCE):
            await read_into(child, taken)
            code = await child.wait()
    except TimeoutError as error:
        raise CannotMake("It took too long to make. Choose a shorter loop.") from error
    except (BrokenFlv, UnsupportedCodec) as error:
        raise CannotMake(f"It cannot be made in the feed's codecs ({error}).") from error
    finally:
        child.kill()
        await child.stop()
    if code or taken.bytes > LARGEST_SLATE:
        log.warning("slate.failed", said=child.last_words()[-400:])
        raise CannotMake("ffmpeg could not make it. Choose a picture, or a short video.")
    return assembled(taken.frames, shape)


def assembled(frames: Sequence[Frame], shape: Shape) -> Slate:
    """A slate from what ffmpeg wrote. Raises CannotMake."""
    headers = {frame.kind: frame for frame in frames if frame.header}
    pictures = [frame for frame in frames if frame.kind == Kind.VIDEO and not frame.header]
    sounds = [frame for frame in frames if frame.kind == Kind.AUDIO and not frame.header]
    missing = Kind.VIDEO not in headers or not pictures or not pictures[0].keyframe
    if missing or (shape.audio and (Kind.AUDIO not in headers or not sounds)):
        raise CannotMake("ffmpeg wrote no picture, or no sound.")
    first = pictures[0].dts
    opus = (shape.audio or "").lower().startswith("opus")
    return Slate(
        tuple(headers[kind] for kind in (Kind.VIDEO, Kind.AUDIO) if kind in headers),
        tuple(at_time(frame, frame.dts - first) for frame in pictures),
        len(pictures) * 1000 / shape.fps,
        # The encoder has settled by its last frame: silence that follows silence.
        sounds[-1] if sounds else None,
        (OPUS_MS if opus else AAC_SAMPLES * 1000 / shape.rate) if sounds else 0.0,
    )


def still_source(width: int, height: int, fps: float, image: bytes) -> Source:
    """One picture from a pipe, shown for a loop's length."""
    raw = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}"]
    count = round(LOOP_SECONDS * fps)
    chain = f"loop=loop={count - 1}:size=1:start=0,{COLOURS}"
    treatment = ["-map", "0:v:0", "-vf", chain, "-frames:v", str(count)]
    return Source([*raw, "-framerate", rate(fps), "-i", "pipe:0"], treatment, image)


def loop_source(file: Path, width: int, height: int, fps: float) -> Source:
    """A short video, whole, on a dark ground."""
    fitted = f"scale={width}:{height}:force_original_aspect_ratio=decrease"
    ground = f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:color=0x{bytes(picture.GROUND).hex()}"
    only = ["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS, "-t", str(LONGEST_LOOP)]
    chain = f"fps={rate(fps)},{fitted},{ground},setsar=1,{COLOURS}"
    return Source([*only, "-i", str(file)], ["-map", "0:v:0", "-vf", chain])


def rate(fps: float) -> str:
    """Pictures a second as ffmpeg wants them: a fraction, so that 29.97 stays what it is."""
    return f"{round(fps * 1001)}/1001"


def picture_encoder(shape: Shape) -> list[str]:
    """The feed's video codec, without B-frames, a keyframe every loop. Raises CannotMake."""
    group = str(round(LOOP_SECONDS * shape.fps))
    common = ["-g", group, "-bf", "0", "-threads", "1"]
    common += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    family = shape.video.partition(".")[0]
    if family == "avc1":
        profile = PROFILES.get(int(shape.video[5:7], 16), "high")
        x264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", profile, "-crf", "23"]
        x264 += ["-maxrate", "4M", "-bufsize", "4M", "-keyint_min", group, "-sc_threshold", "0"]
        return [*common, *x264]
    if family in ("hvc1", "hev1"):
        fixed = f"log-level=error:scenecut=0:keyint={group}:min-keyint={group}:bframes=0:pools=1"
        return [*common, "-c:v", "libx265", "-preset", "ultrafast", "-crf", "26", "-x265-params", fixed]
    if family == "av01":
        fixed = "pred-struct=1:lp=1"
        return [*common, "-c:v", "libsvtav1", "-preset", "10", "-crf", "40", "-svtav1-params", fixed]
    raise CannotMake(f"It cannot be made in the feed's video codec ({family}).")


def silence(shape: Shape) -> list[str]:
    """A second of it, as another input, where the feed has sound."""
    if shape.audio is None:
        return []
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(shape.channels, f"{shape.channels}c")
    return ["-f", "lavfi", "-i", f"anullsrc=r={shape.rate}:cl={layout}:d=1"]


def sound_encoder(shape: Shape) -> list[str]:
    """The feed's audio codec. Raises CannotMake."""
    if shape.audio is None:
        return ["-an"]
    family = shape.audio.partition(".")[0].lower()
    names = {"mp4a": "aac", "opus": "libopus"}
    if family not in names:
        raise CannotMake(f"It cannot be made in the feed's audio codec ({family}).")
    sound = ["-b:a", SOUND_BITS, "-ar", str(shape.rate), "-ac", str(shape.channels)]
    return ["-map", "1:a:0", "-c:a", names[family], *sound]
