"""A login that is refreshed before it expires, once, whatever asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from connectors.errors import Reconnect
from connectors.types import Tokens

MARGIN = timedelta(minutes=5)
"""Refresh this long before expiry, so that a call begun now does not outlive its token."""

Refresh = Callable[[Tokens], Awaitable[Tokens]]
"""Exchanges stale tokens for new ones and has *stored* them when it returns."""


def utc_now() -> datetime:
    """The wall clock; tests pass their own."""
    return datetime.now(UTC)


class Login:
    """Tokens of one connection, shared by all its capabilities.

    `refresh` is called by one task at a time; the others wait and use what it brought.
    """

    def __init__(
        self, tokens: Tokens, refresh: Refresh | None = None, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._tokens = tokens
        self._refresh = refresh
        self._now = now
        self._lock = asyncio.Lock()

    async def access(self) -> str:
        """A token that is good for some minutes. Raises Reconnect when there is none to be had."""
        expires = self._tokens.expires_at
        if expires is not None and expires - self._now() < MARGIN and self._refresh is not None:
            await self.renew(self._tokens.access.get_secret_value())
        return self._tokens.access.get_secret_value()

    async def renew(self, stale: str) -> str:
        """Replace `stale`; a no-op when another task has already replaced it."""
        async with self._lock:
            if self._tokens.access.get_secret_value() != stale:
                return self._tokens.access.get_secret_value()
            if self._refresh is None or self._tokens.refresh is None:
                raise Reconnect("The platform no longer accepts this login. Link the account again.")
            self._tokens = await self._refresh(self._tokens)
            return self._tokens.access.get_secret_value()
