"""All replays of a worker: those being made, and those that lie on its disk.

`apply` and `take` are for whoever runs shows, the rest is for whoever serves viewers. Nothing here blocks the
event loop: the disk is touched in threads, and what must be answered at once is known beforehand.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import structlog

from restream.api import LiveSpec, PlaybackSpec
from restream.hls.finished import FinishedSegment
from restream.record.shelf import SLUG, folder_of
from restream.record.writer import free_bytes
from restream.replay.about import About, load, save
from restream.replay.replay import Replay, about_of
from restream.replay.screening import Screening
from restream.replay.writer import JOURNAL, index_of

log = structlog.get_logger()

FOLDER: Final = "replay"
ABANDONED_SECONDS: Final = 600.0
"""After a kill the hub tells a new worker of its shows within seconds; one that nobody told of for this long,
and whose end nobody noted, is over."""
SETTLED_SECONDS: Final = 60.0
"""After a start, in which nothing is called abandoned: a show may go on after any outage."""
KEPT_LOADED: Final = 8
"""Replays of ended shows in memory; four hours with five renditions are about two megabytes, and text."""
THREADS: Final = 4

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Known:
    """A replay that nobody writes to. `about` is None when it can't be read; `touched` is the wall clock."""

    about: About | None
    touched: float
    turn: int


class Shelf:
    """`root` is where recordings lie. `running` says whether a show is on this worker and goes on."""

    def __init__(
        self,
        root: Path,
        running: Callable[[str], bool] = lambda slug: False,
        *,
        free: Callable[[Path], int] = free_bytes,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._running = running
        self._free = free
        self._now = now
        self._live: dict[str, Replay] = {}
        self._known: dict[str, Known] = {}
        self._loaded: OrderedDict[str, Screening] = OrderedDict()
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._turn = 0
        self._began = now()
        self._threads = ThreadPoolExecutor(THREADS, "replay")

    async def scan(self) -> None:
        """Look what is on the disk: at the start, and after recordings were removed. Raises OSError."""
        began = self._turn
        found = await self.in_thread(lambda: dict(_replays(self._root)))
        fresh = {slug: known for slug, known in self._known.items() if known.turn > began}
        self._known = {**found, **fresh}
        for slug in set(self._loaded) - set(self._known):
            del self._loaded[slug]

    async def apply(self, spec: LiveSpec) -> None:
        """Make it so: a replay for a show that is recorded, none for others, an end for one that is over.

        Before the end, hand over the last segments. A wish for a show that is long over, or not recorded any
        more, changes who may watch its replay; older wishes change nothing.
        """
        live = self._live.get(spec.slug)
        if spec.open and spec.recording:
            if live:
                live.apply(spec, spec.recording)
            else:
                self._open(spec)
        elif live:
            await live.stop(None if spec.open else spec)
            self._put_down(spec.slug, live)
        elif spec.slug in self._known:
            await self._note(spec)

    def take(self, slug: str, segment: FinishedSegment) -> None:
        """A finished segment of a running show; of no interest when the show is not recorded."""
        live = self._live.get(slug)
        if live:
            live.take(segment)

    async def stop(self) -> None:
        """The worker stops: write what waits. The shows may go on with the next worker."""
        ending = dict(self._live)
        await asyncio.gather(*(live.stop() for live in ending.values()))
        for slug, live in ending.items():
            self._put_down(slug, live)
        self._threads.shutdown(wait=False)

    def trouble(self, slug: str) -> str | None:
        """What is wrong with the replay of a running show, as a sentence."""
        live = self._live.get(slug)
        return live.trouble if live else None

    def size(self, slug: str) -> int:
        """Bytes that the replay of a running show takes on the disk."""
        live = self._live.get(slug)
        return live.size if live else 0

    def has(self, slug: str) -> bool:
        """Whether there is a replay, or will be."""
        return slug in self._live or slug in self._known

    def ended(self, slug: str) -> bool:
        """Whether the replay is what there is to see of a show."""
        known = self._known.get(slug)
        if known is None or slug in self._live or self._running(slug):
            return False
        if known.about is None or known.about.over:
            return True
        now = self._now()
        return now - known.touched > ABANDONED_SECONDS and now - self._began > SETTLED_SECONDS

    def playback(self, slug: str) -> PlaybackSpec | None:
        """Who may watch; None when there is no replay, or when that is not known."""
        about = self._about(slug)
        return about.playback if about else None

    def sealed(self, slug: str) -> bool:
        """Whether there is a replay and nobody knows who may watch it."""
        return self.has(slug) and self._about(slug) is None

    def at_hand(self, slug: str) -> Screening | None:
        """What viewers get, as far as it is in memory; None without a replay, and when it is sealed."""
        if slug in self._live:
            return self._live[slug].screening
        screening = None if self.sealed(slug) else self._loaded.get(slug)
        if screening:
            self._loaded.move_to_end(slug)
            screening.ended = self.ended(slug)
        return screening

    def must_be_loaded(self, slug: str) -> bool:
        """Whether `find` has to read the disk."""
        on_disk = slug in self._known and slug not in self._live and slug not in self._loaded
        return on_disk and not self.sealed(slug)

    async def find(self, slug: str) -> Screening | None:
        """The same as `at_hand`, from the disk where that is needed."""
        if self.must_be_loaded(slug):
            task = self._loading.get(slug)
            if task is None:
                task = self._loading[slug] = asyncio.create_task(self._load(slug))
            await asyncio.shield(task)
        return self.at_hand(slug)

    def forget(self, slug: str) -> None:
        """Its files are gone."""
        self._known.pop(slug, None)
        self._loaded.pop(slug, None)

    async def in_thread(self, work: Callable[[], Found]) -> Found:
        """Do something that touches the disk."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _about(self, slug: str) -> About | None:
        live, known = self._live.get(slug), self._known.get(slug)
        if live:
            return live.about
        return known.about if known else None

    def _open(self, spec: LiveSpec) -> None:
        if spec.recording is None:
            return
        live = Replay(self._folder(spec.slug), spec, spec.recording, free=self._free)
        live.start()
        self._loaded.pop(spec.slug, None)
        self._live[spec.slug] = live

    def _put_down(self, slug: str, live: Replay) -> None:
        """Nobody writes to it any more; viewers go on with what they have."""
        del self._live[slug]
        self._know(slug, live.about)
        if live.screening:
            self._keep(slug, live.screening)

    async def _note(self, spec: LiveSpec) -> None:
        known, about, folder = self._about(spec.slug), about_of(spec), self._folder(spec.slug)
        if known and (about.version < known.version or about == known):
            return
        try:
            await self.in_thread(lambda: save(folder, about))
        except OSError as error:
            log.warning("replay.not_noted", show=spec.slug, why=error.strerror)
        self._know(spec.slug, about)
        if spec.slug in self._loaded:
            self._loaded[spec.slug].about = about

    def _know(self, slug: str, about: About) -> None:
        self._turn += 1
        self._known[slug] = Known(about, self._now(), self._turn)

    async def _load(self, slug: str) -> None:
        folder = self._folder(slug)
        try:
            index, _ = await self.in_thread(lambda: index_of(folder))
        except OSError as error:
            log.warning("replay.not_loaded", show=slug, why=error.strerror)
            self.forget(slug)
            return
        finally:
            self._loading.pop(slug, None)
        about = self._about(slug)
        if about and slug not in self._live:
            self._keep(slug, Screening(folder, index, about, ended=self.ended(slug)))

    def _keep(self, slug: str, screening: Screening) -> None:
        screening.ended = self.ended(slug)
        self._loaded[slug] = screening
        while len(self._loaded) > KEPT_LOADED:
            self._loaded.popitem(last=False)

    def _folder(self, slug: str) -> Path:
        return folder_of(self._root, slug) / FOLDER


def _replays(root: Path) -> list[tuple[str, Known]]:
    """Every replay on the disk. Blocks."""
    found = []
    for folder in root.iterdir() if root.is_dir() else ():
        if not SLUG.fullmatch(folder.name):
            continue
        try:
            touched = (folder / FOLDER / JOURNAL).stat().st_mtime
        except OSError:
            continue
        found.append((folder.name, Known(load(folder / FOLDER), touched, 0)))
    return found
