"""The multivariant playlist: which renditions there are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from restream.hls.playlist import IFRAMES, MEDIA

VERSION: Final = 6
GROUP: Final = "audio"


@dataclass(frozen=True, slots=True)
class Variant:
    """A rendition as it can be played now. Rates are bits a second; width and height are 0 with sound."""

    name: str
    codec: str
    peak: int
    average: int
    keyframes: int = 0
    """Of the I-frame playlist."""
    width: int = 0
    height: int = 0
    fps: float | None = None
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """What stands before the names of renditions, and the token that goes with playlists."""

    door: str = ""
    token: str = ""

    def of(self, name: str, playlist: str) -> str:
        """A playlist, relative to the multivariant one."""
        return f"{self.door}{name}/{playlist}" + (f"?token={self.token}" if self.token else "")


def multivariant(
    videos: Sequence[Variant],
    audio: Variant | None,
    address: Address,
    *,
    language: str = "und",
    independent: bool = True,
) -> str:
    """The address players get: largest picture first. `language` is the sound's (BCP 47)."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}"]
    if independent:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    if audio and videos:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{GROUP}",NAME="Show",LANGUAGE="{language}",DEFAULT=YES,'
            f'AUTOSELECT=YES,CHANNELS="{audio.channels}",URI="{address.of(audio.name, MEDIA)}"'
        )
    for video in videos:
        lines += [_stream(video, audio), address.of(video.name, MEDIA)]
    if audio and not videos:
        rates = f"BANDWIDTH={audio.peak},AVERAGE-BANDWIDTH={audio.average}"
        lines += [f'#EXT-X-STREAM-INF:{rates},CODECS="{audio.codec}"', address.of(audio.name, MEDIA)]
    lines += [
        f"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={video.keyframes},"
        f'CODECS="{video.codec}",RESOLUTION={video.width}x{video.height},'
        f'URI="{address.of(video.name, IFRAMES)}"'
        for video in videos
    ]
    return "\n".join(lines) + "\n"


def _stream(video: Variant, audio: Variant | None) -> str:
    attributes = [
        f"BANDWIDTH={video.peak + (audio.peak if audio else 0)}",
        f"AVERAGE-BANDWIDTH={video.average + (audio.average if audio else 0)}",
        f'CODECS="{video.codec}{"," + audio.codec if audio else ""}"',
        f"RESOLUTION={video.width}x{video.height}",
    ]
    if video.fps:
        attributes.append(f"FRAME-RATE={video.fps:.3f}")
    if audio:
        attributes.append(f'AUDIO="{GROUP}"')
    return f"#EXT-X-STREAM-INF:{','.join(attributes)}"
