"""Pictures and short videos the hub has sent: slates, logos, products. A file's name is its SHA-256."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from restream.api import CardLayer, LiveSpec, PictureLayer, ProfileSpec

LARGEST: Final = 20 << 20
NAME: Final = re.compile("[0-9a-f]{64}")


class AssetRefused(ValueError):
    """The bytes are no asset; the sentence says what to send instead."""


class Assets:
    """`store` and `path` touch the disk: 20 MB take some milliseconds, so call `store` in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, data: bytes, sha: str | None = None) -> str:
        """Keep the bytes and give their name; `sha` is what the sender announced. Raises AssetRefused.

        Whole or not at all, whatever is killed meanwhile; storing the same again changes nothing.
        """
        if len(data) > LARGEST:
            raise AssetRefused("The file is larger than 20 MB. Send a smaller one.")
        if not _known(data):
            raise AssetRefused("The file is no PNG, JPEG, WebP, GIF or MP4. Save it as one of these.")
        name = hashlib.sha256(data).hexdigest()
        if sha is not None and sha != name:
            raise AssetRefused("The file is not the one that was announced. Send it again.")
        if self.path(name) is None:
            self._write(name, data)
        return name

    def path(self, sha: str) -> Path | None:
        """Where an asset is; None when it is not here."""
        if not NAME.fullmatch(sha):
            return None
        path = self._folder / sha
        return path if path.is_file() else None

    def missing(self, spec: LiveSpec) -> list[str]:
        """The assets a show needs and that are not here, each once, in the order of their need."""
        return [sha for sha in needed(spec) if self.path(sha) is None]

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix="new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def needed(spec: LiveSpec) -> list[str]:
    """Every asset a show names, each once: the slate first, for it may be needed any moment."""
    named = [spec.slate.asset if spec.slate else None]
    for profile in spec.profiles:
        named += needed_by(profile)
    return list(dict.fromkeys(sha for sha in named if sha))


def needed_by(profile: ProfileSpec) -> list[str]:
    """The assets in a profile's layers."""
    layers = (layer for layer in profile.layers if isinstance(layer, PictureLayer | CardLayer))
    return [layer.asset for layer in layers if layer.asset]


def _known(data: bytes) -> bool:
    """By signature: the name a sender gives says nothing."""
    return (
        data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a"))
        or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
        or data[4:8] == b"ftyp"
    )
