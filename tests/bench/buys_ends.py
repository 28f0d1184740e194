"""How soon a reservation that is over is back: on viewers' screens, and with whoever waits for it.

Real processes: holds are taken through the API, the work process ends them, the gateway tells it. When a hold
ends is what the buyer was told; this machine's clock is also the processes'.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import text

from hub.db import run as query
from tests.bench.buys_till import Till
from tests.bench.rows import CannotMeasure
from tests.hub.gateway.screens import Screen, screen
from tests.hub.shop import Shop, open_shop

BAR_MS: Final = 1000
WAITING: Final = 10
TOGETHER: Final = 3000
"""Holds of a rush whose buyers all went away: they end within the same second or two."""
SHORT: Final = text("UPDATE show SET hold_seconds = :seconds WHERE id = :show")


@dataclass
class Ends:
    """Milliseconds after the end of each hold; less than nought would be before it."""

    seen_ms: list[float]
    offered_ms: list[float]
    rush_ms: list[float]


async def ended(till: Till, holds: int) -> Ends:
    """One after another, with people waiting, and very many at once."""
    seen, offered = await asyncio.gather(seen_back(till, holds), offered_on(till))
    return Ends(seen, offered, await rush_back(till))


async def seen_back(till: Till, holds: int) -> list[float]:
    """From the end of each hold to the news of it at a viewer's socket."""
    shop = await short_show(till, holds, seconds=8)
    async with screen(till.sockets, till.token(shop)) as viewer:
        ends = [await held(till, shop, pause=4 / holds) for _ in range(holds)]
        return await back(viewer, ends)


async def offered_on(till: Till) -> list[float]:
    """From the end of each hold to the offer at the socket of whoever is next."""
    shop = await short_show(till, WAITING, seconds=8)
    ends = [await held(till, shop, pause=0.3) for _ in range(WAITING)]
    async with AsyncExitStack() as stack:
        hearing = []
        for _ in ends:
            token = till.token(shop)
            one = await stack.enter_async_context(screen(till.sockets, token))
            wanted = {"show": shop.slug, "variant_id": str(shop.variant_id)}
            joined = await till.post("/api/v1/public/waitlist", wanted, token)
            if joined.status != 201:
                raise CannotMeasure(f"A viewer could not get into the queue: {joined.body.get('detail')}")
            hearing.append(one.hears("waitlist.offered"))
        return [late(at, end) for at, end in zip(await heard(hearing), sorted(ends), strict=True)]


async def rush_back(till: Till) -> list[float]:
    """The same for very many holds that end together, taken by this process."""
    shop = await short_show(till, TOGETHER, seconds=10)
    async with screen(till.sockets, till.token(shop)) as viewer:
        taken = await asyncio.gather(*(shop.hold() for _ in range(TOGETHER)))
        return await back(viewer, [one.expires_at for one in taken])


async def short_show(till: Till, units: int, seconds: int) -> Shop:
    """Another live show, whose reservations are short."""
    hub = till.shop.hub
    shop = await open_shop(hub, units)
    async with hub.db.session() as session:
        await query(session, SHORT, {"show": shop.show_id, "seconds": seconds})
    return shop


async def held(till: Till, shop: Shop, pause: float) -> datetime:
    """Somebody takes one and goes away; until when it is theirs."""
    await asyncio.sleep(pause)
    answer = await till.hold(till.token(shop), uuid4().hex, shop)
    if answer.status != 201:
        raise CannotMeasure("A buyer was refused: the machine was too busy. Run it again.")
    return datetime.fromisoformat(answer.body["expires_at"])


async def back(viewer: Screen, ends: list[datetime]) -> list[float]:
    """When at least so many were back as had ended by then, for each end.

    News tells the newest number alone, so one piece of it may be about several.
    """
    waiting, found, gone = sorted(ends), list[float](), False
    while len(found) < len(ends):
        available = (await viewer.hears("stock.changed"))["data"]["available"]
        now = datetime.now(UTC)
        # From the moment on when everything was reserved, each that comes back is one that ended.
        gone = gone or available == 0
        while gone and len(found) < available:
            found.append(late(now, waiting[len(found)]))
    return found


async def heard(hearing: list[Any]) -> list[datetime]:
    """When each of these was."""

    async def one(coming: Any) -> datetime:
        await coming
        return datetime.now(UTC)

    return sorted(await asyncio.gather(*map(one, hearing)))


def late(at: datetime, end: datetime) -> float:
    """Milliseconds after it."""
    return (at - end).total_seconds() * 1000
