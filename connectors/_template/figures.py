"""What the platform counts and measures: who is there, and how it likes what it receives."""

from __future__ import annotations

from typing import Any

from connectors._template.api import Calls, Config
from connectors.base import Session
from connectors.types import Audience, IngestHealth

# The platform's marks into ours; a mark nobody knows yet is not a reason to alarm anybody.
MARKS: dict[str, Any] = {"green": "good", "yellow": "fair", "red": "bad", "none": "nothing"}
# Its codes into sentences for the producer: what is wrong, and what to do.
ISSUES = {
    "low_bitrate": "The picture has too few bits. Raise the encoder's bitrate to what the platform advises.",
    "keyframes": "Key frames come too seldom. Set the encoder's key frame interval to 2 seconds.",
}


class ExampleAudience:
    """Asked every few seconds while live: it must be cheap, or it eats the day's allowance."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)

    async def now(self, ref: str) -> Audience:
        """A figure that may be absent stays None: nought viewers is something else."""
        answer = await self._call("GET", f"broadcasts/{ref}")
        return Audience(viewers=answer.get("viewers"), reactions=answer.get("likes"))


class ExampleHealth:
    """What the platform sees is worth more than what we believe to have sent."""

    def __init__(self, session: Session[Config]) -> None:
        self._call = Calls(session)

    async def now(self, ref: str) -> IngestHealth:
        """Codes without a sentence of ours are passed on as they are rather than lost."""
        quality = (await self._call("GET", f"broadcasts/{ref}"))["quality"]
        issues = tuple(ISSUES.get(code, f"The platform says: {code}.") for code in quality["issues"])
        return IngestHealth(state=MARKS.get(quality["mark"], "fair"), issues=issues)
