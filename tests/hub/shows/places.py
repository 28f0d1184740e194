"""Two platforms of the tests' own, made from the template: one that can do everything, and one of the silent
kind: a person brings the key and presses the button, and no program is told whether a show is on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connectors._template import CONNECTOR as EVERYTHING
from connectors._template.destination import ExampleDestination
from connectors.types import BroadcastStatus

PRESS = "Press Go LIVE in the app."
PRESS_END = "End the LIVE in the app, too."
NO_TEXTS = "The title is entered in the app."


class SilentDestination(ExampleDestination):
    """Takes whatever is pushed, shows it to nobody, and says so."""

    async def started(self, ref: str) -> BroadcastStatus:
        return await self.status(ref)

    async def status(self, ref: str) -> BroadcastStatus:
        return BroadcastStatus(state="starting", reason="Only the app knows.")


SILENT = replace(
    EVERYTHING,
    name="silent",
    title="Silent",
    destination=SilentDestination,
    planner=None,
    metadata=None,
    audience=None,
    health=None,
    text_limits=None,
    key_life=timedelta(hours=2),
    before_start=PRESS,
    after_end=PRESS_END,
    gaps={"metadata": NO_TEXTS},
)
PLACES = {"_template": EVERYTHING, "silent": SILENT}
