"""One replay as viewers get it: playlists, chapters, and where its media lies. In the event loop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from restream.replay.about import About
from restream.replay.cues import chapters
from restream.replay.files import Part
from restream.replay.index import Index
from restream.replay.playlist import MediaPlaylist, Rendered, multivariant, rendered
from restream.replay.writer import media_file

KINDS: Final = {"video": "video/mp4", "audio": "audio/mp4"}
SEGMENT: Final = "video/iso.segment"
FOR_GOOD: Final = "public, max-age=86400, immutable"
"""Media never changes and no name comes twice; a day, so that caches forget it soon after its recording."""


class Screening:
    """`index` grows while the show runs. Set `about` and `ended` as they change."""

    def __init__(self, folder: Path, index: Index, about: About, *, ended: bool) -> None:
        self.index = index
        self.about = about
        self._folder = folder
        self._ended = ended
        self._playlists: dict[str, MediaPlaylist] = {}
        self._chapters: tuple[tuple[int, About], Rendered] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._ended

    @ended.setter
    def ended(self, ended: bool) -> None:
        if ended != self._ended:
            self._ended = ended
            self._playlists.clear()
            self._chapters = None

    @property
    def door(self) -> str:
        """What stands before `replay/` in addresses: empty, or a secret."""
        secret = self.about.playback.path_secret
        return secret.get_secret_value() if secret else ""

    @property
    def playable(self) -> bool:
        """Whether there is anything to play."""
        return self.index.leader is not None

    def multivariant(self, token: str) -> str:
        """The address players begin with; `token` goes on to the playlists it names."""
        door = f"{self.door}/" if self.door else ""
        return multivariant(self.index, ended=self._ended, door=door, token=token)

    def has(self, rendition: str) -> bool:
        """Whether there is anything of a rendition."""
        found = self.index.renditions.get(rendition)
        return found is not None and found.bytes > 0

    def write(self, rendition: str) -> bool:
        """Write what is missing in a rendition's playlist, for a millisecond at most; False: there is more.

        Hours of it have to be written the first time after a start; others are to get their turn in between.
        """
        playlist = self._playlists.get(rendition)
        if playlist is None:
            found = self.index.renditions[rendition]
            playlist = self._playlists[rendition] = MediaPlaylist(self.index, found, ended=self._ended)
        return playlist.lengthen(self.about.cues)

    def media_playlist(self, rendition: str, *, delta: bool) -> Rendered:
        """A rendition's playlist as far as it is written."""
        playlist = self._playlists[rendition]
        return playlist.delta() if delta else playlist.whole()

    def chapters(self) -> Rendered:
        """The list for our player, as JSON."""
        state = (len(self.index), self.about)
        if self._chapters is None or self._chapters[0] != state:
            found = chapters(self.about.cues, self.index, ended=self._ended)
            self._chapters = (state, rendered(json.dumps(found, ensure_ascii=False)))
        return self._chapters[1]

    def opening(self, rendition: str, number: int) -> Part | None:
        """An initialisation section."""
        found = self.index.renditions.get(rendition)
        opening = found.opening(number) if found else None
        if opening is None:
            return None
        path, kind = media_file(self._folder, rendition), KINDS[opening.kind]
        return Part(path, opening.at, opening.size, kind, FOR_GOOD)

    def segment(self, rendition: str, number: int) -> Part | None:
        """A segment; None for a gap."""
        found, place = self.index.renditions.get(rendition), self.index.place(number)
        piece = found.piece(place) if found and place is not None else None
        if piece is None:
            return None
        return Part(media_file(self._folder, rendition), piece.at, piece.size, SEGMENT, FOR_GOOD)
