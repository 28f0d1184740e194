"""Captions that the encoder puts into the pictures (CEA-608), in our player as it is built, in Chromium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from restream.media import Frame, Kind
from tests.restream.replay.hall import FPS, PLAYER, REHEARSED, film, on_the_air, viewer
from tests.restream.webrtc.browser import there

POP_ON, CLEAR_HIDDEN, ROW_15, FLIP = b"\x14\x20", b"\x14\x2e", b"\x14\x70", b"\x14\x2f"
FLV_HEAD: Final = 5
AGREE: Final = """(() => {
    const video = player().shadowRoot.querySelector("video");
    const shown = [...video.textTracks].filter(({mode}) => mode === "showing");
    const said = shown.flatMap(({activeCues}) => [...activeCues]).map(({text}) => text);
    return it.moving && said.length === 1 && Math.abs(Number(said[0].slice(4)) + 0.5 - it.at - EARLY) < 0.8;
})()""".replace("EARLY", str(REHEARSED))
"""One caption is on the screen, and it is that of the second that the picture shows."""
HIDDEN: Final = """[...player().shadowRoot.querySelector("video").textTracks].every(
    ({mode}) => mode !== "showing")"""

pytestmark = pytest.mark.skipif(
    not (there() and PLAYER.exists()), reason="needs Debian's chromium and the player as it is built"
)


def odd(code: int) -> int:
    """With the parity bit of line 21."""
    return code if code.bit_count() % 2 else code | 0x80


def captioned(text: str) -> bytes:
    """An SEI unit that shows a caption with this picture (ATSC A/53, part 4, 6.2.3), its length before it."""
    control = [code for code in (POP_ON, CLEAR_HIDDEN, ROW_15) for _ in range(2)]
    letters = text.encode().ljust(len(text) + len(text) % 2)
    pairs = [*control, *(letters[at : at + 2] for at in range(0, len(letters), 2)), FLIP, FLIP]
    data = b"".join(bytes([0xFC, odd(first), odd(second)]) for first, second in pairs)
    payload = b"\xb5\x00\x31GA94\x03" + bytes([0x40 | len(pairs), 0xFF]) + data + b"\xff"
    unit = bytes([6, 4, len(payload)]) + payload + b"\x80"
    return len(unit).to_bytes(4, "big") + unit


def captioned_film() -> Sequence[Frame]:
    """Every second begins with a caption that names it."""
    made, picture = [], 0
    for frame in film():
        if frame.kind is Kind.VIDEO and not frame.header:
            if not picture % FPS:
                body = captioned(f"NOW {picture // FPS}") + frame.body
                frame = replace(frame, body=body, payload=frame.payload[:FLV_HEAD] + body)
            picture += 1
        made.append(frame)
    return made


async def test_captions_of_the_encoder_are_shown_with_their_picture(tmp_path: Path) -> None:
    async with on_the_air(tmp_path, captioned_film) as hall, viewer(hall, REHEARSED) as she:
        await she.sees("it.state === 'live' && it.live && it.moving")
        await she.clicks("Captions")
        await she.sees(AGREE)
        await she.page.keyboard.press("c")
        await she.finds(HIDDEN)
        await she.page.keyboard.press("c")
        assert await she.asks("player().seek(8)")
        back = await she.sees(f"it.at < 20 && {AGREE}")
        assert back["errors"] == [], "whoever had captions has them in the past, too"
