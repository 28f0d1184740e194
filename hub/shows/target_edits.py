"""Editing one target of a show, live or not; the others do not notice."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Event
from hub.clock import Clock
from hub.connections.service import Connections, revealed
from hub.db import announce
from hub.errors import BadInput, Conflict
from hub.jobs import defer
from hub.shows.models import Show, ShowTarget
from hub.shows.profiles import chosen
from hub.shows.service import Shows, hurry, lock_of
from hub.shows.stages import ASKED, STARTING, is_open
from hub.shows.wishes import TargetChange

UNDO = timedelta(seconds=30)
"""How long after its removal a target's broadcast is kept."""


class TargetEdits:
    """The verbs of one target. What its platform must hear is a job."""

    def __init__(self, clock: Clock, connections: Connections, shows: Shows) -> None:
        self._clock = clock
        self._connections = connections
        self._shows = shows

    async def change(self, session: AsyncSession, show: Show, target: ShowTarget, wish: TargetChange) -> None:
        """Pause, resume or edit one target; the others do not notice."""
        if show.state == "ended":
            raise Conflict("show_ended", "This show has ended: its targets can't be changed any more.")
        if wish.name is not None:
            target.name = wish.name
        if "profile" in wish.model_fields_set:
            target.profile = chosen(show, wish.profile)
        if wish.backup_wanted is not None:
            target.backup_wanted = wish.backup_wanted
            target.backup_state, target.backup_reason = None, None
        if wish.wanted is not None:
            target.wanted = wish.wanted
        texts = wish.model_fields_set & {"title", "description"}
        for name in texts:
            setattr(target, name, getattr(wish, name))
        if texts or (wish.wanted is not None and show.state == "scheduled"):
            await self._shows.describe(session, show, target)
        if address := wish.address():
            await self._readdress(session, show, target, address)
        elif wish.wanted and show.state == "live" and not is_open(target):
            await self._shows.open_target(session, target)
        self._shows.tell_target(session, show, target)
        await self._shows.sync(session, show)

    async def retry(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """Try one target again now, whatever stopped it."""
        if show.state != "live":
            raise Conflict("show_not_live", "Targets are tried while the show is live.")
        target.wanted, target.attempt = True, target.attempt + 1
        if target.platform_state == "ended":
            # No platform takes an ended broadcast up again: a person asks for another one.
            give_up(target)
        if not is_open(target):
            await hurry(session, target)
            await self._shows.open_target(session, target)
        self._shows.tell_target(session, show, target)
        await self._shows.sync(session, show)

    async def remove(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """Stop pushing there at once. Its broadcast is ended a little later, so that it can be undone."""
        target.removed_at = self._clock()
        if target.ref or target.platform_state == ASKED:
            await hurry(session, target)
            key, at = f"target.drop:{target.id}", self._clock() + UNDO
            await defer(
                session, "target.close", key=key, lock=lock_of(target), at=at, target_id=str(target.id)
            )
        data = {"id": str(target.id)}
        announce(session, Event(show_id=show.id, kind="target.removed", audience="staff", data=data))
        await self._shows.sync(session, show)

    async def restore(self, session: AsyncSession, show: Show, target: ShowTarget) -> None:
        """Take a removal back."""
        if target.removed_at is None:
            return
        if show.state == "ended" or target.platform_state == "ended":
            raise Conflict("target_over", "Its broadcast has ended already. Add it to the show again.")
        target.removed_at = None
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict("target_exists", "The show goes there again already.") from None
        if show.state == "live" and target.wanted and not is_open(target):
            await self._shows.open_target(session, target)
        elif show.state == "live" and target.platform_state in STARTING:
            # Nobody asked the platform while it was removed.
            key = f"target.started:{target.id}"
            await defer(session, "target.started", key=key, lock=lock_of(target), target_id=str(target.id))
        await self._shows.describe(session, show, target)
        self._shows.tell_target(session, show, target)
        await self._shows.sync(session, show)

    async def _readdress(
        self, session: AsyncSession, show: Show, target: ShowTarget, address: dict[str, str]
    ) -> None:
        """Another address or key, kept with the account as well; what was opened is opened anew."""
        connection = await self._connections.get(session, show.brand_id, target.connection_id)
        config = self._connections.config_of(connection)
        if unknown := address.keys() - type(config).model_fields.keys():
            title = self._connections.connector(target.connector).title
            raise BadInput(
                "address_fixed",
                f"{title} gives out its address itself: there is no {min(unknown)} to change.",
            )
        known = {name: revealed(value) for name, value in config.model_dump().items()}
        if "passphrase" in known and not address.get("url", "srt:").startswith("srt:"):
            known["passphrase"] = ""  # of the SRT address that goes
        await self._connections.change(connection, None, known | address, None)
        # Without a reference it counts as not opened; the old address serves until the new one is there.
        target.ref = None
        target.attempt += 1
        if show.state == "live" and target.wanted:
            await self._shows.open_target(session, target)
        else:
            target.url_sealed = None  # of a paused one: nothing goes to the old address any more


def give_up(target: ShowTarget) -> None:
    """Forget its broadcast, for good: the next one has another marker."""
    target.ref, target.chat_ref, target.watch_url, target.platform_state = None, None, None, None
    target.details_state, target.details_reason, target.details_at = None, None, None
    target.round += 1
