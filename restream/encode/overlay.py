"""Layers to one transparent picture of the output's size. Pure, apart from reading fonts and assets."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from restream.api import AnyLayer, CardLayer, Layer, PictureLayer, QrLayer, TextLayer

Loader = Callable[[str], Path | None]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Size = tuple[int, int]

FONTS: Final = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf",
    "/usr/share/fonts/noto/NotoSans-Bold.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/truetype/noto/NotoSansArabic-Bold.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansThai-Bold.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Bold.ttf",
)
"""Looked for in this order; the first that has the most of a text's letters is taken."""
MOST_PIXELS: Final = 40_000_000
"""Of an asset: a small file can claim a picture that fills the memory."""
MOST_LINES: Final = 4
SMALLEST_LETTERS: Final = 12
QUIET_ZONE: Final = 4
"""Modules of white around a QR code (ISO/IEC 18004, 5.3.8)."""
BAND, PANEL = (0, 0, 0, 170), (255, 255, 255, 235)
WHITE, BLACK, GREY = (255, 255, 255, 255), (20, 20, 20, 255), (90, 90, 90, 255)
CLEAR = (0, 0, 0, 0)


def raw(size: Size, layers: Sequence[AnyLayer], asset: Loader) -> bytes:
    """`render` as raw RGBA, rows from the top. Takes tens of milliseconds: call it in a thread."""
    return render(size, layers, asset).tobytes()


def render(size: Size, layers: Sequence[AnyLayer], asset: Loader) -> Image.Image:
    """The layers, later ones above earlier ones. What can't be drawn (no such asset) is left out."""
    whole = Image.new("RGBA", size, CLEAR)
    for layer in layers:
        width = max(2, round(layer.width * size[0]))
        drawn = _draw(layer, width, size, asset)
        if drawn:
            whole.alpha_composite(drawn, _place(layer, drawn.size, size))
    return whole


def _draw(layer: AnyLayer, width: int, size: Size, asset: Loader) -> Image.Image | None:
    match layer:
        case PictureLayer():
            return _picture(asset(layer.asset), (width, size[1]))
        case TextLayer():
            return _text(layer.text, width, size[1])
        case QrLayer():
            return _qr(layer.text, min(width, size[1]))
        case CardLayer():
            return _card(layer, width, size[1], asset)


def _place(layer: Layer, drawn: Size, size: Size) -> tuple[int, int]:
    """Where its upper left corner goes: at its anchor, the margin away from the edges it touches."""
    margin = round(layer.margin * size[0])
    left, top = (size[0] - drawn[0]) // 2, (size[1] - drawn[1]) // 2
    if "left" in layer.anchor:
        left = margin
    elif "right" in layer.anchor:
        left = size[0] - drawn[0] - margin
    if "top" in layer.anchor:
        top = margin
    elif "bottom" in layer.anchor:
        top = size[1] - drawn[1] - margin
    return max(0, min(left, size[0] - drawn[0])), max(0, min(top, size[1] - drawn[1]))


def _picture(path: Path | None, box: Size) -> Image.Image | None:
    """An asset, as large as fits into the box; None when it is missing or no picture."""
    if path is None:
        return None
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return None
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # Pillow's readers raise all of these for what is no picture
    factor = min(box[0] / picture.width, box[1] / picture.height)
    return picture.resize((max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))


def _text(text: str, width: int, height: int) -> Image.Image | None:
    """A dark band with white letters; long texts get more lines, then smaller letters."""
    words = _plain(text)
    if not words:
        return None
    pad = max(2, width // 40)
    letters = max(SMALLEST_LETTERS, min(width // 10, height // 16))
    lines, font = _typeset(words, width - 2 * pad, letters, MOST_LINES)
    step = _line_height(font)
    band = Image.new("RGBA", (width, min(height, step * len(lines) + 2 * pad)), BAND)
    draw = ImageDraw.Draw(band)
    for number, line in enumerate(lines):
        draw.text((width / 2, pad + number * step), line, WHITE, font, anchor="ma")
    return band


def _qr(text: str, width: int) -> Image.Image | None:
    """Square modules of whole pixels, dark on white, with the quiet zone; None where that has no room."""
    if not text:
        return None
    import segno  # few shows have one, and every worker would carry it

    code = segno.make(text, micro=False, error="m", boost_error=False)
    modules = int(code.symbol_size(border=QUIET_ZONE)[0])
    scale = width // modules
    if scale < 1:
        return None
    picture = Image.new("L", (modules, modules), 255)
    picture.putdata([0 if dark else 255 for row in code.matrix_iter(border=QUIET_ZONE) for dark in row])
    return picture.resize((modules * scale, modules * scale), Image.Resampling.NEAREST).convert("RGBA")


def _card(card: CardLayer, width: int, height: int, asset: Loader) -> Image.Image:
    """A light panel: the product's picture on the left, its name and its price beside it."""
    tall = max(16, min(round(width * 0.36), height))
    pad = max(2, tall // 12)
    panel = Image.new("RGBA", (width, tall), PANEL)
    left = pad
    side = tall - 2 * pad
    picture = _picture(asset(card.asset), (side, side)) if card.asset else None
    if picture:
        panel.alpha_composite(picture, (pad + (side - picture.width) // 2, (tall - picture.height) // 2))
        left += side + pad
    draw, room = ImageDraw.Draw(panel), max(8, width - left - pad)
    lines, font = _typeset(_plain(card.title), room, max(SMALLEST_LETTERS, tall // 5), 2)
    for number, line in enumerate(lines):
        draw.text((left, pad + number * _line_height(font)), line, BLACK, font, anchor="la")
    price, font = _typeset(_plain(card.price), room, max(SMALLEST_LETTERS, tall // 4), 1)
    for line in price:
        draw.text((left, tall - pad), line, GREY, font, anchor="ld")
    return panel


def _plain(text: str) -> str:
    """One line, without what would move the pen or can't be drawn."""
    kept = (" " if letter.isspace() else letter for letter in text)
    return " ".join(
        "".join(k for k in kept if unicodedata.category(k) not in ("Cc", "Cs", "Co", "Cn")).split()
    )


def _typeset(text: str, width: int, letters: int, most: int) -> tuple[list[str], Font]:
    """The text in lines of at most `width`, and its font: smaller until it fits, else cut off."""
    path = _font_for(text)
    while True:
        font = _font(path, letters)
        lines = _wrap(text, font, width)
        if len(lines) <= most or letters <= SMALLEST_LETTERS:
            return lines[:most], font
        letters = max(SMALLEST_LETTERS, letters * 7 // 8)


def _wrap(text: str, font: Font, width: int) -> list[str]:
    """Lines broken between words, and inside a word only where it alone is too long."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while len(line) > 1 and font.getlength(line) > width:
            fits = next((n for n in range(len(line) - 1, 1, -1) if font.getlength(line[:n]) <= width), 1)
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


def _font_for(text: str) -> str | None:
    """The font that has the most of these letters; None is Pillow's own."""
    there = [path for path in FONTS if Path(path).exists()]
    return min(there, key=lambda path: _lacking(path, text), default=None)


def _lacking(path: str, text: str) -> int:
    """How many letters of a text a font draws as the box that stands for "no such letter"."""
    font = ImageFont.truetype(path, 16)
    box = bytes(font.getmask("\uffff"))
    return sum(bytes(font.getmask(letter)) == box for letter in set(text) if not letter.isspace())


def _font(path: str | None, letters: int) -> Font:
    return ImageFont.truetype(path, letters) if path else ImageFont.load_default(letters)


def _line_height(font: Font) -> int:
    return round(font.getbbox("Ågjy")[3] * 1.15)
