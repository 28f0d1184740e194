"""All encoders of one show: which run, and where their pictures go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from restream.api import EncoderStatus, PlanStatus, ProfileSpec
from restream.assets import needed_by
from restream.encode.distribution import Distribution
from restream.encode.encoder import Encoder, Kit, Pace, Source
from restream.encode.facts import Tracks, Watch
from restream.encode.ffmpeg import Facts, content, fixed_part
from restream.encode.planner import Allotment, Planned, cores_here, plan


class Feed(Source, Tracks, Protocol):
    """What profiles are made of; a live is one."""


@dataclass
class Machine:
    """The machine all shows of a worker share. `taken` is what each show's encoders were granted, in cores.

    `ladders` is the same for the rungs of our own player. They get what the encoders leave and give it back
    when those want it: what platforms were promised comes first. `factor` says how much slower the machine is
    than the planner's (`restream.encode.measure`).
    """

    cores: float = field(default_factory=cores_here)
    factor: float = 1.0
    taken: dict[str, float] = field(default_factory=dict)
    ladders: dict[str, float] = field(default_factory=dict)

    def free_for(self, slug: str) -> float:
        """What a show may plan with: everything that other shows have not."""
        return max(0.0, self.cores - sum(cores for other, cores in self.taken.items() if other != slug))

    def left_for_ladder(self, slug: str) -> float:
        """What a show's ladder may plan with."""
        others = sum(cores for other, cores in self.ladders.items() if other != slug)
        return max(0.0, self.cores - sum(self.taken.values()) - others)


class Encoders:
    """`apply` a wish; `live_for` a profile is where its targets attach. Encodings start when media comes.

    A name is what targets know, its settings are what is encoded: names with equal settings share one child,
    and each name keeps its own distribution, so that nothing of it shows when one of them is changed.
    """

    def __init__(
        self,
        slug: str,
        feed: Feed,
        machine: Machine,
        *,
        asset: Callable[[str], Path | None],
        on_change: Callable[[EncoderStatus], None],
        pace: Pace | None = None,
    ) -> None:
        self._slug, self._feed, self._machine = slug, feed, machine
        self._on_change = on_change
        self._kit = Kit(asset, on_change=self._changed, pace=pace or Pace())
        self._profiles: list[ProfileSpec] = []
        self._wanted: set[str] = set()
        self._planned = Planned(PlanStatus(cores=machine.cores, wanted_cores=0, costs={}), {})
        self._distributions: dict[str, Distribution] = {}
        self._plugged: dict[str, Encoder] = {}
        self._said: dict[str, EncoderStatus] = {}
        self._applying = asyncio.Lock()
        self._replanning: set[asyncio.Task[None]] = set()
        self._watch = Watch(feed, self._replan)
        feed.attach(self._watch)

    async def apply(self, profiles: Sequence[ProfileSpec], wanted: Collection[str]) -> None:
        """Take a new wish: the profiles in the order of their importance, and the names that targets use.

        A changed crop, or other layers, reach the running child; anything else changed starts another.
        """
        async with self._applying:
            self._profiles, self._wanted = list(profiles), set(wanted)
            await self._settle()

    def live_for(self, name: str) -> Distribution | None:
        """Where the targets of a profile attach, encoded or not yet; None for a name that is not known."""
        if not any(profile.name == name for profile in self._profiles):
            return None
        return self._distributions.setdefault(name, Distribution())

    def statuses(self) -> list[EncoderStatus]:
        """One of each profile, in the order of the wish."""
        return [self._status(profile.name) for profile in self._profiles]

    @property
    def facts(self) -> Facts | None:
        """The feed's size and rates, when they are known."""
        return self._watch.facts

    def plan(self) -> PlanStatus:
        """What it costs."""
        return self._planned.status

    async def stop(self) -> None:
        """End all children and leave the machine to others. The show may be applied again later."""
        await self.apply(self._profiles, [])
        self._machine.taken.pop(self._slug, None)

    async def _settle(self) -> None:
        """Make what runs what is planned: first end, then adjust, then start, then connect."""
        running = {name: encoder.allotment.preset for name, encoder in self._plugged.items()}
        machine = self._machine
        self._planned = planned = plan(
            self._profiles,
            self._watch.facts,
            machine.free_for(self._slug),
            factor=machine.factor,
            wanted=self._wanted,
            running=running,
        )
        groups: dict[str, list[ProfileSpec]] = {}
        for profile in self._profiles:
            if profile.name in self._wanted and profile.name in planned.allotments:
                groups.setdefault(content(profile), []).append(profile)
        allotted = {key: planned.allotments[members[0].name] for key, members in groups.items()}
        machine.taken[self._slug] = sum(allotment.cost for allotment in allotted.values())
        kept = self._matched(groups, allotted)
        going_on = {profile.name: kept.get(key) for key, members in groups.items() for profile in members}
        gone = set(self._plugged.values()) - set(kept.values())
        for name in [name for name, encoder in self._plugged.items() if going_on.get(name) is not encoder]:
            self._unplug(name)
        await asyncio.gather(*(encoder.stop() for encoder in gone))
        for key, members in groups.items():
            encoder = kept.get(key)
            if encoder:
                encoder.allotment = allotted[key]
                await self._adjust(encoder, members[0])
            else:
                encoder = Encoder(members[0], allotted[key], self._feed, lambda: self.facts, self._kit)
                encoder.start()
            for profile in members:
                self._plug(profile.name, encoder)
        self._forget()

    def _matched(
        self, groups: dict[str, list[ProfileSpec]], allotted: dict[str, Allotment]
    ) -> dict[str, Encoder]:
        """The running encoders that can go on, by what they will encode: as it is, or with another crop or
        other layers. Of several the one that the names had before."""
        kept: dict[str, Encoder] = {}
        for same in (content, fixed_part):
            for key, members in groups.items():
                had = [self._plugged[profile.name] for profile in members if profile.name in self._plugged]
                free = [e for e in (*had, *self._plugged.values()) if e not in kept.values()]
                suited = (
                    encoder
                    for encoder in free
                    if same(encoder.profile) == same(members[0])
                    and encoder.allotment.preset == allotted[key].preset
                )
                if key not in kept and (found := next(suited, None)):
                    kept[key] = found
        return kept

    async def _adjust(self, encoder: Encoder, profile: ProfileSpec) -> None:
        """Layers with assets are always drawn again: an asset may have come since."""
        if encoder.profile != profile or needed_by(profile):
            await encoder.adjust(profile)

    def _plug(self, name: str, encoder: Encoder) -> None:
        """Connect a name's distribution with its encoder; nothing where it is."""
        if name not in self._plugged:
            self._plugged[name] = encoder
            encoder.output.attach(self._distributions.setdefault(name, Distribution()))

    def _unplug(self, name: str) -> None:
        distribution = self._distributions[name]
        self._plugged.pop(name).output.detach(distribution)
        distribution.ended()

    def _forget(self) -> None:
        """Let go of names that are no more, and tell what became of the others."""
        known = {profile.name: None for profile in self._profiles}
        for name in self._distributions.keys() - known.keys():
            del self._distributions[name]
        for name in self._said.keys() - known.keys():
            del self._said[name]
        for name in known:
            self._tell(name)

    def _replan(self) -> None:
        """The feed is another: it costs something else."""
        task = asyncio.get_running_loop().create_task(self._apply_again(), name="encoders replan")
        self._replanning.add(task)
        task.add_done_callback(self._replanning.discard)

    async def _apply_again(self) -> None:
        async with self._applying:
            await self._settle()

    def _status(self, name: str) -> EncoderStatus:
        encoder, status = self._plugged.get(name), self._planned.status
        if encoder:
            return encoder.status().model_copy(update={"profile": name})
        cost = status.costs.get(name, 0.0)
        if reason := status.refused.get(name):
            return EncoderStatus(profile=name, state="refused", reason=reason, cost_cores=cost)
        return EncoderStatus(profile=name, state="idle", reason="No target uses it.", cost_cores=cost)

    def _changed(self, encoder: Encoder) -> None:
        for name in [name for name, plugged in self._plugged.items() if plugged is encoder]:
            self._tell(name)

    def _tell(self, name: str) -> None:
        """Pass on what is news; a speed alone is none."""
        status = self._status(name)
        said = self._said.get(name)
        if said and (said.state, said.reason, said.restarts) == (
            status.state,
            status.reason,
            status.restarts,
        ):
            return
        self._said[name] = status
        self._on_change(status)
