"""What can be had of recordings, while they grow and after: lists, clips, pictures, and their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from restream.api import Clip, RecordingInfo
from restream.record import clips, shelf
from restream.record.pictures import NoPicture, jpeg
from restream.record.shelf import Recorded
from restream.record.writer import GIGABYTE, free_bytes

CLIP_NAME: Final = shelf.SLUG


class Library:
    """All shows' recordings below `root`. Everything runs in threads; clips are cut one at a time.

    Every method raises ValueError for a slug or name that would lead elsewhere.
    """

    def __init__(
        self, root: Path, least_free_gb: float = 2.0, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self._root = root
        self._least_free = least_free_gb * GIGABYTE
        self._free = free
        self._cutting = asyncio.Lock()

    async def recordings(self, slug: str) -> list[RecordingInfo]:
        """The files of a show, the oldest first."""
        folder = shelf.folder_of(self._root, slug)
        found = await asyncio.to_thread(lambda: list(shelf.recordings(folder)))
        return [_info(one) for one in found]

    async def clip(self, slug: str, begins: datetime, ends: datetime) -> Clip:
        """Cut out what was received between two moments; see `clips.cut`. Raises NotCut."""
        folder = shelf.folder_of(self._root, slug)
        async with self._cutting:
            return await asyncio.to_thread(
                clips.cut, folder, begins.timestamp(), ends.timestamp(), self._room
            )

    def clip_path(self, slug: str, name: str) -> Path:
        """Where a clip lies, to be served as a file."""
        if not CLIP_NAME.fullmatch(name):
            raise ValueError("not the name of a clip")
        return shelf.folder_of(self._root, slug) / "clips" / name

    async def thumbnail(self, slug: str, at: datetime) -> bytes:
        """A JPEG, at most 640 wide, of the keyframe nearest to a moment. Raises NoPicture."""
        folder = shelf.folder_of(self._root, slug)
        return await jpeg(await asyncio.to_thread(_movie_at, folder, at.timestamp()))

    async def sweep(self, now: datetime, open_slugs: Collection[str], keep_hours: float = 168) -> list[str]:
        """Remove recordings whose time is over; the slugs that went. Call it about once an hour."""
        return await asyncio.to_thread(shelf.sweep, self._root, now.timestamp(), open_slugs, keep_hours)

    def _room(self, folder: Path) -> int:
        return round(self._free(folder) - self._least_free)


def _info(recorded: Recorded) -> RecordingInfo:
    about = recorded.about
    return RecordingInfo(
        name=recorded.path.name,
        begins_at=datetime.fromtimestamp(recorded.entries[0].wall, UTC),
        seconds=round(recorded.seconds, 3),
        bytes=recorded.size,
        video_codec=about.video,
        audio_codec=about.audio,
        width=about.width,
        height=about.height,
    )


def _movie_at(folder: Path, at: float) -> bytes:
    keys = [
        (abs(entry.wall - at), one, entry)
        for one in shelf.recordings(folder)
        for entry in one.entries
        if entry.key
    ]
    if not keys:
        raise NoPicture("Nothing has been recorded yet.")
    _, recorded, entry = min(keys, key=lambda found: found[0])
    with recorded.path.open("rb") as file:
        head = file.read(recorded.about.initialisation)
        file.seek(entry.at)
        return head + file.read(entry.size)
