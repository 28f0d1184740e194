"""Layers as one picture: where things are, that codes can be read, and that nothing makes it fail."""

from __future__ import annotations

from pathlib import Path

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restream.api import AnyLayer, CardLayer, PictureLayer, QrLayer, TextLayer
from restream.encode.overlay import QUIET_ZONE, raw, render
from tests.restream.encode.stage import modules

SIZE = (360, 640)
SHA = "a" * 64


def nothing(sha: str) -> Path | None:
    return None


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / SHA
    Image.new("RGB", (200, 100), (255, 0, 0)).save(path, "PNG")
    return path


@pytest.mark.parametrize("text", ["https://example.com/watch/spring?utm_source=tiktok", "x", "ü€ 世界 " * 20])
def test_a_qr_code_has_exactly_the_modules_of_its_text(text: str) -> None:
    image = render(SIZE, [QrLayer(text=text, width=1)], nothing)
    box = image.getchannel("A").getbbox()
    assert box
    code = segno.make(text, micro=False, error="m", boost_error=False)
    assert modules(image, text, box) == [
        [bool(dark) for dark in row] for row in code.matrix_iter(border=QUIET_ZONE)
    ]


@pytest.mark.parametrize(
    ("anchor", "corner"),
    [
        ("top-left", (0, 0)),
        ("top-right", (260, 0)),
        ("bottom-left", (0, 590)),
        ("bottom-right", (260, 590)),
        ("centre", (130, 295)),
        ("left", (0, 295)),
        ("bottom", (130, 590)),
    ],
)
def test_a_picture_stands_at_its_anchor(anchor: str, corner: tuple[int, int], picture: Path) -> None:
    layer = PictureLayer.model_validate({"asset": SHA, "anchor": anchor, "width": 100 / 360, "margin": 0})
    image = render(SIZE, [layer], lambda sha: picture)
    assert image.getchannel("A").getbbox() == (corner[0], corner[1], corner[0] + 100, corner[1] + 50)
    assert image.getpixel((corner[0] + 50, corner[1] + 25)) == (255, 0, 0, 255)


def test_the_margin_keeps_a_layer_from_the_edges(picture: Path) -> None:
    layer = PictureLayer(asset=SHA, anchor="bottom-right", width=0.5, margin=0.1)
    box = render(SIZE, [layer], lambda sha: picture).getchannel("A").getbbox()
    assert box
    assert box[2:] == (360 - 36, 640 - 36)


def test_a_text_is_white_on_a_dark_band_and_long_texts_stay_inside() -> None:
    short = render(SIZE, [TextLayer(text="Today only", width=0.8)], nothing)
    colours = {colour for _, colour in short.getcolors(1 << 20) or []}
    assert (0, 0, 0, 170) in colours
    assert any(
        colour[:3] == (255, 255, 255) and colour[3] > 200 for colour in colours if isinstance(colour, tuple)
    )
    long = render(SIZE, [TextLayer(text="word " * 40, width=0.8)], nothing).getchannel("A").getbbox()
    assert long
    assert long[2] - long[0] == round(0.8 * 360)


def test_a_card_shows_picture_name_and_price(picture: Path) -> None:
    card = CardLayer(title="Linen shirt", price="€ 39", asset=SHA, width=0.9)
    with_picture = render(SIZE, [card], lambda sha: picture)
    without = render(SIZE, [card], nothing)
    assert any(colour == (255, 0, 0, 255) for _, colour in with_picture.getcolors(1 << 20) or [])
    assert not any(colour == (255, 0, 0, 255) for _, colour in without.getcolors(1 << 20) or [])
    assert raw(SIZE, [card], nothing) != raw(SIZE, [card.model_copy(update={"price": "€ 29"})], nothing)


def test_an_asset_that_is_missing_or_no_picture_is_left_out(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    layer = PictureLayer(asset=SHA)
    assert render(SIZE, [layer], nothing).getchannel("A").getbbox() is None
    assert render(SIZE, [layer], lambda sha: junk).getchannel("A").getbbox() is None


def test_without_layers_everything_is_clear() -> None:
    assert raw((16, 8), [], nothing) == bytes(16 * 8 * 4)


texts = st.text(max_size=40)
anchors = st.sampled_from(["top-left", "centre", "bottom"])
shares = st.floats(0.001, 1)
layers = st.one_of(
    st.builds(TextLayer, text=texts, width=shares, margin=st.floats(0, 0.5)),
    st.builds(QrLayer, text=texts, width=shares, margin=st.floats(0, 0.5)),
    st.builds(CardLayer, title=texts, price=st.text(max_size=20), width=shares),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(layers, max_size=3), st.sampled_from([(128, 128), (128, 720), (854, 480)]))
def test_no_text_in_any_script_makes_it_fail(wish: list[AnyLayer], size: tuple[int, int]) -> None:
    assert len(raw(size, wish, nothing)) == size[0] * size[1] * 4
