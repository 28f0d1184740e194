"""How long a target should have been live, how long it was, and how often it broke. Pure."""

from __future__ import annotations

from datetime import datetime


class Ledger:
    """Told whenever one of the two changes; the time in between is added up."""

    def __init__(self, now: datetime) -> None:
        self.wanted = 0.0
        self.live = 0.0
        self.gaps = 0
        self._at = now
        self._is_wanted = self._is_live = False

    def note(self, now: datetime, *, wanted: bool | None = None, live: bool | None = None) -> None:
        """What is so from now on; None leaves it as it is."""
        self.count(now)
        if wanted is not None:
            self._is_wanted = wanted
        if live is not None:
            self._is_live = live

    def broke(self) -> None:
        """It stopped being live though nobody wanted that; says so only once for each time it was live."""
        if self._is_live and self._is_wanted:
            self.gaps += 1

    def count(self, now: datetime) -> None:
        """Add the time up to now."""
        # A wall clock may be set back; time that was counted stays counted.
        spent = max((now - self._at).total_seconds(), 0.0)
        self._at = now
        if self._is_wanted:
            self.wanted += spent
            if self._is_live:
                self.live += spent
