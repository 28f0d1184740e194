"""What profiles cost on a machine, and which of them it can carry. Pure, but for `cores_here`.

The figures are cores for each million pixels a second, of busy pictures and with our own command lines, on a
rented two-core machine that had other work as well; `measure` says how much slower another machine is.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from restream.api import PlanStatus, ProfileSpec
from restream.encode.ffmpeg import Box, Facts, Preset, content, letterboxed

RESERVE: Final = 0.5
"""Cores left to copying, the player and everybody else."""
LIKELY: Final = Facts(1920, 1080)
"""The feed most people send: costs are shown before one is there."""
START: Final = 0.08
"""Cores for sound and pipes."""
DECODE: Final = 0.0030
ENCODE: Final[dict[Preset, float]] = {"superfast": 0.0090, "ultrafast": 0.0050}
"""Scaling is in it. superfast gives clearly better pictures at the same rate."""
LAYERS: Final = 0.0010
BLUR: Final = 0.0025
MOST_THREADS: Final = 8


@dataclass(frozen=True)
class Allotment:
    """How one encoding is to be done, and the cores it is granted."""

    preset: Preset
    threads: int
    cost: float


@dataclass(frozen=True)
class Planned:
    """`allotments` holds what may run, by profile name; names with equal settings share one."""

    status: PlanStatus
    allotments: Mapping[str, Allotment]


def plan(
    profiles: Sequence[ProfileSpec],
    facts: Facts | None,
    cores: float,
    *,
    factor: float = 1.0,
    wanted: Collection[str] | None = None,
    running: Mapping[str, Preset] | None = None,
) -> Planned:
    """Who runs on `cores`, the first in the list first. `factor` is this machine's, from `measure`.

    `wanted` names the profiles somebody uses (None: all); the others cost nothing yet and are only priced.
    All get in with the cheap preset; with what is left the first ones get the better. An encoder that is
    `running` keeps its preset while there is room, because another would interrupt it.
    """
    feed, room = facts or LIKELY, cores - RESERVE
    prices = {name: _prices(profile, feed, factor) for name, profile in _distinct(profiles).items()}
    chosen: dict[str, Preset] = {}
    refused: dict[str, str] = {}
    shared = {profile.name: _leader(profile, profiles) for profile in profiles}
    was = {shared[name]: preset for name, preset in (running or {}).items() if name in shared}
    used = [name for name in prices if wanted is None or any(shared.get(w) == name for w in wanted)]
    for name in used:
        if prices[name]["ultrafast"] <= room:
            chosen[name] = "ultrafast"
            room -= prices[name]["ultrafast"]
        else:
            refused[name] = _refusal(name, prices[name]["ultrafast"], max(0.0, room), cores)
    for name in sorted(chosen, key=lambda name: was.get(name) != "superfast"):
        more = prices[name]["superfast"] - prices[name]["ultrafast"]
        if more <= room and was.get(name) != "ultrafast":
            chosen[name] = "superfast"
            room -= more
    allotted = {
        name: Allotment(preset, _threads(prices[name][preset], cores), prices[name][preset])
        for name, preset in chosen.items()
    }
    status = PlanStatus(
        cores=round(cores, 2),
        wanted_cores=round(sum(prices[name][chosen.get(name, "ultrafast")] for name in used), 2),
        costs={name: round(prices[to][chosen.get(to, "superfast")], 2) for name, to in shared.items()},
        refused={name: refused[to] for name, to in shared.items() if to in refused},
    )
    return Planned(status, {name: allotted[to] for name, to in shared.items() if to in allotted})


def cost(profile: ProfileSpec, facts: Facts, preset: Preset) -> float:
    """Cores one encoding needs on the machine the figures are from."""
    comes = facts.width * facts.height * facts.fps / 1e6
    goes = profile.width * profile.height * (profile.fps or facts.fps) / 1e6
    blurred = profile.fit == "blur" and letterboxed(facts, profile) != Box(profile.width, profile.height)
    each = ENCODE[preset] + LAYERS + (BLUR if blurred else 0)
    return START + DECODE * comes + each * goes


def cores_here(cgroup: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """Cores this process may use: those it is bound to, and no more than a container's quota."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cgroup.read_text().split()
        return min(float(bound), int(quota) / int(period))
    except (OSError, ValueError):
        return float(bound)  # no such file, or "max": no quota


def _prices(profile: ProfileSpec, facts: Facts, factor: float) -> dict[Preset, float]:
    return {preset: cost(profile, facts, preset) * factor for preset in ENCODE}


def _distinct(profiles: Sequence[ProfileSpec]) -> dict[str, ProfileSpec]:
    return {profile.name: profile for profile in profiles if _leader(profile, profiles) == profile.name}


def _leader(profile: ProfileSpec, profiles: Sequence[ProfileSpec]) -> str:
    """The first name with the same settings."""
    return next(other.name for other in profiles if content(other) == content(profile))


def _threads(price: float, cores: float) -> int:
    """Enough to be in time with some to spare: a picture's slices are encoded side by side."""
    return max(1, min(math.ceil(price * 1.5), math.floor(cores), MOST_THREADS))


def _refusal(name: str, needs: float, room: float, cores: float) -> str:
    return (
        f"Profile “{name}” needs about {needs:.1f} cores, and of this machine's {cores:.1f} only {room:.1f} "
        "are free for it. Choose a smaller size or fewer pictures a second, or a bigger machine."
    )
