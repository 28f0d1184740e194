"""The only three errors that leave a connector.

ConnectorError
├── RetryLater(after)   try again, no sooner than `after` seconds
├── Reconnect           the login is dead: a person must link the account again
└── Refused(reason)     the platform said no, and saying it again will not help
"""

from __future__ import annotations

from collections.abc import Sequence


class ConnectorError(Exception):
    """Base of the three; nothing else is raised on purpose."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RetryLater(ConnectorError):
    """Throttled, down or unreachable. `unknown` is True when a write may have happened.

    `tries`: how many have failed, where whoever raises it counts them; 0: none, it only waits for its turn.
    """

    def __init__(
        self, reason: str, after: float = 5.0, *, unknown: bool = False, tries: int | None = None
    ) -> None:
        super().__init__(reason)
        self.after = after
        self.unknown = unknown
        self.tries = tries


class Reconnect(ConnectorError):
    """Expired, revoked or insufficient login; `reason` is a sentence for the brand."""


class Refused(ConnectorError):
    """A definite no. `code` is the platform's own code where it has one."""

    def __init__(self, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.code = code


STALE = "stale"
"""The code of a refused stock write: the platform holds another number than was expected. Nothing was set."""


class Unreadable(Refused):
    """Orders that do not have the shape we know, raised when all others have been given out."""

    def __init__(self, reason: str, orders: Sequence[str]) -> None:
        super().__init__(reason, code="unreadable")
        self.orders = tuple(orders)
