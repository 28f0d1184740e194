"""Screens of staff stay for as long as their session lasts and their role is what it was when they came."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Protocol
from uuid import UUID

from hub.auth.service import Auth
from hub.db import Database
from hub.errors import HubError

LOOK_EVERY: Final = 3.0
"""Seconds after which who was removed, demoted or signed out hears nothing more."""

Pass = tuple[UUID, str]
"""The session that a screen came with, and the role it had."""


class Closable(Protocol):
    """A screen."""

    def close(self) -> None:
        """Hang up; the page calls again, with a fresh ticket if it gets one."""
        ...


class StaffScreens:
    """Asks the table, since news of a change may be lost; one question for all screens of this process.

    It looks every so many seconds, and at once when a screen comes: a ticket outlives whom it was given to.
    """

    def __init__(self, db: Database, auth: Auth, every: float = LOOK_EVERY) -> None:
        self._db = db
        self._auth = auth
        self._every = every
        self._here: dict[Closable, Pass] = {}
        self._somebody_came = asyncio.Event()

    def came(self, screen: Closable, given: Pass) -> None:
        """It is watched from now on."""
        self._here[screen] = given
        self._somebody_came.set()

    def left(self, screen: Closable) -> None:
        """It is gone; harmless when it was never here."""
        self._here.pop(screen, None)

    async def keep_checking(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._somebody_came.wait()
            self._somebody_came.clear()
            if not self._here:
                continue
            here = dict(self._here)
            try:
                async with self._db.session() as session:
                    roles = await self._auth.roles(session, {session_id for session_id, _ in here.values()})
            except HubError:
                continue  # without the database nobody can be removed either
            for screen in over(here, roles):
                screen.close()


def over(here: Mapping[Closable, Pass], roles: Mapping[UUID, str]) -> list[Closable]:
    """Screens that may not stay. Pure."""
    return [screen for screen, (session_id, role) in here.items() if roles.get(session_id) != role]
