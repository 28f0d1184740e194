"""The ladder of a show: how large its rungs are, what they may weigh, and how many a machine can carry. Pure.

The feed itself is the top rung and costs nothing. The others come from one child that decodes once, so the
first of them pays for the decoding. Figures are those of `restream.encode.planner`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from restream.api import PlanStatus
from restream.encode.ffmpeg import Facts, Preset
from restream.encode.planner import DECODE, ENCODE, LIKELY, MOST_THREADS, RESERVE, START
from restream.hls.renditions import Rung

SHARE: Final = 1 / 3
LEAST: Final = 0.5
"""Of a machine's cores a ladder takes this share at most, but this many even of a small one: the rest is for
the platforms' own encodings and everybody else. It makes two rungs on two cores, all of them on four."""
MAIN: Final = 720
"""What most screens show: the largest rung up to this one is wanted next after the smallest."""
SMALLEST: Final = 128
WEIGHTS: Final = (
    (640 * 360, 700),
    (854 * 480, 1250),
    (960 * 540, 1800),
    (1280 * 720, 2900),
    (1920 * 1080, 4750),
)
"""Pixels and kbit/s at up to 30 pictures a second, near Apple's advice to HLS authors."""
BEYOND: Final = 0.75
"""Outside of the table twice the pixels need 2 to the power of this as many bits."""
FASTER: Final = 0.5
"""The same for more than 30 pictures a second: they differ less from one to the next."""


@dataclass(frozen=True)
class Step:
    """A rung as it is encoded: never more than `kbps`, on so many threads."""

    rung: Rung
    kbps: int
    threads: int


@dataclass(frozen=True)
class LadderPlan:
    """`steps`, the largest first, are encoded by one child with `preset`, for `cost` cores in all.

    `left_out` says of each of the other heights why, by the rung's name. In `status` the price of a rung is
    its own, without the decoding they share.
    """

    steps: tuple[Step, ...]
    preset: Preset
    cost: float
    left_out: Mapping[str, str]
    status: PlanStatus


def plan_ladder(
    heights: Sequence[int],
    facts: Facts | None,
    left: float,
    *,
    cores: float,
    factor: float = 1.0,
    without: Collection[str] = (),
) -> LadderPlan:
    """The rungs that run on a machine of `cores`, of which `left` are not given to anybody else.

    `facts` is the feed, None while it is not known; `factor` says how slow the machine is. Rungs in `without`
    are not even tried. The smallest rung comes first: it is what keeps a bad line watching.
    """
    feed = facts or LIKELY
    room = max(0.0, min(left - RESERVE, max(LEAST, cores * SHARE)))
    left_out = {name_of(height): _unfit(height, feed) for height in heights if not _fits(height, feed)}
    useful = [height for height in _by_importance(heights, feed) if name_of(height) not in without]
    sizes = {height: size(height, feed) for height in useful}
    preset = _preset(useful, sizes, feed, room / factor)
    base = (START + DECODE * _megapixels(feed.width, feed.height, feed.fps)) * factor
    prices = {height: _price(sizes[height], feed.fps, preset) * factor for height in useful}
    chosen: list[int] = []
    spent = base
    for height in useful:
        if spent + prices[height] <= room:
            chosen.append(height)
            spent += prices[height]
        else:
            needs = prices[height] + (0.0 if chosen else base)
            free = max(0.0, room - (spent if chosen else 0.0))
            left_out[name_of(height)] = _too_much(name_of(height), needs, free, cores)
    cost = spent if chosen else 0.0
    status = PlanStatus(
        cores=round(max(0.0, left), 2),
        wanted_cores=round(cost, 2),
        costs={name_of(height): round(price, 2) for height, price in prices.items()},
        refused=left_out,
    )
    steps = tuple(_step(height, feed, prices[height], cores) for height in sorted(chosen, reverse=True))
    return LadderPlan(steps, preset, cost, left_out, status)


def name_of(height: int) -> str:
    """What a rung is called, in addresses too."""
    return f"{height}p"


def size(height: int, feed: Facts) -> tuple[int, int]:
    """Width and height of a rung: the shorter side is as wished, the shape is the feed's, both are even."""
    scale = height / min(feed.width, feed.height)
    return _even(feed.width * scale), _even(feed.height * scale)


def weight(width: int, height: int, fps: float) -> int:
    """The most kbit/s a rung of that size may have."""
    pixels = width * height
    low, high = WEIGHTS[0], WEIGHTS[-1]
    if not low[0] < pixels < high[0]:
        near = low if pixels <= low[0] else high
        kbps = near[1] * math.pow(pixels / near[0], BEYOND)
    else:
        low, high = next(pair for pair in pairwise(WEIGHTS) if pixels <= pair[1][0])
        way = math.log(pixels / low[0]) / math.log(high[0] / low[0])
        kbps = low[1] * math.pow(high[1] / low[1], way)
    return round(kbps * math.pow(max(1.0, fps / 30), FASTER))


def _by_importance(heights: Sequence[int], feed: Facts) -> list[int]:
    """The smallest, then the largest that is no more than most screens show, then the rest from below."""
    fitting = sorted({height for height in heights if _fits(height, feed)})
    if not fitting:
        return []
    first, rest = fitting[:1], fitting[1:]
    main = [height for height in rest if height <= MAIN][-1:]
    return [*first, *main, *(height for height in rest if height not in main)]


def _fits(height: int, feed: Facts) -> bool:
    return SMALLEST <= height < min(feed.width, feed.height)


def _unfit(height: int, feed: Facts) -> str:
    if height < SMALLEST:
        return f"{name_of(height)} is too small to be watched. Choose {SMALLEST} or more."
    own = name_of(min(feed.width, feed.height))
    return f"{name_of(height)} is not smaller than the feed ({own}), which viewers get as it is."


def _preset(useful: list[int], sizes: Mapping[int, tuple[int, int]], feed: Facts, room: float) -> Preset:
    """The better one, if it leaves room for the two rungs that matter most."""
    base = START + DECODE * _megapixels(feed.width, feed.height, feed.fps)
    both = sum(_price(sizes[height], feed.fps, "superfast") for height in useful[:2])
    return "superfast" if base + both <= room else "ultrafast"


def _price(pixels: tuple[int, int], fps: float, preset: Preset) -> float:
    return ENCODE[preset] * _megapixels(*pixels, fps)


def _megapixels(width: int, height: int, fps: float) -> float:
    """Millions of pixels a second."""
    return width * height * fps / 1e6


def _step(height: int, feed: Facts, price: float, cores: float) -> Step:
    width, tall = size(height, feed)
    threads = max(1, min(math.ceil(price * 1.5), math.floor(cores), MOST_THREADS))
    return Step(Rung(name_of(height), width, tall, feed.fps), weight(width, tall, feed.fps), threads)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _too_much(name: str, needs: float, free: float, cores: float) -> str:
    return (
        f"{name} needs about {needs:.2f} cores, and of this machine's {cores:.1f} only {free:.2f} are free "
        "for smaller pictures, so it is left out. Use a bigger machine, or fewer profiles for targets."
    )
