"""What is known of a replay beside its media: who may watch it, its cues, whether the show is over.

It lies on the disk because a worker that starts again is told nothing of shows that have ended. Whoever
can't read it must not show the replay: it may be one that only some are meant to see.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from restream.api import CueSpec, PlaybackSpec

NAME: Final = "about.json"
PRIVATE: Final = 0o600
"""It holds the part of media addresses that nobody is to guess."""


class About(BaseModel):
    """about.json. Never changed in place: another one takes its place. `version` is that of the wish."""

    playback: PlaybackSpec
    version: int = 0
    cues: list[CueSpec] = []
    over: bool = False


def load(folder: Path) -> About | None:
    """What is known of the replay in a folder; None when it can't be read. Blocks."""
    try:
        return About.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def save(folder: Path, about: About) -> None:
    """Write it down, whole or not at all. Blocks; raises OSError.

    Where that fails, nothing is left that would let in whom the new rules keep out.
    """
    try:
        _write(folder, about)
    except OSError:
        known = load(folder)
        if known is None or known.playback != about.playback:
            with contextlib.suppress(OSError):
                (folder / NAME).unlink()
        raise


def _write(folder: Path, about: About) -> None:
    values: dict[str, Any] = about.model_dump(mode="json")
    secret = about.playback.path_secret
    values["playback"]["path_secret"] = secret.get_secret_value() if secret else None
    fresh = folder / f"{NAME}.part"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(values, separators=(",", ":")).encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / NAME)
