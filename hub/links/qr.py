"""A link's QR code as a picture, with its quiet zone and the address in letters below. Pure.

The address is there for whoever's camera does not read codes, and so that nobody has to trust a code blindly.
Error correction M: it still reads with a seventh of it covered or worn (ISO/IEC 18004).
"""

from __future__ import annotations

import io
from typing import Final
from xml.sax.saxutils import escape

QUIET_ZONE: Final = 4
"""Modules of white around it (ISO/IEC 18004, 5.3.8)."""
MODULE: Final = 16
"""Pixels: about 600 in all, sharp on a printed card."""


def svg(url: str, text: str) -> str:
    """A drawing that can be as large as a wall; one unit is one module."""
    rows = matrix(url)
    side = len(rows)
    letters = min(3.0, side * 1.5 / max(len(text), 1))
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, on in enumerate(row) if on)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side + 4}" role="img"'
        f' width="{side * 8}" height="{(side + 4) * 8}"><title>{escape(text)}</title>'
        f'<rect width="{side}" height="{side + 4}" fill="#fff"/>'
        f'<path d="{dark}" fill="#000" shape-rendering="crispEdges"/>'
        f'<text x="{side / 2}" y="{side + 1.6}" font-size="{letters:.2f}" font-family="sans-serif"'
        f' text-anchor="middle" fill="#000">{escape(text)}</text></svg>'
    )


def png(url: str, text: str) -> bytes:
    """The same in pixels. Takes some milliseconds: call it in a thread."""
    from PIL import Image, ImageDraw, ImageFont  # loaded when one is drawn, not by every process

    rows = matrix(url)
    side = len(rows) * MODULE
    picture = Image.new("L", (side, side + 4 * MODULE), 255)
    code = Image.new("L", (len(rows), len(rows)), 255)
    code.putdata([0 if on else 255 for row in rows for on in row])
    picture.paste(code.resize((side, side), Image.Resampling.NEAREST), (0, 0))
    size = 3 * MODULE
    while size > 8 and ImageFont.load_default(size).getlength(text) > side - 2 * MODULE:
        size -= 2
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text((side / 2, side + MODULE), text, 0, font, anchor="mm")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def matrix(url: str) -> list[list[bool]]:
    """Dark and light modules, row by row, the quiet zone included."""
    import segno  # loaded when one is drawn, not by every process

    code = segno.make(url, micro=False, error="m")
    return [[bool(on) for on in row] for row in code.matrix_iter(border=QUIET_ZONE)]
