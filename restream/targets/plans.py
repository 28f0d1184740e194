"""When to try a platform again, by how long it keeps a broken show. Pure.

The windows are what the platforms publish or what was observed: Twitch 90 s (Disconnect Protection),
YouTube about a minute (auto-stop), Facebook 2 to 3 minutes; TikTok's and Instagram's keys end with the show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from restream.api import RetryPlan

JITTER: Final = 0.2
QUICK: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
HURRY: Final = (0.5, 1.0, 2.0, 4.0, 5.0)


@dataclass(frozen=True)
class Plan:
    """Pauses (seconds) while the platform keeps the show, for `window` seconds after it was last live.

    `later` is the pause after that; None gives up. `advice` is what a person can do by then.
    """

    steps: tuple[float, ...]
    window: float | None = None
    later: float | None = None
    advice: str = ""

    def over(self, broken_for: float) -> bool:
        """Whether the platform has ended the show by now."""
        return self.window is not None and broken_for >= self.window

    def pause(self, attempt: int, broken_for: float, chance: float) -> float | None:
        """Seconds before the next try; None when there is none.

        `attempt` counts from 0, `broken_for` is seconds, `chance` in [0, 1) spreads many targets apart.
        """
        step = self.steps[min(attempt, len(self.steps) - 1)]
        if self.over(broken_for):
            if self.later is None:
                return None
            step = max(step, self.later)
        return step * (1 - JITTER + 2 * JITTER * chance)


PLANS: Final[dict[RetryPlan, Plan]] = {
    "steady": Plan(QUICK),
    "twitch": Plan(QUICK, window=90, later=30),
    "youtube": Plan(
        HURRY,
        window=60,
        later=15,
        advice="YouTube may have ended the broadcast by now: look in YouTube Studio.",
    ),
    "facebook": Plan(
        HURRY,
        window=150,
        later=30,
        advice="Facebook has probably ended the broadcast: if it does not come back, create a new live video "
        "and give this target its key.",
    ),
    "single_use": Plan(
        HURRY,
        window=60,
        advice="The platform takes this stream key no longer: fetch a new key and give it to this target.",
    ),
}
