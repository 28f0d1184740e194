"""Trouble on purpose: any switch of any fake, pressed at its moment of the show, and what was pressed.

A script is text, one switch a line: seconds on air, platform, switch, and the switch's own values. Which
switches a platform's fake has, and what they take, is said at the top of `connectors/<platform>/fake*.py`.

    # the network is bad, and webhooks get lost
    10  youtube  slow          seconds=2 count=3
    15  shopify  lost_webhook
    20  stripe   status        status=503 count=2 retry_after=1
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.demo.fakes import PLATFORMS, SHOPS, Standing
from hub.demo.http import Unexpected

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trouble:
    """One press. `at`: seconds on air; `values` are what the fake is told beside the switch's name."""

    at: float
    platform: str
    switch: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return " ".join(
            [self.platform, self.switch, *(f"{name}={said}" for name, said in self.values.items())]
        )


def read_script(text: str, known: Collection[str] = (*PLATFORMS, *SHOPS)) -> list[Trouble]:
    """The switches of a script, in the order of their moments. Unexpected says which line makes no sense."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            found.append(read_line(words, known))
        except ValueError as error:
            raise Unexpected(f"Line {number} of the script, {line.strip()!r}: {error}") from None
    return sorted(found, key=lambda one: one.at)


def read_line(words: Sequence[str], known: Collection[str]) -> Trouble:
    """One line; ValueError says what is wrong with it."""
    if len(words) < 3:
        raise ValueError("seconds, platform and switch are needed, such as 10 youtube slow seconds=2.")
    at, platform, switch, *values = words
    if platform not in known:
        raise ValueError(f"there is no {platform} in the demo. There are {', '.join(known)}.")
    if any("=" not in one for one in values):
        raise ValueError("values are written name=value.")
    pairs = (one.partition("=") for one in values)
    seconds = float(at)
    if not 0 <= seconds < float("inf"):
        raise ValueError("a show has no such second.")
    return Trouble(seconds, platform, switch, {name: read_value(said) for name, _, said in pairs})


def read_value(said: str) -> Any:
    """A number, true, false or a JSON value; whatever is none of these is text."""
    try:
        return json.loads(said)
    except ValueError:
        return said


class Switches:
    """Presses them, and keeps what was pressed. `now`: seconds on air."""

    def __init__(self, fakes: Mapping[str, Standing], now: Callable[[], float], say: Say) -> None:
        self._fakes = fakes
        self._now = now
        self._say = say
        self._waiting: list[Trouble] = []
        self.pressed: list[dict[str, Any]] = []
        self.problems: list[str] = []

    async def press(self, platform: str, switch: str, **values: Any) -> None:
        """At once. A switch that the fake does not have is a problem for the report, not the show's end."""
        trouble = Trouble(round(self._now(), 1), platform, switch, values)
        try:
            await self._fakes[platform].control("fault", {"kind": switch, **values}, repeatable=False)
        except Unexpected as error:
            self.problems.append(f"“{trouble}” could not be switched: {error}")
            return
        self.pressed.append({"at": trouble.at, "platform": platform, "switch": switch, **values})

    async def follow(self, script: Sequence[Trouble]) -> None:
        """Each at its moment, until the last is pressed or the show is over."""
        self._waiting = list(script)
        while self._waiting:
            await asyncio.sleep(max(0.0, self._waiting[0].at - self._now()))
            trouble = self._waiting.pop(0)
            self._say(f"Switched on: {trouble}.")
            await self.press(trouble.platform, trouble.switch, **trouble.values)

    def report(self) -> tuple[list[dict[str, Any]], list[str]]:
        """(what was pressed, in its order, what could not be)."""
        late = [
            f"“{one}” was never switched: the show was over before {one.at:g} s." for one in self._waiting
        ]
        return self.pressed, [*self.problems, *late]
