"""A show's targets: each placed at the feed it wants, the live itself or one of its profiles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from restream.api import TargetSpec, TargetStatus
from restream.media import Frame, Reader
from restream.targets.bundler import Bundler, Feed
from restream.targets.serialiser import Serialiser
from restream.targets.target import Outfit, Target

BUNDLED: Final = ("rtmp:", "rtmps:")
"""What goes elsewhere may be for viewers who see it in a tenth of a second."""


@dataclass
class _Place:
    target: Target
    joint: _Joint
    prompt: bool


@dataclass
class _Joint:
    """Where targets of one feed meet, to share the bytes they write."""

    feed: Feed
    bundler: Bundler
    serialiser: Serialiser


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
        self._applying = asyncio.Lock()

    async def apply(self, specs: Sequence[TargetSpec]) -> None:
        """Make it these targets."""
        async with self._applying:
            wanted = {spec.id: spec for spec in specs}
            gone = [name for name in self._places if name not in wanted]
            await asyncio.gather(*(self._remove(name) for name in gone))
            await asyncio.gather(*(self._place(spec) for spec in wanted.values()))

    async def stop(self) -> None:
        """Say goodbye to every platform. What each of them did can still be asked."""
        async with self._applying:
            for place in self._places.values():
                place.joint.bundler.detach(place.target)
            await asyncio.gather(*(place.target.stop() for place in self._places.values()))

    def statuses(self) -> list[TargetStatus]:
        """One of each, in the order they were added."""
        return [self._status(place.target) for place in self._places.values()]

    def delays(self) -> Iterator[tuple[str, float, Literal["sent", "acknowledged"]]]:
        """How far behind our ingest each is: (target's id, milliseconds, up to where)."""
        for name, place in self._places.items():
            if found := place.target.delay():
                yield (name, *found)

    def flush(self) -> None:
        """Let nothing wait for a frame that does not come. Called once a second."""
        for place in self._places.values():
            place.joint.bundler.flush()

    async def _place(self, spec: TargetSpec) -> None:
        joint = self._joint(self._feed_of(spec.profile) or self._nothing)
        bundler, serialiser = joint.bundler, joint.serialiser
        place, prompt = self._places.get(spec.id), not spec.url.startswith(BUNDLED)
        if place is None:
            target = Target(spec, serialiser, bundler.backlog, self._outfit)
            self._places[spec.id] = _Place(target, joint, prompt)
            bundler.attach(target, prompt=prompt)
            target.start()
            return
        before, place.joint = place.joint, joint  # at once: others that move to this feed meet here
        if before is not joint or _tries_again(place.target, spec):
            # Other pictures are another stream: platforms want a connection of its own for it.
            before.bundler.detach(place.target)
            await place.target.move(spec, serialiser, bundler.backlog)
            bundler.attach(place.target, prompt=prompt)
        else:
            await place.target.apply(spec)
            if place.prompt != prompt:
                bundler.detach(place.target)
                bundler.attach(place.target, prompt=prompt)
        place.prompt = prompt

    async def _remove(self, name: str) -> None:
        place = self._places.pop(name)
        place.joint.bundler.detach(place.target)
        await place.target.stop()

    def _joint(self, feed: Feed) -> _Joint:
        """The feed's, if one of its targets is here already."""
        known = (place.joint for place in self._places.values() if place.joint.feed is feed)
        return next(known, None) or _Joint(feed, Bundler(feed), Serialiser())

    def _status(self, target: Target) -> TargetStatus:
        """While it waits for a profile that will not come, that is the reason."""
        status, profile = target.status(), target.spec.profile
        if profile is None or status.state != "idle" or not status.wanted:
            return status
        trouble = self._trouble_of(profile)
        return status.model_copy(update={"reason": trouble}) if trouble else status


def _tries_again(target: Target, spec: TargetSpec) -> bool:
    """Whether a person wants another try now of what waits for its next, or has given up."""
    return spec.attempt != target.spec.attempt and target.status().state in ("retrying", "failed")


class _Nothing:
    """The feed of a profile that does not exist."""

    def attach(self, reader: Reader) -> None:
        """Nothing will come."""

    def detach(self, reader: Reader) -> None:
        """Nothing came."""

    def backlog(self) -> Sequence[Frame]:
        """Nothing."""
        return []
