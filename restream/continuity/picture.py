"""The slate's picture, drawn by Pillow: the brand's own, or a few words on a dark ground."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

GROUND: Final = (16, 16, 20)
INK: Final = (240, 240, 240)
LARGEST_SHARE: Final = 0.8
"""Of the picture's width that the words may take."""
SMALLEST: Final = 8
MOST_PIXELS: Final = 60_000_000
"""A picture from any camera is smaller; a file that unpacks to more is there to harm."""


class NoPicture(Exception):
    """The file is no still picture."""


def words(text: str, width: int, height: int) -> bytes:
    """The words in the middle, as rows of RGB bytes."""
    image = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(image)
    size = max(SMALLEST, min(width // 14, height // 7))
    while True:
        font = ImageFont.load_default(size)
        lines = wrapped(text, font.getlength, width * LARGEST_SHARE)
        fits = all(font.getlength(line) <= width for line in lines)
        if size <= SMALLEST or (fits and len(lines) * size * 1.4 <= height * LARGEST_SHARE):
            break
        size -= max(1, size // 10)
    middle = (width / 2, height / 2)
    draw.multiline_text(middle, "\n".join(lines), INK, font, anchor="mm", align="center", spacing=size * 0.4)
    return image.tobytes()


def wrapped(text: str, length: Callable[[str], float], most: float) -> list[str]:
    """The text in lines no longer than `most`, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and length(f"{lines[-1]} {word}") <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def still(file: Path, width: int, height: int) -> bytes:
    """The picture, whole, on a dark ground, as rows of RGB bytes. Raises NoPicture."""
    try:
        with Image.open(file) as image:
            if getattr(image, "is_animated", False):
                raise NoPicture("it moves")
            if image.width * image.height > MOST_PIXELS:
                raise NoPicture("it is too large")
            fitted = image.convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise NoPicture(f"it cannot be read ({type(error).__name__})") from error
    scale = min(width / fitted.width, height / fitted.height)
    size = (max(1, round(fitted.width * scale)), max(1, round(fitted.height * scale)))
    fitted = fitted.resize(size)
    ground = Image.new("RGB", (width, height), GROUND)
    ground.paste(fitted, ((width - size[0]) // 2, (height - size[1]) // 2), fitted)
    return ground.tobytes()
