"""Assets: only what they say they are, whole or not at all."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from restream.api import LiveSpec
from restream.assets import LARGEST, AssetRefused, Assets


def picture(kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets(tmp_path / "assets")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_stored_picture_is_found_by_its_hash(assets: Assets, kind: str) -> None:
    data = picture(kind)
    sha = assets.store(data)
    assert sha == hashlib.sha256(data).hexdigest()
    path = assets.path(sha)
    assert path
    assert path.read_bytes() == data


def test_a_video_is_taken(assets: Assets) -> None:
    assert assets.path(assets.store(b"\0\0\0\x18ftypmp42" + bytes(20)))


def test_storing_the_same_again_changes_nothing(assets: Assets, tmp_path: Path) -> None:
    assert assets.store(picture()) == assets.store(picture())
    assert len(list((tmp_path / "assets").iterdir())) == 1


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"%PDF-1.7", b"MZ", b"RIFF1234WAVE"])
def test_anything_else_is_refused_whatever_it_is_called(assets: Assets, data: bytes) -> None:
    with pytest.raises(AssetRefused, match="PNG, JPEG, WebP, GIF or MP4"):
        assets.store(data)


def test_what_is_too_large_is_refused(assets: Assets) -> None:
    with pytest.raises(AssetRefused, match="20 MB"):
        assets.store(picture() + bytes(LARGEST))


def test_what_was_announced_otherwise_is_refused_and_not_kept(assets: Assets) -> None:
    with pytest.raises(AssetRefused, match="announced"):
        assets.store(picture(), "0" * 64)
    assert assets.path(hashlib.sha256(picture()).hexdigest()) is None


@pytest.mark.parametrize("name", ["", "../secret", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_hash_is_a_name(assets: Assets, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("x")
    assert assets.path(name) is None


def test_a_half_written_file_is_no_asset(assets: Assets, tmp_path: Path) -> None:
    """What a killed worker leaves behind has another name."""
    sha = assets.store(picture())
    (tmp_path / "assets" / "new-leftover").write_bytes(b"half")
    assert assets.missing(wish(sha)) == []


def test_what_a_show_lacks_is_told_once_each_slate_first(assets: Assets) -> None:
    here = assets.store(picture())
    assert assets.missing(wish(here, "1" * 64, "2" * 64, "1" * 64)) == ["1" * 64, "2" * 64]


def wish(*shas: str) -> LiveSpec:
    """The first is the slate's, the others are layers'."""
    kinds = [{"kind": "card", "title": "Shirt", "asset": shas[0]}]
    kinds += [{"kind": "picture", "asset": sha} for sha in shas[1:]]
    profile = {"name": "tall", "width": 720, "height": 1280, "video_kbps": 2500, "layers": kinds}
    return LiveSpec.model_validate(
        {"slug": "s", "version": 1, "key_hashes": [], "slate": {"asset": shas[0]}, "profiles": [profile]}
    )
