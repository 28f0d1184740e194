"""What was found out for one viewer a moment ago, for the thousands who ask for the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from restream.hls.bell import Bell, Waiting
from restream.hls.respond import Answer, Request

Found = Answer | Waiting
LONGEST: Final = 0.3
"""Seconds something is remembered without a ring: what changes silently (an address, say) is noticed soon."""
MOST: Final = 500
"""Different requests remembered for one show."""


class Show(Protocol):
    """Whatever is served, with the bell that is rung after every change."""

    @property
    def bell(self) -> Bell:
        """Its bell."""
        ...


@dataclass(slots=True)
class _Shelf:
    """What is known about one show since its last ring."""

    rings: int
    until: float
    found: dict[tuple[str, bytes, bool], Found] = field(default_factory=dict)


class Memo:
    """Stands before a resolver whose answers depend on address, query and encoding alone, between two rings.

    `find` gives the show of a slug, the second part of the path. Refusals are not remembered.
    """

    def __init__(
        self,
        resolve: Callable[[Request], Found],
        find: Callable[[str], Show | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolve = resolve
        self._find = find
        self._clock = clock
        self._shelves: WeakKeyDictionary[Bell, _Shelf] = WeakKeyDictionary()

    def resolve(self, request: Request) -> Found:
        """The same as the resolver's."""
        show = self._find(request.path.split("/", 3)[2])
        if show is None:
            return self._resolve(request)
        bell, now = show.bell, self._clock()
        shelf = self._shelves.get(bell)
        if shelf is None or shelf.rings != bell.rings or shelf.until <= now or len(shelf.found) >= MOST:
            shelf = self._shelves[bell] = _Shelf(bell.rings, now + LONGEST)
        key = (request.path, request.query, request.takes_gzip)
        found = shelf.found.get(key)
        if found is None:
            found = self._resolve(request)
            if isinstance(found, Waiting) or found.status == HTTPStatus.OK:
                shelf.found[key] = found
        return found
