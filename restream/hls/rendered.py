"""A playlist as bytes, made once for each version and shared by everybody who asks for it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Final

from restream.hls.respond import PLAYLIST, Answer

VARY: Final = (b"vary", b"accept-encoding")
ZIPPED: Final = (b"content-encoding", b"gzip")
LEVEL: Final = 5


@dataclass(frozen=True)
class Rendered:
    """One version."""

    version: int
    plain: bytes
    answers: dict[tuple[bool, str], Answer] = field(default_factory=dict)

    @cached_property
    def zipped(self) -> bytes:
        """Zipped when somebody takes it so."""
        return gzip.compress(self.plain, compresslevel=LEVEL, mtime=0)

    def answer(self, cache: str, *, zipped: bool) -> Answer:
        """The same one whenever the same is wanted."""
        found = self.answers.get((zipped, cache))
        if found is None:
            body, more = (self.zipped, (VARY, ZIPPED)) if zipped else (self.plain, (VARY,))
            found = self.answers[zipped, cache] = Answer(HTTPStatus.OK, PLAYLIST, cache, (body,), more)
        return found


def render(version: int, text: str) -> Rendered:
    """A text of a version."""
    return Rendered(version, text.encode())
