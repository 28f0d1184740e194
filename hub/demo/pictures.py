"""The demo's pictures: three products as SVG, and the studio with each of them as JPEG."""

from __future__ import annotations

import base64
from pathlib import Path

WIDTH, HEIGHT = 1280, 720
FOLDER = Path(__file__).parent / "pictures"
NAMES = ("bag", "scarf", "mug")


def product(name: str) -> str:
    """A product's picture as a data: address, so that no image server is needed."""
    return "data:image/svg+xml;base64," + base64.b64encode((FOLDER / f"{name}.svg").read_bytes()).decode()


def scene(name: str) -> Path:
    """The file with the studio and one product on the table, WIDTH by HEIGHT."""
    return FOLDER / f"scene_{name}.jpg"
