"""A show's targets: each placed at the feed it wants, the live itself or one of its profiles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from restream.api import TargetSpec, TargetStatus
from restream.media import Frame, Reader
from restream.targets.serialiser import Serialiser
from restream.targets.target import Outfit, Target


class Feed(Protocol):
    """Where a target gets its frames: a live, or what an encoder makes of it."""

    def attach(self, reader: Reader) -> None:
        """Add a reader, which gets what a joiner needs at once."""
        ...

    def detach(self, reader: Reader) -> None:
        """Remove it."""
        ...

    def backlog(self) -> Sequence[Frame]:
        """What a joiner needs."""
        ...


@dataclass
class _Place:
    target: Target
    feed: Feed


class Roster:
    """`apply` the wanted targets; each is added, edited or removed without the others noticing.

    `feed_of` gives the feed of a profile's name, None for a name that is not known; `trouble_of` says why
    nothing will come from a profile.
    """

    def __init__(
        self,
        feed_of: Callable[[str | None], Feed | None],
        trouble_of: Callable[[str], str | None],
        outfit: Outfit,
    ) -> None:
        self._feed_of = feed_of
        self._trouble_of = trouble_of
        self._outfit = outfit
        self._nothing = _Nothing()
        self._places: dict[str, _Place] = {}
        # Targets of one feed share the bytes they write.
        self._serialisers: dict[int, Serialiser] = {}

    async def apply(self, specs: Sequence[TargetSpec]) -> None:
        """Make it these targets."""
        wanted = {spec.id: spec for spec in specs}
        gone = [name for name in self._places if name not in wanted]
        await asyncio.gather(*(self._remove(name) for name in gone))
        await asyncio.gather(*(self._place(spec) for spec in wanted.values()))

    async def stop(self) -> None:
        """Say goodbye to every platform."""
        await asyncio.gather(*(place.target.stop() for place in self._places.values()))

    def statuses(self) -> list[TargetStatus]:
        """One of each, in the order they were added."""
        return [self._status(place.target) for place in self._places.values()]

    def delays(self) -> Iterator[tuple[str, float, Literal["sent", "acknowledged"]]]:
        """How far behind our ingest each is: (target's id, milliseconds, up to where)."""
        for name, place in self._places.items():
            if found := place.target.delay():
                yield (name, *found)

    async def _place(self, spec: TargetSpec) -> None:
        feed = self._feed_of(spec.profile) or self._nothing
        place = self._places.get(spec.id)
        if place is None:
            target = Target(spec, self._serialiser(feed), feed.backlog, self._outfit)
            self._places[spec.id] = _Place(target, feed)
            feed.attach(target)
            target.start()
        elif place.feed is feed:
            await place.target.apply(spec)
        else:
            # Other pictures are another stream: platforms want a connection of its own for it.
            place.feed.detach(place.target)
            await place.target.move(spec, self._serialiser(feed), feed.backlog)
            place.feed = feed
            feed.attach(place.target)

    async def _remove(self, name: str) -> None:
        place = self._places.pop(name)
        place.feed.detach(place.target)
        await place.target.stop()

    def _serialiser(self, feed: Feed) -> Serialiser:
        alive = {id(place.feed) for place in self._places.values()} | {id(feed)}
        self._serialisers = {key: one for key, one in self._serialisers.items() if key in alive}
        return self._serialisers.setdefault(id(feed), Serialiser())

    def _status(self, target: Target) -> TargetStatus:
        """While it waits for a profile that will not come, that is the reason."""
        status, profile = target.status(), target.spec.profile
        if profile is None or status.state != "idle" or not status.wanted:
            return status
        trouble = self._trouble_of(profile)
        return status.model_copy(update={"reason": trouble}) if trouble else status


class _Nothing:
    """The feed of a profile that does not exist."""

    def attach(self, reader: Reader) -> None:
        """Nothing will come."""

    def detach(self, reader: Reader) -> None:
        """Nothing came."""

    def backlog(self) -> Sequence[Frame]:
        """Nothing."""
        return []
