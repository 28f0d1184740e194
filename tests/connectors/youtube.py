"""What the tests of YouTube share: time that passes when somebody sleeps, a purse of units, a show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.errors import RetryLater
from connectors.types import Broadcast, Ingest
from connectors.youtube import CONNECTOR
from connectors.youtube.chat import YouTubeChat
from connectors.youtube.destination import YouTubeDestination
from connectors.youtube.fake import Fake
from tests.connectors.conftest import Clock, Rig, reaching

SAMPLES = Path(__file__).parents[2] / "connectors" / "youtube" / "samples"
SHOW = Broadcast(title="Autumn show", description="Coats", privacy="unlisted", marker="show-1")


class Day(Clock):
    """A clock whose time of day moves on as well: it begins at noon in California."""

    def now(self) -> datetime:
        """The wall clock."""
        return super().now() + timedelta(seconds=self.seconds)


class Purse:
    """A day's units, kept as the hub keeps them."""

    def __init__(self, units: int, reserve: int = 0) -> None:
        self.units = units
        self.reserve = reserve
        self.spent = 0

    async def spend(self, units: int, *, urgent: bool = False) -> None:
        """Note a cost; what is not urgent leaves the reserve alone."""
        if self.spent + units > self.units - (0 if urgent else self.reserve):
            raise RetryLater("Today's YouTube quota is used up.", 3600.0)
        self.spent += units

    async def left(self) -> int | None:
        """Units a call that is not urgent may still use."""
        return max(0, self.units - self.reserve - self.spent)


@asynccontextmanager
async def standing(
    clock: Clock,
    *,
    purse: Purse | None = None,
    through: Callable[[str], AbstractAsyncContextManager[str]] | None = None,
) -> AsyncIterator[Rig]:
    """The connector at its fake; by default with units for a thousand days."""
    fake = Fake(seed=3, now=clock.monotonic, wall=clock.now)
    async with reaching(CONNECTOR, fake, through=through) as rig:
        rig.session = replace(rig.session, budget=purse or Purse(10_000_000))
        yield rig


async def opened(rig: Rig, **changes: Any) -> Ingest:
    """A broadcast that waits for our picture."""
    return await destination(rig).open(SHOW.model_copy(update=changes))


async def pushing(rig: Rig, ingest: Ingest, event: str = "publish") -> None:
    """Our picture begins to arrive at YouTube, or ceases to (`done`)."""
    await rig.ctl("ingest", event=event, app="live2", key=ingest.key.get_secret_value())


async def on_air(rig: Rig) -> Ingest:
    """A broadcast that is live."""
    ingest = await opened(rig)
    await pushing(rig, ingest)
    await destination(rig).started(ingest.ref)
    assert (await destination(rig).started(ingest.ref)).state == "live"
    return ingest


async def chat_ref(rig: Rig) -> str:
    """A broadcast's chat, ready to be read."""
    ref = (await opened(rig)).chat_ref
    assert ref is not None
    return ref


async def both_ways(rig: Rig) -> AsyncIterator[str]:
    """The chat of a broadcast that is read from the stream, then of one that must be polled."""
    for way in ("push", "poll"):
        if way == "poll":
            await fault(rig, "no_stream")
        ref = (await opened(rig, marker=f"show-{way}")).chat_ref
        assert ref is not None
        yield ref


async def say(rig: Rig, text: str, **more: Any) -> str:
    """Somebody writes; the message's id."""
    answer = await rig.ctl("chat", author="Ann", author_id="UC_ann", text=text, **more)
    return str(answer["ids"][0])


async def fault(rig: Rig, kind: str, **more: Any) -> None:
    """Trouble at YouTube."""
    await rig.ctl("fault", kind=kind, **more)


def reader(rig: Rig, clock: Clock) -> YouTubeChat:
    """The chat's reader, on the test's time."""
    return YouTubeChat(rig.session, clock.sleep, clock.now)


def destination(rig: Rig) -> YouTubeDestination:
    """The channel to stream to."""
    return YouTubeDestination(rig.session)


async def calls(rig: Rig, part: str) -> int:
    """How often the fake was asked for something."""
    return sum(part in call for call in (await rig.state())["calls"])
