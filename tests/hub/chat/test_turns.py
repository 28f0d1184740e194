"""A viewer speaks once in two seconds, whatever process hears them, from however many tabs and devices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

from sqlalchemy import text

from hub.app import services
from hub.auth.tokens import Viewer
from hub.chat.turns import forget_turns, take_turn
from hub.db import run
from hub.errors import SlowDown
from hub.services import Services
from hub.shows.models import Show
from tests.hub.shop import SetClock, Shop


async def wait_of(process: Services, viewer: Viewer, every: float = 2.0) -> int:
    """How long this viewer must wait; 0: they may speak, and have."""
    try:
        async with process.db.session() as session:
            show = await session.get_one(Show, viewer.show_id)
            await take_turn(session, show, viewer, process.clock(), every)
    except SlowDown as wait:
        return int(str(wait.extra["retry_after"]))
    return 0


async def test_a_viewers_pace_holds_across_processes_tabs_and_devices(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    async with services(hub.settings, {}, clock) as other:
        guest = shop.viewer()
        tabs = await asyncio.gather(*(wait_of(one, guest) for one in (hub, other, hub, other)))
        assert sorted(tabs) == [0, 2, 2, 2]
        assert await wait_of(other, shop.viewer()) == 0
        phone = replace(shop.viewer(), customer_id=uuid4())
        tablet = replace(shop.viewer(), customer_id=phone.customer_id)
        assert [await wait_of(hub, phone), await wait_of(other, tablet)] == [0, 2]
        clock.tick(1.5)
        assert await wait_of(other, guest) == 1
        clock.tick(0.5)
        assert [await wait_of(other, guest, 3.0), await wait_of(hub, tablet)] == [0, 0]
        clock.tick(2)
        assert await wait_of(hub, guest, 3.0) == 1
        # Of four who spoke one may not speak again yet; who the others were is known no more.
        async with hub.db.session() as session:
            await forget_turns(session, clock())
            assert (await run(session, text("SELECT count(*) FROM chat_turn"))).scalar_one() == 1
        assert await wait_of(hub, guest, 3.0) == 1
